"""certificates."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.billing.paperwork.columns import PatientPaper, paper_constraints
from app.core.db.columns import EnumText, phi, plain, values_check


class CertifierRole(StrEnum):
    """Who may certify (42 CFR 410.40). All but the physician only if the physician's signature was not to be had."""

    PHYSICIAN = "physician"
    PHYSICIAN_ASSISTANT = "physician_assistant"
    NURSE_PRACTITIONER = "nurse_practitioner"
    CLINICAL_NURSE_SPECIALIST = "clinical_nurse_specialist"
    REGISTERED_NURSE = "registered_nurse"
    LICENSED_PRACTICAL_NURSE = "licensed_practical_nurse"
    SOCIAL_WORKER = "social_worker"
    CASE_MANAGER = "case_manager"
    DISCHARGE_PLANNER = "discharge_planner"


class Certificate(PatientPaper):
    """A certification of one transport, or of all repetitive ones from `valid_from` to `valid_to`.

    Without a signature, `attempted_on` and `attempt` say how the agency tried to get one (the proof of mailing).
    """

    __tablename__ = "certificates"
    entity_type: ClassVar[str] = "certificate"

    signer_role: Mapped[CertifierRole | None] = plain(EnumText(CertifierRole), default=None)
    is_repetitive: Mapped[bool] = plain(default=False, server_default=sa.false())
    valid_from: Mapped[dt.date | None] = plain(default=None)
    valid_to: Mapped[dt.date | None] = plain(default=None)
    attempted_on: Mapped[dt.date | None] = plain(default=None)
    attempt: Mapped[str | None] = phi(default=None)

    __table_args__ = (
        *paper_constraints("certificates"),
        values_check("signer_role", CertifierRole),
        sa.CheckConstraint("signed_on IS NOT NULL OR attempted_on IS NOT NULL", name="basis"),
        sa.CheckConstraint(
            "is_repetitive = (valid_from IS NOT NULL) AND is_repetitive = (valid_to IS NOT NULL)", name="validity"
        ),
    )
