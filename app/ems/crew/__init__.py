"""The crew of a call: who of the agency's personnel was on it, and in which roles (eCrew)."""
