"""Citations: a field of a chart entry at a version, and the value that stood there."""
