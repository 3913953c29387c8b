"""personnel."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live
from app.core.personnel.lifecycle import EmploymentStatus, employment_lifecycle


class LicensureLevel(StrEnum):
    """dPersonnel.24, and of a crew member on a call eCrew.02."""

    ADVANCED_EMT = "9925001"
    EMT_INTERMEDIATE = "9925002"
    EMERGENCY_MEDICAL_RESPONDER = "9925003"
    EMT = "9925005"
    PARAMEDIC = "9925007"
    OTHER_HEALTHCARE_PROFESSIONAL = "9925023"
    OTHER_NON_HEALTHCARE_PROFESSIONAL = "9925025"
    PHYSICIAN = "9925027"
    RESPIRATORY_THERAPIST = "9925029"
    STUDENT = "9925031"
    CRITICAL_CARE_PARAMEDIC = "9925033"
    COMMUNITY_PARAMEDICINE = "9925035"
    NURSE_PRACTITIONER = "9925037"
    PHYSICIAN_ASSISTANT = "9925039"
    LICENSED_PRACTICAL_NURSE = "9925041"
    REGISTERED_NURSE = "9925043"


class Person(TenantEntity):
    """Drivers and students may have no licence. `user_id`: the user as whom this person signs in, if any."""

    __tablename__ = "personnel"
    entity_type: ClassVar[str] = "person"

    last_name: Mapped[str] = plain()
    first_name: Mapped[str] = plain()
    middle_name: Mapped[str | None] = plain(default=None)
    licensure_level: Mapped[LicensureLevel] = plain(EnumText(LicensureLevel))
    licensure_id: Mapped[str | None] = plain(default=None)
    licensure_state: Mapped[str | None] = plain(default=None)
    licensure_expires_on: Mapped[dt.date | None] = plain(default=None)
    user_id: Mapped[uuid.UUID | None] = plain(default=None)
    status: Mapped[EmploymentStatus] = plain(EnumText(EmploymentStatus), default=EmploymentStatus.ACTIVE)

    __table_args__ = (
        *standard_constraints("personnel", "status"),
        sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="fk_personnel_user_id"),
        unique_among_live("uq_personnel_licensure", "licensure_state", "licensure_id"),
        unique_among_live("uq_personnel_user_id", "user_id"),
        sa.CheckConstraint("(licensure_id IS NULL) = (licensure_state IS NULL)", name="licensure"),
        sa.CheckConstraint("licensure_expires_on IS NULL OR licensure_id IS NOT NULL", name="licensure_expires_on"),
        values_check("licensure_level", LicensureLevel),
        employment_lifecycle.check(),
    )
