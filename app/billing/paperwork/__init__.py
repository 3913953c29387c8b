"""Papers about a patient's transport that a claim needs. One service and one set of routes serve every kind."""
