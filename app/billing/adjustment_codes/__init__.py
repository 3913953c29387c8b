"""The dictionary of payers' codes (claim adjustment reasons and remarks): their meaning in our words, as dated data."""
