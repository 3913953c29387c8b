"""Codes: looks up ICD-10-CM and RxNorm in the words of crews and billers, and judges codes for other domains."""
