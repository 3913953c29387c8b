"""Imported releases of code sets: what is loaded, from where, and what it changed."""
