"""Topics. A domain declares each kind of event that it publishes, and the registry lists them. Handlers subscribe."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.permissions import Permission


class EventPayload(BaseModel):
    """The content of an event: ids, versions, statuses and names of changed fields; never values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity_type: str = Field(description="What changed, such as vital.")
    entity_id: uuid.UUID = Field(description="Its id.")
    version: int = Field(ge=1, description="Its version after the change.")
    action: str = Field(description="The act, as the audit log names it.")
    changed: tuple[str, ...] = Field(description="The names of the fields that changed.")


@dataclass(frozen=True, slots=True)
class Worklist:
    """`name` is the last part of the channel `tenant:{tenant_id}:{name}`, which carries a tenant's events of a kind."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """How websockets carry a topic.

    `permission` reads the entity of the event: only its holders get the event. `payload` says what the event carries.
    `worklist` is the tenant's channel that carries it. Unless `of_chart` is false, the channel of its chart carries it,
    too: an event whose payload names no `incident_id` belongs to the chart that is its aggregate. `version` grows when
    the payload changes its meaning.
    """

    permission: Permission
    payload: type[EventPayload]
    worklist: Worklist
    version: int = 1
    of_chart: bool = True

    def channels(self, aggregate_id: uuid.UUID, payload: Mapping[str, Any]) -> Iterator[str]:
        """The names of the channels within the tenant."""
        if self.of_chart:
            yield incident_channel(payload.get("incident_id") or aggregate_id)
        yield self.worklist.name


@dataclass(frozen=True, slots=True)
class Topic:
    """`name` is what the outbox and the websocket carry, such as `incident.updated` (directive 5.4, 13).

    Without `broadcast` an event is for handlers alone.
    """

    name: str
    description: str
    broadcast: Broadcast | None = None


def incident_channel(incident_id: uuid.UUID | str) -> str:
    """The name of a chart's channel within its tenant."""
    return f"incident:{incident_id}"
