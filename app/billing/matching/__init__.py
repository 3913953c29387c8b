"""Joining calls to billing accounts: what is proposed, and what a biller confirms."""
