"""Clearinghouses: how the agency's files name sender and receiver, what they are called, and how they get there."""
