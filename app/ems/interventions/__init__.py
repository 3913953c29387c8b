"""Interventions: procedures performed and medications given."""
