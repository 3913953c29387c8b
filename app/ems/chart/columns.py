"""Columns of chart entries: the NEMSIS values keyed by element id, and their place in the chart."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import Digest, internal, phi, plain
from app.core.db.entity import TenantEntity, standard_constraints
from app.core.errors import Problem
from app.ems.chart.picks import Pick
from app.ems.elements import Owner, PhiClass, phi_class


def snapshot_column(classify: Callable[..., Any]) -> Any:
    """A column of a pick's snapshot. `classify` is `plain` or `phi`."""
    return classify(JSONB(none_as_null=True), default=None, init=False, heavy=True)


def element_diff(old: Any, new: Any, digest: Digest) -> dict[str, list[Any]]:
    """The audit's view of an elements column: one entry per element id, digested unless the element is plain."""
    before, after = old or {}, new or {}
    fields: dict[str, list[Any]] = {}
    for element_id in sorted(before.keys() | after.keys()):
        pair = [before.get(element_id), after.get(element_id)]
        if pair[0] != pair[1]:
            fields[f"elements.{element_id}"] = [_shown(element_id, entries, digest) for entries in pair]
    return fields


def _shown(element_id: str, entries: Any, digest: Digest) -> Any:
    """Entries of one element as the audit shows them.

    A correlation id is the client's own text. It may name a patient, so it is digested in plain elements, too.
    """
    if entries is None:
        return None
    if phi_class(element_id) is PhiClass.PHI:
        return digest(f"elements.{element_id}", entries)
    return [
        {**entry, "correlation_id": digest("correlation_id", entry["correlation_id"])}
        if "correlation_id" in entry
        else entry
        for entry in entries
    ]


def elements_column() -> Any:
    """A column of `{element id: [{value?, not_value?, pertinent_negative?, attributes?, correlation_id?}]}`."""
    return phi(
        JSONB(none_as_null=True),
        default_factory=dict,
        server_default=sa.text("'{}'::jsonb"),
        diff=element_diff,
        heavy=True,
    )


class ChartEntry(TenantEntity):
    """A row of a chart. `element_columns` maps a column to its NEMSIS element; `element_owner` says whose those are.

    `picks` are the columns that name records of the agency.
    """

    __abstract__ = True
    revisions: ClassVar[bool] = True
    element_columns: ClassVar[Mapping[str, str]] = {}
    element_owner: ClassVar[Owner]
    picks: ClassVar[tuple[Pick, ...]] = ()

    if TYPE_CHECKING:
        elements: Mapped[dict[str, Any]]

    def inconsistencies(self) -> list[Problem]:
        """Problems of columns that only make sense together."""
        return []

    def carried_elements(self) -> Mapping[str, str]:
        """The elements that columns of this row carry, as {column: element id}."""
        return self.element_columns

    def owner(self) -> Owner | None:
        """The owner of the row's elements; None for an instance of a repeating group, which owns its own."""
        return self.element_owner

    def repeating_group(self) -> str | None:
        return None


class ChartChild(ChartEntry):
    """An entry of one incident. Its events are published on the incident."""

    __abstract__ = True
    aggregate: ClassVar[str] = "incident_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id",)

    incident_id: Mapped[uuid.UUID] = internal()


class PatientEntry(ChartChild):
    """A chart entry about one patient of the incident."""

    __abstract__ = True
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    patient_id: Mapped[uuid.UUID] = plain()


def child_constraints(table: str, *, patient: bool = True) -> tuple[sa.schema.SchemaItem, ...]:
    """Composite foreign keys of an entry: to an incident of its own tenant, and to a patient of its own incident."""
    constraints: list[sa.schema.SchemaItem] = [
        *standard_constraints(table, "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name=f"fk_{table}_incident_id"
        ),
    ]
    if patient:
        constraints.append(
            sa.ForeignKeyConstraint(
                ["tenant_id", "incident_id", "patient_id"],
                ["patients.tenant_id", "patients.incident_id", "patients.id"],
                name=f"fk_{table}_patient_id",
            )
        )
    return tuple(constraints)
