"""Importing releases of code sets: sources are streamed, one transaction per release, all or nothing."""
