"""Plausibility of whole charts: what is missing, contradicts itself, or cannot have happened then."""
