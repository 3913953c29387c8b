"""Repetition of creating requests: Idempotency-Key and client-made ids."""
