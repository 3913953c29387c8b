"""Rows of a chart by version, as chart_revisions keeps them."""
