"""Tenants: the agencies that share this installation, and each one's own profile."""
