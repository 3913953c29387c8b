"""Names of channels: `incident:{tenant_id}:{incident_id}` and `tenant:{tenant_id}:{worklist}`."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from app.core.events import Topic, incident_channel
from app.core.ids import TenantId
from app.core.permissions import Permission, Principal

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAME = re.compile(rf"(?P<kind>incident|tenant):(?P<tenant>{_UUID}):(?P<rest>{_UUID}|[a-z_]{{1,40}})")


@dataclass(frozen=True, slots=True)
class Channel:
    """`local` is the name within the tenant, as positions have it. `incident_id` is None for a worklist."""

    tenant_id: TenantId
    local: str
    incident_id: uuid.UUID | None = None

    @property
    def name(self) -> str:
        return full_name(self.tenant_id, self.local)


def full_name(tenant_id: TenantId, local: str) -> str:
    """The name that clients use."""
    return f"incident:{tenant_id}:{local[9:]}" if local.startswith("incident:") else f"tenant:{tenant_id}:{local}"


def is_spelled(name: str) -> bool:
    """True if the name has the form of a channel's. Such a name holds nothing that may not be sent back."""
    return _NAME.fullmatch(name) is not None


class Directory:
    """The declared channels, and the streams of each."""

    def __init__(self, topics: tuple[Topic, ...]) -> None:
        broadcasts = [topic.broadcast for topic in topics if topic.broadcast is not None]
        self._of_chart = {broadcast.permission for broadcast in broadcasts if broadcast.of_chart}
        self._worklists = {
            broadcast.worklist.name: {other.permission for other in broadcasts if other.worklist == broadcast.worklist}
            for broadcast in broadcasts
        }

    def find(self, name: str, tenant_id: TenantId) -> Channel | None:
        """The channel of that name; None if it is malformed, unknown or another tenant's. Nobody can tell which."""
        found = _NAME.fullmatch(name)
        if found is None or found["tenant"] != str(tenant_id):
            return None
        rest = found["rest"]
        if found["kind"] == "incident" and len(rest) == 36 and "-" in rest:
            incident_id = uuid.UUID(rest)
            return Channel(tenant_id, incident_channel(incident_id), incident_id)
        if found["kind"] == "tenant" and rest in self._worklists:
            return Channel(tenant_id, rest)
        return None

    def needed(self, channel: Channel) -> str:
        """The name of a permission that would open the channel."""
        return min(permission.name for permission in self._of(channel))

    def streams(self, channel: Channel, principal: Principal) -> tuple[str, ...]:
        """The permissions whose events the principal gets in the channel."""
        return tuple(sorted(permission.name for permission in self._of(channel) if permission.held_by(principal)))

    def _of(self, channel: Channel) -> set[Permission]:
        return self._of_chart if channel.incident_id is not None else self._worklists[channel.local]
