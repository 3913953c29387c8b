"""Claim edits: declared rules that a claim is judged by before it may go out."""
