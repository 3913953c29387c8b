"""Rules of writing the entries of a chart, one kind per module. One service and one set of routes serve all kinds."""
