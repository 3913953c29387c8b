"""Custom elements: what an agency or its state records beyond NEMSIS. The header of a document declares them."""
