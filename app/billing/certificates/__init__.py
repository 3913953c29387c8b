"""Physician certification statements (PCS): why a patient could not travel otherwise (42 CFR 410.40(e))."""
