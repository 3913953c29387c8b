"""Suppressions: addresses that bounced or complained and are not written to again."""
