"""ASC X12 005010 interchanges: segments, the tokenizer, and the 837P professional claim writer."""
