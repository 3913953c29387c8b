"""Sign-in, access tokens (ES256) and passwords."""
