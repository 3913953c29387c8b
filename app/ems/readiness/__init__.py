"""Readiness: what still stands between a chart and its review, the state, the payer and the signatures."""
