"""Queries by which charts are found: by their own columns, their crew and their patients; and the names for a page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.filters import Shape, chosen, condition, equal, shape_of
from app.core.ids import TenantId
from app.core.personnel.public import Person
from app.ems.crew.models import CrewMember
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.patients.models import Patient

_incidents: Any = Incident.__table__
_crew: Any = CrewMember.__table__
_people: Any = Person.__table__
_patients: Any = Patient.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_NAMES = ("last_name_key", "first_name_key")
FEW = 3000
"""Up to so many matching patients it is quicker to sort their charts than to walk along all charts in order."""
_COUNTS: dict[Shape, CompiledStatement] = {}
_LISTED = CompiledStatement(
    sa.select(
        *(_patients.c[name] for name in ("id", "incident_id", "last_name", "first_name", "date_of_birth")),
    )
    .where(
        _patients.c.tenant_id == _TENANT,
        _patients.c.incident_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
        _patients.c.deleted_at.is_(None),
    )
    .order_by(_patients.c.incident_id, _patients.c.created_at, _patients.c.id)
)


def beginning(column: str, key: str) -> dict[str, str]:
    """The filters for keys that begin with `key`, which is not empty: a range, which an index serves in every locale.

    Row-level security keeps functions such as `starts_with` from the index, because they might leak what they compare.
    The operators of the range cannot.
    """
    return {f"{column}_from": key, f"{column}_to": key[:-1] + chr(ord(key[-1]) + 1)}


class FoundIncidentRepository(IncidentRepository):
    """Charts, also by members of the crew and by what is about one of their patients.

    The last are given as bounds of the patients' `last_name_key` and `first_name_key`, and as `date_of_birth`. Each
    chart of the page's order is asked whether one of its patients fits. That is quick where many do.
    """

    def _selected(self, shape: Shape, *, including_deleted: bool) -> sa.Select[Any]:
        about = {name: fits for name, several in shape if (fits := _about_patient(name, several)) is not None}
        of_charts = tuple((name, several) for name, several in shape if name not in about)
        query = super()._selected(of_charts, including_deleted=including_deleted)
        if about:
            matching = sa.select(_patients.c.incident_id).where(
                _patients.c.tenant_id == _TENANT, _patients.c.deleted_at.is_(None), *about.values()
            )
            query = query.where(self._among(matching))
        return query

    def _among(self, matching: sa.Select[Any]) -> sa.ColumnElement[bool]:
        # OFFSET keeps the planner from turning the question about one chart into a join of all.
        asked = matching.where(_patients.c.incident_id == _incidents.c.id).offset(sa.literal_column("0"))
        return sa.exists(asked.correlate(_incidents))

    def _condition(self, name: str, several: bool) -> sa.ColumnElement[bool]:
        if name == "crew_personnel_id":
            return _on_crew(equal(_crew.c.personnel_id, name, several=several))
        if name == "crew_user_id":
            signing_in = sa.select(_people.c.id).where(
                _people.c.tenant_id == _TENANT, equal(_people.c.user_id, name, several=several)
            )
            return _on_crew(_crew.c.personnel_id.in_(signing_in))
        return super()._condition(name, several)


class FewPatientsIncidentRepository(FoundIncidentRepository):
    """The same charts, for few matching patients. They are found first, by their index, and their charts sorted."""

    def _among(self, matching: sa.Select[Any]) -> sa.ColumnElement[bool]:
        # An array keeps the planner from reading all charts for a join.
        found: sa.ColumnElement[bool] = _incidents.c.id == sa.any_(sa.func.array(matching.scalar_subquery()))
        return found


class MatchingPatientRepository:
    """How many patients a search matches. Nobody is shown any of them."""

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def are_many(self, tenant_id: TenantId, filters: Mapping[str, Any]) -> bool:
        """True if more than `FEW` live patients fit what `filters` say about a patient, or if they say nothing."""
        about = {name: value for name, value in chosen(filters).items() if _about_patient(name, False) is not None}
        if not about:
            return True
        shape = shape_of(about)
        statement = _COUNTS.get(shape)
        if statement is None:
            statement = _COUNTS[shape] = _count(shape)
        row = await self._uow.fetch_row(statement, {**about, "tenant_id": tenant_id})
        return bool(row[0] > FEW)


class ListedPatientRepository:
    """What rows of a list say of the patients. Whoever sees it is noted in the access log."""

    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_of_incidents(
        self, tenant_id: TenantId, incident_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, list[Any]]:
        """Live patients of each chart in the order of their entry; every id has a list."""
        found: dict[uuid.UUID, list[Any]] = {incident_id: [] for incident_id in incident_ids}
        for row in await self._uow.fetch(_LISTED, {"tenant_id": tenant_id, "ids": list(incident_ids)}):
            self._uow.note_phi(Patient.entity_type, row["incident_id"])
            found[row["incident_id"]].append(row)
        return found


def _count(shape: Shape) -> CompiledStatement:
    fits = [fit for name, several in shape if (fit := _about_patient(name, several)) is not None]
    matching: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(_patients)
        .where(_patients.c.tenant_id == _TENANT, _patients.c.deleted_at.is_(None), *fits)
        .limit(sa.literal_column(str(FEW + 1)))
    )
    return CompiledStatement(sa.select(sa.func.count()).select_from(matching.subquery()))


def _about_patient(name: str, several: bool) -> sa.ColumnElement[bool] | None:
    return condition(_patients, name, several=several, filters=("date_of_birth",), ranges=_NAMES)


def _on_crew(member: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    aboard = sa.select(_crew.c.incident_id).where(_crew.c.tenant_id == _TENANT, _crew.c.deleted_at.is_(None), member)
    found: sa.ColumnElement[bool] = _incidents.c.id.in_(aboard)
    return found
