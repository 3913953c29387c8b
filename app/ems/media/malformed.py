"""The two reasons for which a walker refuses a content."""

from __future__ import annotations


class Malformed(Exception):
    """The content is truncated, damaged, or of two types at once."""


class Excessive(Exception):
    """The content expands to more than the limits of its type allow."""
