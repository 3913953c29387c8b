"""Vehicles: the units of an agency that answer calls."""
