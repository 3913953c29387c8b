"""Entries that came in after their chart was submitted, kept until its author or a reviewer decides."""
