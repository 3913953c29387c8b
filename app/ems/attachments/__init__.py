"""Attachments: photos, documents, 12-lead exports and recordings of a chart."""
