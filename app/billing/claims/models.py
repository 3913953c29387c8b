"""claims and claim_lines (directive 8)."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.billing.claims.lifecycle import ClaimStatus, claim_lifecycle
from app.billing.claims.standing import BY_SERVICE_DATE, SERVED_OR_LAST, UNSENT
from app.core.db.columns import EnumText, MoneyColumn, internal, phi, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live

_COUNTED = ["snoozed_until", "assigned_to_user_id"]
_JSON = JSONB(none_as_null=True)


class LevelOfService(StrEnum):
    """The levels of 42 CFR 414.605, and treatment without transport (A0998)."""

    BLS = "bls"
    BLS_EMERGENCY = "bls_emergency"
    ALS1 = "als1"
    ALS1_EMERGENCY = "als1_emergency"
    ALS2 = "als2"
    SPECIALTY_CARE = "specialty_care"
    PARAMEDIC_INTERCEPT = "paramedic_intercept"
    FIXED_WING = "fixed_wing"
    ROTARY_WING = "rotary_wing"
    TREAT_NO_TRANSPORT = "treat_no_transport"


class PayerSequence(StrEnum):
    """SBR01: who pays first, second and third."""

    PRIMARY = "P"
    SECONDARY = "S"
    TERTIARY = "T"


class Claim(TenantEntity):
    """A claim to one payer for one patient of a call. A column is null if neither chart nor biller has said its value.

    `payer_name`, `payer_id`, `claim_filing_code`, `member_id`, `group_number` and `subscriber` are copies of the
    coverage, so that a claim says what was sent. `subscriber` is null if the patient is the subscriber (SBR02 18).
    `service_date` is the agency-local day of the service, as the chart said when it was locked last.
    `charge_amount` is the sum of the lines' charges. `lines_revision` counts changes of the lines, so that the claim's
    version changes with them. The person who approves a version has then seen its lines. `stale_since` is the time from
    which a charted fact under the claim differs from the chart. `rejected_at` is the time of the last rejection until
    somebody approves the claim again. `blocking_edits` and `warning_edits` count what the claim edits found last: the
    database copies them from claim_scrubs, and they change no version. PHI columns are hidden from roles without
    claim.clinical.
    """

    __tablename__ = "claims"
    entity_type: ClassVar[str] = "claim"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID] = internal()
    claim_number: Mapped[str] = plain()
    status: Mapped[ClaimStatus] = plain(EnumText(ClaimStatus), default=ClaimStatus.PENDING_REVIEW)
    payer_sequence: Mapped[PayerSequence] = plain(
        EnumText(PayerSequence), default=PayerSequence.PRIMARY, server_default="P"
    )
    payer_record_id: Mapped[uuid.UUID | None] = plain(default=None)
    coverage_id: Mapped[uuid.UUID | None] = plain(default=None)
    account_id: Mapped[uuid.UUID | None] = plain(default=None)
    payer_name: Mapped[str | None] = plain(default=None)
    payer_id: Mapped[str | None] = plain(default=None)
    claim_filing_code: Mapped[str | None] = plain(default=None)
    insurance_type: Mapped[str | None] = plain(default=None)
    member_id: Mapped[str | None] = phi(default=None)
    group_number: Mapped[str | None] = phi(default=None)
    subscriber: Mapped[dict[str, Any] | None] = phi(_JSON, default=None)
    prior_authorization: Mapped[str | None] = phi(default=None)
    level_of_service: Mapped[LevelOfService | None] = plain(EnumText(LevelOfService), default=None)
    icd10_primary: Mapped[str | None] = phi(default=None)
    diagnoses: Mapped[list[Any]] = phi(_JSON)
    charge_amount: Mapped[Decimal] = plain(MoneyColumn)
    patient_responsibility_amount: Mapped[Decimal | None] = plain(MoneyColumn, default=None)
    denial_reason: Mapped[str | None] = plain(default=None)
    submitted_at: Mapped[dt.datetime | None] = plain(default=None)
    rejected_at: Mapped[dt.datetime | None] = plain(default=None)
    paid_at: Mapped[dt.datetime | None] = plain(default=None)
    frequency: Mapped[str] = plain(default="1", server_default="1")
    payer_claim_control_number: Mapped[str | None] = plain(default=None)
    delay_reason: Mapped[str | None] = plain(default=None)
    place_of_service: Mapped[str | None] = plain(default=None)
    patient_count: Mapped[int] = plain(default=1, server_default=sa.text("1"))
    loaded_miles: Mapped[Decimal | None] = plain(sa.Numeric(6, 1), default=None)
    weight_lb: Mapped[Decimal | None] = phi(sa.Numeric(6, 2), default=None)
    transport_reason: Mapped[str | None] = phi(default=None)
    round_trip_purpose: Mapped[str | None] = phi(default=None)
    stretcher_purpose: Mapped[str | None] = phi(default=None)
    note: Mapped[str | None] = phi(default=None)
    certifications: Mapped[dict[str, Any]] = phi(_JSON)
    accident: Mapped[dict[str, Any] | None] = phi(_JSON, default=None)
    signature_on_file: Mapped[bool | None] = plain(default=None)
    accepts_assignment: Mapped[bool] = plain(default=True, server_default=sa.true())
    lines_revision: Mapped[int] = plain(default=0, server_default=sa.text("0"))
    service_date: Mapped[dt.date | None] = plain(default=None)
    stale_since: Mapped[dt.datetime | None] = plain(default=None)
    assigned_to_user_id: Mapped[uuid.UUID | None] = plain(default=None)
    snoozed_until: Mapped[dt.datetime | None] = plain(default=None)
    blocking_edits: Mapped[int | None] = internal(default=None)
    warning_edits: Mapped[int | None] = internal(default=None)

    __table_args__ = (
        *standard_constraints(
            "claims",
            "status",
            "incident_id",
            "patient_id",
            "payer_id",
            "payer_record_id",
            "account_id",
            "blocking_edits",
        ),
        sa.UniqueConstraint("tenant_id", "claim_number", name="uq_claims_number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_claims_incident_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_claims_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payer_record_id"], ["payers.tenant_id", "payers.id"], name="fk_claims_payer_record_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "coverage_id"], ["coverages.tenant_id", "coverages.id"], name="fk_claims_coverage_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["billing_accounts.tenant_id", "billing_accounts.id"],
            name="fk_claims_account_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assigned_to_user_id"], ["users.tenant_id", "users.id"], name="fk_claims_assigned_to_user_id"
        ),
        sa.Index("ix_claims_tenant_member_id", "tenant_id", "member_id", "service_date"),
        *(
            sa.Index(
                f"ix_claims_{name}",
                "tenant_id",
                sa.text(SERVED_OR_LAST),
                "id",
                postgresql_where=condition,
                postgresql_include=_COUNTED,
            )
            for name, condition in BY_SERVICE_DATE.items()
        ),
        sa.Index(
            "ix_claims_unsent",
            "tenant_id",
            "payer_record_id",
            "service_date",
            "id",
            postgresql_where=UNSENT,
            postgresql_include=_COUNTED,
        ),
        unique_among_live("uq_claims_series", "incident_id", "patient_id", "payer_sequence"),
        values_check("payer_sequence", PayerSequence),
        sa.CheckConstraint("icd10_primary IS NOT DISTINCT FROM diagnoses ->> 0", name="primary_diagnosis"),
        sa.CheckConstraint("frequency IN ('1', '7', '8')", name="frequency"),
        values_check("level_of_service", LevelOfService),
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

    `charge` is for all units together (SV102). `description` is of a code without words of its own (SV101-7).
    `fee_item_id` is the price of a fee schedule that it was made of; null for a charge that somebody typed.
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
    description: Mapped[str | None] = phi(default=None)
    fee_item_id: Mapped[uuid.UUID | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("claim_lines", "claim_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_lines_claim_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fee_item_id"],
            ["fee_schedule_items.tenant_id", "fee_schedule_items.id"],
            name="fk_claim_lines_fee_item_id",
        ),
        sa.UniqueConstraint("tenant_id", "claim_id", "line_number", name="uq_claim_lines_number"),
        sa.CheckConstraint("charge >= 0", name="charge"),
    )
