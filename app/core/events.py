"""Topics. A domain declares each kind of event that it publishes, and the registry lists them. Handlers subscribe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """`name` is what the outbox and the websocket carry, such as `incident.updated` (directive 5.4, 13)."""

    name: str
    description: str
