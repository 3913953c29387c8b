"""Reference records of a tenant (its vehicles, its people, what later modules build on).

One service and one set of routes serve every kind. Each kind has a declaration.
"""
