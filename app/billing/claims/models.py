"""claims and claim_lines (directive 8)."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.billing.claims.lifecycle import ClaimStatus, claim_lifecycle
from app.core.db.columns import EnumText, MoneyColumn, internal, phi, plain
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live

_JSON = JSONB(none_as_null=True)


class Claim(TenantEntity):
    """A claim to the primary payer; the patient is the subscriber (SBR02 18).

    `charge_amount` is the sum of the lines' charges. `lines_revision` counts changes of the lines, so that the claim's
    version changes with them. The person who approves a version has then seen its lines. PHI columns are hidden from
    roles without claim.clinical.
    """

    __tablename__ = "claims"
    entity_type: ClassVar[str] = "claim"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID] = internal()
    claim_number: Mapped[str] = plain()
    status: Mapped[ClaimStatus] = plain(EnumText(ClaimStatus), default=ClaimStatus.PENDING_REVIEW)
    payer_sequence: Mapped[str] = plain(default="P", server_default="P")
    payer_name: Mapped[str] = plain()
    payer_id: Mapped[str] = plain()
    claim_filing_code: Mapped[str] = plain()
    member_id: Mapped[str] = phi()
    group_number: Mapped[str | None] = phi(default=None)
    prior_authorization: Mapped[str | None] = phi(default=None)
    icd10_primary: Mapped[str] = phi()
    diagnoses: Mapped[list[Any]] = phi(_JSON)
    charge_amount: Mapped[Decimal] = plain(MoneyColumn)
    patient_responsibility_amount: Mapped[Decimal | None] = plain(MoneyColumn, default=None)
    denial_reason: Mapped[str | None] = plain(default=None)
    submitted_at: Mapped[dt.datetime | None] = plain(default=None)
    paid_at: Mapped[dt.datetime | None] = plain(default=None)
    place_of_service: Mapped[str] = plain()
    patient_count: Mapped[int] = plain(default=1, server_default=sa.text("1"))
    loaded_miles: Mapped[Decimal] = plain(sa.Numeric(6, 1))
    weight_lb: Mapped[Decimal | None] = phi(sa.Numeric(6, 2), default=None)
    transport_reason: Mapped[str] = phi()
    round_trip_purpose: Mapped[str | None] = phi(default=None)
    stretcher_purpose: Mapped[str | None] = phi(default=None)
    certifications: Mapped[dict[str, Any]] = phi(_JSON)
    accident: Mapped[dict[str, Any] | None] = phi(_JSON, default=None)
    signature_on_file: Mapped[bool | None] = plain(default=None)
    accepts_assignment: Mapped[bool] = plain(default=True, server_default=sa.true())
    lines_revision: Mapped[int] = plain(default=0, server_default=sa.text("0"))

    __table_args__ = (
        *standard_constraints("claims", "status", "incident_id", "patient_id", "payer_id"),
        sa.UniqueConstraint("tenant_id", "claim_number", name="uq_claims_number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_claims_incident_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_claims_patient_id",
        ),
        unique_among_live("uq_claims_series", "incident_id", "patient_id", "payer_sequence"),
        sa.CheckConstraint("payer_sequence = 'P'", name="payer_sequence"),
        sa.CheckConstraint("icd10_primary = diagnoses ->> 0", name="primary_diagnosis"),
        sa.CheckConstraint("charge_amount >= 0", name="charge_amount"),
        sa.CheckConstraint(
            "patient_responsibility_amount BETWEEN 0 AND charge_amount", name="patient_responsibility_amount"
        ),
        sa.CheckConstraint("status <> 'submitted' OR submitted_at IS NOT NULL", name="submitted"),
        sa.CheckConstraint("status <> 'paid' OR paid_at IS NOT NULL", name="paid"),
        sa.CheckConstraint("status NOT IN ('denied', 'appeal_needed') OR denial_reason IS NOT NULL", name="denied"),
        claim_lifecycle.check(),
    )


class ClaimLine(TenantEntity):
    """One service line. `line_number` is never used twice in a claim. The 835 returns it with the claim's number.

    `charge` is for all units together (SV102).
    """

    __tablename__ = "claim_lines"
    entity_type: ClassVar[str] = "claim_line"
    aggregate: ClassVar[str] = "claim_id"

    claim_id: Mapped[uuid.UUID] = internal()
    line_number: Mapped[int] = plain()
    hcpcs: Mapped[str] = plain()
    modifiers: Mapped[list[Any]] = phi(_JSON)
    units: Mapped[Decimal] = plain(sa.Numeric(6, 1))
    charge: Mapped[Decimal] = plain(MoneyColumn)
    diagnosis_pointers: Mapped[list[Any]] = plain(_JSON)

    __table_args__ = (
        *standard_constraints("claim_lines", "claim_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_lines_claim_id"
        ),
        sa.UniqueConstraint("tenant_id", "claim_id", "line_number", name="uq_claim_lines_number"),
        sa.CheckConstraint("charge >= 0", name="charge"),
    )
