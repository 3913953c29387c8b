"""coverages."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class Relationship(StrEnum):
    """The patient's relation to the subscriber: 18 is SBR02, the others are PAT01."""

    SELF = "18"
    SPOUSE = "01"
    CHILD = "19"
    EMPLOYEE = "20"
    UNKNOWN = "21"
    ORGAN_DONOR = "39"
    CADAVER_DONOR = "40"
    LIFE_PARTNER = "53"
    OTHER = "G8"


class CoverageOrigin(StrEnum):
    """Where a coverage comes from: the chart (ePayment), a biller, or an earlier call of the same account."""

    CHARTED = "charted"
    ENTERED = "entered"
    CARRIED_FORWARD = "carried_forward"


class Coverage(TenantEntity):
    """One payer of one patient of a call. `sequence` is P, S or T (SBR01).

    `payer_record_id` is null until the charted name is matched to a payer. The subscriber's columns are null
    if the patient is the subscriber (relationship 18). A charted coverage may lack the subscriber whom the crew did not
    name.
    """

    __tablename__ = "coverages"
    entity_type: ClassVar[str] = "coverage"
    aggregate: ClassVar[str] = "patient_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID] = internal()
    origin: Mapped[CoverageOrigin] = plain(EnumText(CoverageOrigin), default=CoverageOrigin.ENTERED)
    carried_from_id: Mapped[uuid.UUID | None] = internal(default=None)
    payer_record_id: Mapped[uuid.UUID | None] = plain(default=None)
    charted_payer_name: Mapped[str | None] = phi(default=None)
    sequence: Mapped[str] = plain()
    member_id: Mapped[str | None] = phi(default=None)
    group_number: Mapped[str | None] = phi(default=None)
    group_name: Mapped[str | None] = phi(default=None)
    insurance_type: Mapped[str | None] = plain(default=None)
    relationship: Mapped[Relationship] = plain(EnumText(Relationship), default=Relationship.SELF)
    subscriber_last_name: Mapped[str | None] = phi(default=None)
    subscriber_first_name: Mapped[str | None] = phi(default=None)
    subscriber_middle_name: Mapped[str | None] = phi(default=None)
    subscriber_name_suffix: Mapped[str | None] = phi(default=None)
    subscriber_date_of_birth: Mapped[dt.date | None] = phi(default=None)
    subscriber_sex: Mapped[str | None] = phi(default=None)
    subscriber_street: Mapped[str | None] = phi(default=None)
    subscriber_unit: Mapped[str | None] = phi(default=None)
    subscriber_city: Mapped[str | None] = phi(default=None)
    subscriber_state: Mapped[str | None] = phi(default=None)
    subscriber_zip: Mapped[str | None] = phi(default=None)
    subscriber_country: Mapped[str | None] = phi(default=None)
    effective_from: Mapped[dt.date | None] = plain(default=None)
    effective_to: Mapped[dt.date | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("coverages", "incident_id", "patient_id", "payer_record_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_coverages_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payer_record_id"], ["payers.tenant_id", "payers.id"], name="fk_coverages_payer_record_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "carried_from_id"], ["coverages.tenant_id", "coverages.id"], name="fk_coverages_carried_from"
        ),
        unique_among_live("uq_coverages_sequence", "patient_id", "sequence"),
        values_check("origin", CoverageOrigin),
        values_check("relationship", Relationship),
        sa.CheckConstraint("sequence IN ('P', 'S', 'T')", name="sequence"),
        sa.CheckConstraint("effective_to >= effective_from", name="effective"),
        sa.CheckConstraint(
            "relationship = '18' OR subscriber_last_name IS NOT NULL OR origin = 'charted'", name="subscriber"
        ),
        sa.Index(
            "ix_coverages_tenant_member_id",
            "tenant_id",
            "member_id",
            postgresql_where=sa.text("deleted_at IS NULL AND member_id IS NOT NULL"),
        ),
    )
