"""Imported releases of code sets: their codes, their sources and their changes."""
