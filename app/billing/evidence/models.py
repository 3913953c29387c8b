"""claim_derivations and claim_overrides."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, phi, plain
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live

_JSON = JSONB(none_as_null=True)


class ClaimDerivation(TenantEntity):
    """The latest derivation of one claim.

    `values_json` is a list of {name, value, derivable, reasons, rule, citations}. `applied` maps the names of values to
    what was written on the claim. A claim that says something else by now was changed by a person. `lines` are the
    service lines as they were written. `entries` are [entity, id, version] of each entry of the chart that was judged.
    """

    __tablename__ = "claim_derivations"
    entity_type: ClassVar[str] = "claim_derivation"
    aggregate: ClassVar[str] = "claim_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID] = internal()
    claim_id: Mapped[uuid.UUID] = internal()
    derived_at: Mapped[dt.datetime] = plain()
    values_json: Mapped[list[Any]] = phi(_JSON, heavy=True)
    applied: Mapped[dict[str, Any]] = phi(_JSON, heavy=True)
    lines: Mapped[list[Any]] = phi(_JSON)
    entries: Mapped[list[Any]] = plain(_JSON, heavy=True)

    __table_args__ = (
        *standard_constraints("claim_derivations", "claim_id", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_derivations_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_claim_derivations_patient_id",
        ),
        unique_among_live("uq_claim_derivations_claim", "claim_id"),
    )


class ClaimOverride(TenantEntity):
    """A value that a biller put in the place of a derived one, and why. Soft deletion takes it back."""

    __tablename__ = "claim_overrides"
    entity_type: ClassVar[str] = "claim_override"
    aggregate: ClassVar[str] = "claim_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id",)

    incident_id: Mapped[uuid.UUID] = internal()
    claim_id: Mapped[uuid.UUID] = internal()
    name: Mapped[str] = plain()
    value: Mapped[Any] = phi(_JSON, heavy=True)
    reason: Mapped[str] = phi()
    by_user_id: Mapped[uuid.UUID | None] = plain()

    __table_args__ = (
        *standard_constraints("claim_overrides", "claim_id", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_overrides_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "by_user_id"], ["users.tenant_id", "users.id"], name="fk_claim_overrides_by_user_id"
        ),
        unique_among_live("uq_claim_overrides_name", "claim_id", "name"),
    )
