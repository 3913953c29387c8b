"""Decisions about late entries: listing them, admitting them to the chart, refusing them."""
