"""Plausibility of whole charts: missing parts, contradictions, and impossible times."""
