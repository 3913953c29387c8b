"""Patients of an incident; each has a PatientCareReport of its own."""
