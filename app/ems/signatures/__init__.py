"""Signatures: who signed which wording, and which content of the chart it covers."""
