"""Clearinghouses and payers answer before a claim is decided: their answers are read, kept and applied."""
