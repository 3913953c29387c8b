"""Shared machinery and the directive's core domains: auth, users, tenants, audit."""
