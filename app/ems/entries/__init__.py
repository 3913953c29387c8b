"""The entries of a chart, one kind per module: what each judges; one service and one set of routes serve them all."""
