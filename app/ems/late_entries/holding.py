"""Keeps the creation of an entry that a chart under review does not take."""

from __future__ import annotations

import uuid

from app.core.db.uow import UnitOfWork
from app.core.permissions import Principal
from app.ems.chart.schemas import ChildCreate
from app.ems.events import INCIDENT_UPDATED
from app.ems.incidents.models import Incident
from app.ems.late_entries.lifecycle import LateEntryAction, late_entry_lifecycle
from app.ems.late_entries.models import LateEntry
from app.ems.late_entries.schemas import LATE, LateEntryRead
from app.ems.lifecycle import IncidentStatus
from app.ems.permissions import CHART_WRITE

_KINDS = frozenset(part.entity_type for part in LATE)


def comes_late(incident: Incident, entity: str) -> bool:
    """True if a new entry of this kind is held: its chart waits for a review."""
    return incident.status is IncidentStatus.READY_FOR_REVIEW and entity in _KINDS


async def hold(uow: UnitOfWork, incident: Incident, entity: str, entity_id: uuid.UUID, given: ChildCreate) -> LateEntry:
    """Keep a creation for the chart's author and reviewer. The incident is locked FOR SHARE. Raises Forbidden."""
    uow.principal.require(CHART_WRITE)
    charted_by = uow.principal.user_id
    if charted_by is None:
        raise AssertionError("charting is people's work")
    late = LateEntry(
        tenant_id=uow.tenant_id,
        incident_id=incident.id,
        charted_by=charted_by,
        author_id=incident.created_by,
        submitted_by=incident.submitted_by,
        entity=entity,
        entity_id=entity_id,
        body=given.model_dump(mode="json", exclude_unset=True, exclude={"id"}),
    )
    return await uow.create(late, LateEntryAction.HELD, event=INCIDENT_UPDATED)


def present_late(late: LateEntry, principal: Principal) -> LateEntryRead:
    return LateEntryRead.of(late, allowed_actions=late_entry_lifecycle.allowed_actions(late, principal))
