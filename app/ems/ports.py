"""Ports, by which ems asks domains above it. They register sources at a port; ems never imports them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

S = TypeVar("S")


class Port(Generic[S]):
    """Sources by their key, in the order in which they were registered."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sources: dict[Hashable, S] = {}

    def register(self, key: Hashable, source: S) -> None:
        """Add a source. Raises ValueError for a key that another source has."""
        if key in self._sources:
            raise ValueError(f"{self._name} {key} is declared twice")
        self._sources[key] = source

    def __iter__(self) -> Iterator[S]:
        return iter(self._sources.values())
