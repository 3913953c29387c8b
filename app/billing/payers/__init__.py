"""The payers that an agency bills, and their rules."""
