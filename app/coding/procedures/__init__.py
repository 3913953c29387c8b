"""Procedures: NEMSIS's defined list of SNOMED CT codes, found by the words of crews."""
