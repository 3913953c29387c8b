"""The columns that every kind of paper has."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, phi, plain
from app.core.db.entity import TenantEntity, standard_constraints


class PatientPaper(TenantEntity):
    """A paper of one patient of a call. `attachment_id` is its scan in the chart; null if it is kept elsewhere."""

    __abstract__ = True
    aggregate: ClassVar[str] = "patient_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID] = internal()
    signer_name: Mapped[str | None] = phi(default=None)
    signed_on: Mapped[dt.date | None] = plain(default=None)
    attachment_id: Mapped[uuid.UUID | None] = plain(default=None)


def paper_constraints(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        *standard_constraints(table, "incident_id", "patient_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name=f"fk_{table}_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attachment_id"],
            ["attachments.tenant_id", "attachments.id"],
            name=f"fk_{table}_attachment_id",
        ),
    )
