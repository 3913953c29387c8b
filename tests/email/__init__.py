"""Tests of the email domain."""
