"""Users of a tenant: four roles and the reviewer flag."""
