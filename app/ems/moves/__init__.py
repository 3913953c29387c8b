"""Moves of entries to another patient of the same call."""
