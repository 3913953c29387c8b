"""Topics: every kind of event that a domain publishes is declared once; handlers subscribe to the declaration."""

from __future__ import annotations

from dataclasses import dataclass

_REGISTRY: dict[str, Topic] = {}


@dataclass(frozen=True, slots=True)
class Topic:
    """`name` is what the outbox and the websocket carry, such as `incident.updated` (directive 5.4, 13)."""

    name: str
    description: str

    def __post_init__(self) -> None:
        if self.name in _REGISTRY:
            raise ValueError(f"topic {self.name} is declared twice")
        _REGISTRY[self.name] = self


def registered_topics() -> tuple[Topic, ...]:
    return tuple(sorted(_REGISTRY.values(), key=lambda topic: topic.name))
