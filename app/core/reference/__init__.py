"""Reference records of a tenant (its vehicles, its people, what later modules build on): one service and one set of
routes serve every kind, told apart by a declaration."""
