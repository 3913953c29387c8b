"""Vehicles: the units that an agency answers calls with."""
