"""Creating requests that may be sent twice: Idempotency-Key and client-made ids."""
