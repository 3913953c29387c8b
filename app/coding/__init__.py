"""Codes: looking up ICD-10-CM and RxNorm as a crew and a biller say it, and judging codes for the other domains."""
