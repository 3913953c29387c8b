"""Narratives: the story of the call, with what AI later says about it."""
