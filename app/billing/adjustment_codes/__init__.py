"""What the codes of payers' decisions mean, in our own words: claim adjustment reasons and remarks, as dated data."""
