"""What the incident and all entries of its chart share: columns, request pieces, the editing gate."""
