"""The incident: one response of one unit, and the head of its chart."""
