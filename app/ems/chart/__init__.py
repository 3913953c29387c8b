"""Pieces that the incident and all entries of its chart share: columns, parts of requests, the editing gate."""
