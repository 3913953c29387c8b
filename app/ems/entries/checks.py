"""Checks that several kinds of chart entry share."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from typing import Any, TypeVar

import sqlalchemy as sa

from app.core.db.entity import TenantEntity
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import LimitReached, NotFound, ValidationFailed
from app.core.ids import TenantId
from app.core.repository import Repository
from app.ems.chart.columns import ChartChild, ChartEntry
from app.ems.errors import EntryDeleted
from app.ems.patients.models import Patient
from app.ems.patients.repository import PatientRepository

C = TypeVar("C", bound=ChartEntry)
E = TypeVar("E", bound=ChartChild)

MOST_ENTRIES = 1_000
"""Live entries of one kind in a chart. A monitor that sends vitals every minute needs sixteen hours for as many."""


def of_incident(child: E | None, incident_id: uuid.UUID) -> E:
    """The entry, if it is of the incident. Raises NotFound for a missing entry and for another incident's alike."""
    if child is None or child.incident_id != incident_id:
        raise NotFound
    return child


async def made_before(entries: Repository[C], tenant_id: TenantId, entry_id: uuid.UUID) -> C:
    """The entry or incident that a repeated creation made. Raises NotFound, EntryDeleted."""
    entry = await entries.get_including_deleted(tenant_id, entry_id)
    if entry.deleted_at is not None:
        raise EntryDeleted(id=str(entry.id), version=entry.version, deleted_at=entry.deleted_at.isoformat())
    return entry


async def patient_of(uow: ReadUnitOfWork, child: ChartChild) -> Patient | None:
    """The patient whom the entry is about, locked FOR SHARE; None for an entry about nobody.

    Raises ValidationFailed for a patient who is missing, deleted or another incident's.
    """
    patient_id = getattr(child, "patient_id", None)
    if patient_id is None:
        return None
    patient = await PatientRepository(uow).find_for_share(uow.tenant_id, patient_id)
    if patient is None or patient.incident_id != child.incident_id:
        raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
    return patient


def not_before_birth(field: str, moment: dt.datetime | None, patient: Patient | None) -> None:
    """Require a time after the patient's birth, with a day of grace for time zones. Raises ValidationFailed."""
    if moment is None or patient is None or patient.date_of_birth is None:
        return
    if moment.date() < patient.date_of_birth - dt.timedelta(days=1):
        raise ValidationFailed.of(field, "before_birth", "This time lies before the patient's birth.")


async def require_room(uow: ReadUnitOfWork, entity: type[TenantEntity], incident_id: uuid.UUID) -> None:
    """Raises LimitReached. The bound is on the work of reading a chart: additions at once may pass it by a few."""
    values = {"tenant_id": uow.tenant_id, "incident_id": incident_id, "skipped": MOST_ENTRIES - 1}
    if await uow.fetch_row(_entry_after(entity), values) is not None:
        raise LimitReached(f"A chart has {MOST_ENTRIES:,} entries of one kind at most.")


@functools.cache
def _entry_after(entity: type[TenantEntity]) -> CompiledStatement:
    """The id of any live entry of a chart beyond the first `skipped` ones."""
    columns: Any = entity.__table__.c
    named = [columns.tenant_id, columns.incident_id]
    return CompiledStatement(
        sa.select(columns.id)
        .where(*(column == sa.bindparam(column.name, type_=column.type) for column in named))
        .where(columns.deleted_at.is_(None))
        .offset(sa.bindparam("skipped", type_=sa.BigInteger))
        .limit(1)
    )
