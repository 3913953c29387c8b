"""Measurements behind the claims about speed: each one run, each one beside what it is compared with."""
