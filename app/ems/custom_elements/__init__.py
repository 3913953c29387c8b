"""Custom elements: what an agency or its state records beyond the standard, and a document's header declares."""
