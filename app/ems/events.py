"""Topics that ems publishes (directive 5.4)."""

from __future__ import annotations

import uuid

from pydantic import Field

from app.core.events import Broadcast, EventPayload, Topic, Worklist
from app.ems.permissions import CHART_READ

INCIDENTS = Worklist("incidents", "Every change of the agency's charts.")


class ChartPayload(EventPayload):
    """A change of a chart or of one of its entries. The entity of an event without `incident_id` is the chart."""

    incident_id: uuid.UUID | None = Field(None, description="The chart of the entry.")
    patient_id: uuid.UUID | None = Field(None, description="The patient whom the entry is about.")
    status: str | None = Field(None, description="The state after the change, where the entity has states.")


class ChartStatusPayload(EventPayload):
    status: str = Field(description="The state that the chart is in now.")


_CHART = Broadcast(CHART_READ, ChartPayload, INCIDENTS)

INCIDENT_UPDATED = Topic(
    "incident.updated", "A chart or one of its entries was created, changed, deleted or restored.", _CHART
)
INCIDENT_AMENDED = Topic(
    "incident.amended", "A completed chart was changed; the event's entity is the amendment.", _CHART
)
INCIDENT_STATUS_CHANGED = Topic(
    "incident.status_changed",
    "A chart moved to another state.",
    Broadcast(CHART_READ, ChartStatusPayload, INCIDENTS),
)

TOPICS = (INCIDENT_UPDATED, INCIDENT_AMENDED, INCIDENT_STATUS_CHANGED)
