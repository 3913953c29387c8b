"""Files that came back from payers and clearinghouses, each kept once, byte for byte."""
