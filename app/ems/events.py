"""Topics that ems publishes (directive 5.4)."""

from __future__ import annotations

from app.core.events import Topic

INCIDENT_UPDATED = Topic("incident.updated", "A chart or one of its entries was created, changed, deleted or restored.")
INCIDENT_AMENDED = Topic("incident.amended", "A completed chart was changed; the event's entity is the amendment.")
INCIDENT_STATUS_CHANGED = Topic("incident.status_changed", "A chart moved to another state.")

TOPICS = (INCIDENT_UPDATED, INCIDENT_AMENDED, INCIDENT_STATUS_CHANGED)
