"""The timeline of a chart: its parts in one order of time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends

from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow
from app.ems.elements import TARGET_BUILD, from_json, load_dictionary
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.meanings import REASONS, meaning_of
from app.ems.parts import ENTRIES, PATIENT, TimelinePlace
from app.ems.patients.models import Patient
from app.ems.timeline.repository import TransitionRepository
from app.ems.timeline.schemas import Timeline, TimelineItem, TimelineKind

_BEGINNING = 200  # characters of a long text
_RANKS = {kind: rank for rank, kind in enumerate(TimelineKind)}
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


class TimelineReader:
    """Reads a timeline with one statement per part that it shows and three more, for any size of chart."""

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
        patients = await PATIENT.repository(uow).list_all(tenant_id, incident_id=incident_id)
        transitions = await TransitionRepository(uow).list_all(tenant_id, incident_id, incident.created_at)
        items = [
            *_times(incident),
            *(item for patient in patients for item in _times(patient)),
            *entries,
            *(_transition(incident_id, row) for row in transitions),
        ]
        # The sort is stable. Items of the same instant and kind keep the order in which they were charted.
        items.sort(key=lambda item: (item.at is None, item.at or _NEVER, _RANKS[item.kind]))
        return Timeline(items=items)


def _times(entry: Incident | Patient) -> Iterator[TimelineItem]:
    """Items of the call's times, or of one patient's own times: columns of eTimes, then elements."""
    for name, element_id in entry.element_columns.items():
        at = getattr(entry, name) if element_id.startswith("eTimes.") else None
        if at is not None:
            yield _time(entry, at, {"field": name})
    for element_id, entries in sorted(from_json(entry.elements).items()):
        if not element_id.startswith("eTimes."):
            continue
        for given in entries:
            if given.value is not None:
                yield _time(entry, dt.datetime.fromisoformat(given.value), {"field": f"elements.{element_id}"})


def _time(entry: Incident | Patient, at: dt.datetime, summary: dict[str, Any]) -> TimelineItem:
    return TimelineItem(
        at=at.astimezone(dt.UTC),
        kind=TimelineKind.TIME,
        entity=entry.entity_type,
        entity_id=entry.id,
        patient_id=entry.id if isinstance(entry, Patient) else None,
        summary=summary,
    )


def _entry(entry: Any, place: TimelinePlace) -> TimelineItem:
    values = {name: getattr(entry, name) for name in place.shows}
    if place.begins_with is not None:
        text = getattr(entry, place.begins_with)
        values["beginning"] = None if text is None else text[:_BEGINNING]
    values |= _in_words(entry, without=place.at)
    means = meaning_of(entry)
    return TimelineItem(
        at=getattr(entry, place.at),
        kind=TimelineKind(entry.entity_type),
        entity=entry.entity_type,
        entity_id=entry.id,
        patient_id=entry.patient_id,
        meaning=None if means is None else means.meaning,
        reason=None if means is None else means.in_words,
        summary={name: value for name, value in values.items() if value is not None},
    )


def _in_words(entry: Any, *, without: str) -> dict[str, Any]:
    """The content of `elements` as `{elements.<id>: [words]}`, with names in place of codes and reasons.

    The element of column `without` is left out.
    """
    definitions = load_dictionary(TARGET_BUILD).elements
    left_out = entry.carried_elements().get(without)
    said: dict[str, Any] = {}
    for element_id, entries in sorted(from_json(entry.elements).items()):
        definition = definitions.get(element_id)
        if definition is None or element_id == left_out:
            continue
        words = [
            *(definition.type.codes.get(given.value, given.value) for given in entries if given.value is not None),
            *(REASONS.get(given.pertinent_negative, "") for given in entries if given.pertinent_negative is not None),
            *(definition.not_values.get(given.not_value, "") for given in entries if given.not_value is not None),
        ]
        said[f"elements.{element_id}"] = [text for text in words if text] or None
    return said


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
