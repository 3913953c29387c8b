"""Billing: claims made from locked charts, and the 837P files that carry them (directive section 8)."""
