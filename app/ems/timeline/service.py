"""The timeline of a chart: its parts in one order of time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends

from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow
from app.ems.elements import from_json
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.parts import ENTRIES, TimelinePlace
from app.ems.timeline.repository import TransitionRepository
from app.ems.timeline.schemas import Timeline, TimelineItem, TimelineKind

_BEGINNING = 200  # characters of a long text
_TIMES = tuple(name for name, element_id in Incident.element_columns.items() if element_id.startswith("eTimes."))
_RANKS = {kind: rank for rank, kind in enumerate(TimelineKind)}
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


class TimelineReader:
    """Reads a timeline: one statement per part that stands in it and two more, for any size of chart."""

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def read(self, incident_id: uuid.UUID) -> Timeline:
        """The timeline of one chart. Raises NotFound."""
        uow, tenant_id = self._uow, self._uow.tenant_id
        incident = await IncidentRepository(uow).get(tenant_id, incident_id)
        entries = [
            _entry(entry, part.timeline)
            for part in ENTRIES
            if part.timeline is not None
            for entry in await part.repository(uow).list_all(tenant_id, incident_id=incident_id)
        ]
        transitions = await TransitionRepository(uow).list_all(tenant_id, incident_id, incident.created_at)
        items = [
            *_times(incident),
            *entries,
            *(_transition(incident_id, row) for row in transitions),
        ]
        # The sort is stable: what one instant and kind share keeps the order in which it was charted.
        items.sort(key=lambda item: (item.at is None, item.at or _NEVER, _RANKS[item.kind]))
        return Timeline(items=items)


def _times(incident: Incident) -> Iterator[TimelineItem]:
    """Items of the incident's times: columns of eTimes, and the eTimes elements that have no column."""
    for name in _TIMES:
        at = getattr(incident, name)
        if at is not None:
            yield _time(incident, at, {"field": name})
    for element_id, entries in sorted(from_json(incident.elements).items()):
        if not element_id.startswith("eTimes."):
            continue
        for entry in entries:
            if entry.value is not None:
                yield _time(incident, dt.datetime.fromisoformat(entry.value), {"field": f"elements.{element_id}"})


def _time(incident: Incident, at: dt.datetime, summary: dict[str, Any]) -> TimelineItem:
    return TimelineItem(
        at=at.astimezone(dt.UTC),
        kind=TimelineKind.TIME,
        entity=incident.entity_type,
        entity_id=incident.id,
        patient_id=None,
        summary=summary,
    )


def _entry(entry: Any, place: TimelinePlace) -> TimelineItem:
    values = {name: getattr(entry, name) for name in place.shows}
    if place.begins_with is not None:
        text = getattr(entry, place.begins_with)
        values["beginning"] = None if text is None else text[:_BEGINNING]
    return TimelineItem(
        at=getattr(entry, place.at),
        kind=TimelineKind(entry.entity_type),
        entity=entry.entity_type,
        entity_id=entry.id,
        patient_id=entry.patient_id,
        summary={name: value for name, value in values.items() if value is not None},
    )


def _transition(incident_id: uuid.UUID, row: Any) -> TimelineItem:
    return TimelineItem(
        at=row["created_at"],
        kind=TimelineKind.TRANSITION,
        entity=Incident.entity_type,
        entity_id=incident_id,
        patient_id=None,
        summary={**(row["metadata_json"] or {}), "actor_user_id": row["actor_user_id"]},
    )


async def timeline_reader(uow: ReadUow) -> TimelineReader:
    return TimelineReader(uow)


TimelineReads = Annotated[TimelineReader, Depends(timeline_reader)]
