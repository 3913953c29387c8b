"""Finding calls: the list of charts with its filters, and the search by what is about a patient."""
