"""facilities."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, decimal_check, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class FacilityType(StrEnum):
    """dFacility.01."""

    ASSISTED_LIVING_FACILITY = "1701001"
    CLINIC = "1701003"
    HOSPITAL = "1701005"
    NURSING_HOME = "1701007"
    OTHER = "1701009"
    URGENT_CARE = "1701011"
    PHYSICAL_REHABILITATION_FACILITY = "1701013"
    MENTAL_HEALTH_FACILITY = "1701015"
    DIALYSIS_CENTER = "1701017"
    DIAGNOSTIC_SERVICES = "1701019"
    FREESTANDING_EMERGENCY_DEPARTMENT = "1701021"
    MORGUE = "1701023"
    POLICE_OR_JAIL = "1701025"
    OTHER_EMS_RESPONDER_AIR = "1701027"
    OTHER_EMS_RESPONDER_GROUND = "1701029"
    OTHER_RECURRING_CARE_CENTER = "1701031"
    DRUG_OR_ALCOHOL_REHABILITATION_FACILITY = "1701033"
    SKILLED_NURSING_FACILITY = "1701035"


class HospitalDesignation(StrEnum):
    """dFacility.04, and of a destination eDisposition.23."""

    BEHAVIORAL_HEALTH = "9908001"
    BURN_CENTER = "9908003"
    CRITICAL_ACCESS_HOSPITAL = "9908005"
    GENERAL_HOSPITAL = "9908007"
    NEONATAL_CENTER = "9908009"
    PEDIATRIC_CENTER = "9908011"
    REHAB_CENTER = "9908019"
    TRAUMA_CENTER_LEVEL_1 = "9908021"
    TRAUMA_CENTER_LEVEL_2 = "9908023"
    TRAUMA_CENTER_LEVEL_3 = "9908025"
    TRAUMA_CENTER_LEVEL_4 = "9908027"
    TRAUMA_CENTER_LEVEL_5 = "9908029"
    STEMI_PCI_CAPABLE = "9908031"
    STEMI_PCI_CAPABLE_24_7 = "9908033"
    STEMI_NOT_PCI_CAPABLE = "9908035"
    ACUTE_STROKE_READY_HOSPITAL = "9908037"
    PRIMARY_STROKE_CENTER = "9908039"
    THROMBECTOMY_CAPABLE_STROKE_CENTER = "9908041"
    COMPREHENSIVE_STROKE_CENTER = "9908043"
    CANCER_CENTER = "9908045"
    LABOR_AND_DELIVERY = "9908047"


class BillingLetter(StrEnum):
    """A place in the modifier of an ambulance claim: its first letter is the origin, its second the destination.

    Source: Medicare Claims Processing Manual, chapter 15, section 30. R and S (a residence, the scene) and X are of no
    facility.
    """

    DIAGNOSTIC_OR_THERAPEUTIC_SITE = "D"
    RESIDENTIAL_OR_CUSTODIAL_FACILITY = "E"
    HOSPITAL_BASED_DIALYSIS = "G"
    HOSPITAL = "H"
    SITE_OF_TRANSFER = "I"
    FREESTANDING_DIALYSIS = "J"
    SKILLED_NURSING_FACILITY = "N"
    PHYSICIANS_OFFICE = "P"


class Facility(TenantEntity):
    """A place that patients come from and go to. `designations` are the values of HospitalDesignation."""

    __tablename__ = "facilities"
    entity_type: ClassVar[str] = "facility"

    name: Mapped[str] = plain()
    facility_type: Mapped[FacilityType] = plain(EnumText(FacilityType))
    location_code: Mapped[str | None] = plain(default=None)
    billing_letter: Mapped[BillingLetter | None] = plain(EnumText(BillingLetter), default=None)
    npi: Mapped[str | None] = plain(default=None)
    designations: Mapped[list[Any] | None] = plain(JSONB(none_as_null=True), default=None)
    street: Mapped[str | None] = plain(default=None)
    unit: Mapped[str | None] = plain(default=None)
    city: Mapped[str | None] = plain(default=None)
    state: Mapped[str | None] = plain(default=None)
    zip: Mapped[str | None] = plain(default=None)
    county: Mapped[str | None] = plain(default=None)
    country: Mapped[str | None] = plain(default=None)
    latitude: Mapped[Decimal | None] = plain(sa.Numeric(), default=None)
    longitude: Mapped[Decimal | None] = plain(sa.Numeric(), default=None)

    __table_args__ = (
        *standard_constraints("facilities"),
        unique_among_live("uq_facilities_location_code", "location_code"),
        values_check("facility_type", FacilityType),
        values_check("billing_letter", BillingLetter),
        decimal_check("latitude", "-90", "90", 6),
        decimal_check("longitude", "-180", "180", 6),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="position"),
    )
