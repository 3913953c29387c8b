"""What all entries of a chart share: columns, the editing gate, the service and the routes."""
