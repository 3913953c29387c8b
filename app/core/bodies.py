"""A body rule says which route takes another body than JSON of the usual size.

It is declared beside the route, listed in `app/registry.py`, and kept at the boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BodyRule:
    """The rule for bodies of requests to `path`. A path that ends in a slash covers everything below it.

    If `media_types` is None, the route itself checks the type. If `max_bytes` is None, the usual limit holds.
    """

    path: str
    media_types: frozenset[str] | None = frozenset({"application/json"})
    max_bytes: int | None = None

    def covers(self, path: str) -> bool:
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path

    def takes(self, media_type: str) -> bool:
        return self.media_types is None or media_type in self.media_types


JSON_ONLY = BodyRule("/")


def rule_for(path: str, rules: Sequence[BodyRule]) -> BodyRule:
    """The first rule that covers `path`, or JSON if no rule does."""
    return next((rule for rule in rules if rule.covers(path)), JSON_ONLY)
