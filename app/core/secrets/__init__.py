"""Secrets of an agency: set over the API, never read back, encrypted with a key that the database does not hold."""
