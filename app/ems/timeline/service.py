"""Puts the parts of a chart into one order of time."""

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
from app.ems.interventions.repository import InterventionRepository
from app.ems.narratives.models import Narrative
from app.ems.narratives.repository import NarrativeRepository
from app.ems.timeline.repository import TransitionRepository
from app.ems.timeline.schemas import Timeline, TimelineItem, TimelineKind
from app.ems.vitals.models import Vital
from app.ems.vitals.repository import VitalRepository

_BEGINNING = 200  # characters of a narrative
_TIMES = tuple(name for name, element_id in Incident.element_columns.items() if element_id.startswith("eTimes."))
_VITAL_VALUES = (*(name for name in Vital.element_columns if name != "taken_at"), "etco2_unit")
_INTERVENTION_VALUES = ("type", "procedure_code", "rxcui", "dose", "dose_unit", "route", "outcome")
_RANKS = {kind: rank for rank, kind in enumerate(TimelineKind)}
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


class TimelineReader:
    """Five statements however large the chart."""

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def read(self, incident_id: uuid.UUID) -> Timeline:
        """Raises NotFound."""
        uow, tenant_id = self._uow, self._uow.tenant_id
        incident = await IncidentRepository(uow).get(tenant_id, incident_id)
        vitals = await VitalRepository(uow).list_all(tenant_id, incident_id=incident_id)
        interventions = await InterventionRepository(uow).list_all(tenant_id, incident_id=incident_id)
        narratives = await NarrativeRepository(uow).list_all(tenant_id, incident_id=incident_id)
        transitions = await TransitionRepository(uow).list_all(tenant_id, incident_id, incident.created_at)
        items = [
            *_times(incident),
            *(_entry(TimelineKind.VITAL, vital, vital.taken_at, _VITAL_VALUES) for vital in vitals),
            *(
                _entry(TimelineKind.INTERVENTION, intervention, intervention.performed_at, _INTERVENTION_VALUES)
                for intervention in interventions
            ),
            *(_note(narrative) for narrative in narratives),
            *(_transition(incident_id, row) for row in transitions),
        ]
        # The sort is stable: what one instant and kind share keeps the order in which it was charted.
        items.sort(key=lambda item: (item.at is None, item.at or _NEVER, _RANKS[item.kind]))
        return Timeline(items=items)


def _times(incident: Incident) -> Iterator[TimelineItem]:
    """The columns of eTimes, and the eTimes elements that have none."""
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


def _entry(kind: TimelineKind, entry: Any, at: dt.datetime | None, names: tuple[str, ...]) -> TimelineItem:
    values = {name: getattr(entry, name) for name in names}
    return TimelineItem(
        at=at,
        kind=kind,
        entity=entry.entity_type,
        entity_id=entry.id,
        patient_id=entry.patient_id,
        summary={name: value for name, value in values.items() if value is not None},
    )


def _note(narrative: Narrative) -> TimelineItem:
    return TimelineItem(
        at=narrative.created_at,
        kind=TimelineKind.NARRATIVE,
        entity=narrative.entity_type,
        entity_id=narrative.id,
        patient_id=narrative.patient_id,
        summary={} if narrative.narrative_text is None else {"beginning": narrative.narrative_text[:_BEGINNING]},
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
