"""Amendments: what an admin changed in a completed chart, why, and against which version."""
