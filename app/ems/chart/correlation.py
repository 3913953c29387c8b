"""CorrelationIDs of a chart: each stands once in a document, and neither the XSD nor the Schematron notices a second.

A document holds the incident, its crew, one patient and what is about that patient: entries about different patients
stand in different documents and may share a CorrelationID.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.core.db.sql import CompiledStatement
from app.core.db.uow import UnitOfWork
from app.core.errors import Problem, refuse
from app.core.outbound.turns import take_turn
from app.ems.chart.columns import ChartEntry

_COLUMN = "correlation_id"


class _Given(NamedTuple):
    """A CorrelationID of an entry, and the request's field that gives it."""

    field: str
    correlation_id: str


def repeated_correlation_ids(entry: ChartEntry) -> list[Problem]:
    """The problems of an entry that gives one CorrelationID to several things of its own."""
    given = list(_given(entry))
    counts = Counter(each.correlation_id for each in given)
    seen: set[str] = set()
    problems = []
    for each in given:
        if counts[each.correlation_id] > 1 and each.correlation_id in seen:
            problems.append(_problem(each.field))
        seen.add(each.correlation_id)
    return problems


async def require_new_correlation_ids(uow: UnitOfWork, entry: ChartEntry) -> None:
    """Two statements, and none for an entry without CorrelationIDs.

    Raises ValidationFailed for each CorrelationID that another entry of the same document has.
    """
    given = list(_given(entry))
    if not given:
        return
    incident_id = getattr(entry, "incident_id", entry.id)
    # Two entries may be written at once: the later one waits, and sees what the earlier one wrote.
    await take_turn(uow, "correlation", incident_id)
    values = {"tenant_id": uow.tenant_id, "incident_id": incident_id, "id": entry.id}
    rows = await uow.fetch(_others(), values)
    mine = _patient_of(entry)
    taken = {
        correlation_id
        for patient_id, column, elements in rows
        if mine is None or patient_id in (None, mine)
        for correlation_id in (column, *elements)
    }
    refuse(_problem(each.field) for each in given if each.correlation_id in taken)


def _given(entry: ChartEntry) -> Iterator[_Given]:
    column = getattr(entry, _COLUMN, None)
    if column is not None:
        yield _Given(_COLUMN, column)
    stored: Mapping[str, Sequence[Mapping[str, Any]]] = entry.elements
    for element_id, occurrences in stored.items():
        for index, occurrence in enumerate(occurrences):
            if _COLUMN in occurrence:
                yield _Given(f"elements.{element_id}[{index}].{_COLUMN}", occurrence[_COLUMN])


def _problem(field: str) -> Problem:
    message = "This CorrelationID stands elsewhere in the same document: give it another one, or none."
    return Problem(field, "correlation_id_repeated", message)


def _patient_of(entry: ChartEntry) -> uuid.UUID | None:
    return entry.id if entry.entity_type == "patient" else getattr(entry, "patient_id", None)


@cache
def _others() -> CompiledStatement:
    """(patient id, own CorrelationID, those of its elements) of every other live entry that has any."""
    return CompiledStatement(sa.union_all(*(_of(entity.__table__) for entity in _kinds())))


def _kinds() -> Iterator[Any]:
    for mapper in ChartEntry.registry.mappers:
        if issubclass(mapper.class_, ChartEntry) and "elements" in mapper.class_.__table__.c:
            yield mapper.class_


def _of(table: Any) -> sa.Select[Any]:
    columns = table.c
    incident = columns.get("incident_id", columns.id)
    patient = columns.id if table.name == "patients" else columns.get("patient_id", sa.null())
    own = columns.get(_COLUMN, sa.null())
    below = sa.func.jsonb_path_query_array(
        columns.elements, sa.literal_column("'$.*[*].correlation_id'::jsonpath"), type_=JSONB
    )
    return sa.select(sa.cast(patient, sa.Uuid), sa.cast(own, sa.Text), below).where(
        columns.tenant_id == sa.bindparam("tenant_id", type_=columns.tenant_id.type),
        incident == sa.bindparam("incident_id", type_=sa.Uuid),
        columns.id != sa.bindparam("id", type_=sa.Uuid),
        columns.deleted_at.is_(None),
        sa.or_(sa.cast(own, sa.Text).is_not(None), sa.cast(columns.elements, sa.Text).contains('"correlation_id"')),
    )
