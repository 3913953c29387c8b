"""Procedures: NEMSIS's defined list of SNOMED CT codes, found as crews say them."""
