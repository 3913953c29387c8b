"""Vital signs: one row per set taken."""
