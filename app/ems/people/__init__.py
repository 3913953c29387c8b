"""Names of the people whom a chart names by id."""
