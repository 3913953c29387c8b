"""claim_exemptions."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class ExemptionReason(StrEnum):
    """Why no claim is made. A chart tells the first three; a biller may say any of them."""

    CANCELLED = "cancelled"
    NO_PATIENT = "no_patient"
    OTHER_UNIT = "other_unit"
    NO_TRANSPORT = "no_transport"
    CONTRACT = "contract"
    CHARITY = "charity"
    OTHER_AGENCY_BILLS = "other_agency_bills"


class ExemptionOrigin(StrEnum):
    """Who found the reason: the service, from the chart, or a biller."""

    DERIVED = "derived"
    ENTERED = "entered"


class ClaimExemption(TenantEntity):
    """The reason why there is no claim for one patient of a call; without a patient, for the whole call."""

    __tablename__ = "claim_exemptions"
    entity_type: ClassVar[str] = "claim_exemption"
    aggregate: ClassVar[str] = "incident_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID | None] = internal(default=None)
    reason: Mapped[ExemptionReason] = plain(EnumText(ExemptionReason))
    note: Mapped[str | None] = phi(default=None)
    origin: Mapped[ExemptionOrigin] = plain(EnumText(ExemptionOrigin))

    __table_args__ = (
        *standard_constraints("claim_exemptions", "incident_id", "reason"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name="fk_claim_exemptions_incident_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_claim_exemptions_patient_id",
        ),
        unique_among_live("uq_claim_exemptions_patient", "incident_id", "patient_id"),
        unique_among_live("uq_claim_exemptions_call", "incident_id", also=sa.text("patient_id IS NULL")),
        values_check("reason", ExemptionReason),
        values_check("origin", ExemptionOrigin),
    )
