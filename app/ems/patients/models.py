"""The table patients (directive 5.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.addresses import address_problems
from app.core.db.columns import EnumText, internal, phi, plain, values_check
from app.core.errors import Problem
from app.core.facilities.public import Facility, FacilitySnapshot
from app.core.ids import new_random_uuid
from app.core.text import name_key
from app.ems.chart.columns import ChartChild, child_constraints, elements_column, snapshot_column
from app.ems.chart.picks import Pick
from app.ems.elements import Owner


class Gender(StrEnum):
    """The values of ePatient.25 Sex and X12 DMG03."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class AgeUnit(StrEnum):
    """The units of ePatient.16 Age Units."""

    YEARS = "years"
    MONTHS = "months"
    DAYS = "days"
    HOURS = "hours"
    MINUTES = "minutes"


_KEY = sa.Text(collation="C")


def _key_of(name: str | None) -> str | None:
    return None if name is None else name_key(name) or None


class Patient(ChartChild):
    """A patient. `pcr_uuid` is the UUID of the PatientCareReport: of version 4, as NEMSIS demands, and never reused.

    The two times are given where they differ from the incident's, which else stand for this patient, too. The keys of
    the names are what a search compares.
    """

    __tablename__ = "patients"
    entity_type: ClassVar[str] = "patient"
    element_owner: ClassVar[Owner] = Owner.PATIENT
    element_columns: ClassVar[Mapping[str, str]] = {
        "ems_patient_id": "ePatient.01",
        "last_name": "ePatient.02",
        "first_name": "ePatient.03",
        "middle_name": "ePatient.04",
        "name_suffix": "ePatient.23",
        "home_street": "ePatient.05",
        "home_county": "ePatient.07",
        "home_state": "ePatient.08",
        "home_zip": "ePatient.09",
        "home_country": "ePatient.10",
        "age": "ePatient.15",
        "age_unit": "ePatient.16",
        "date_of_birth": "ePatient.17",
        "gender": "ePatient.25",
        "destination_name": "eDisposition.01",
        "destination_street": "eDisposition.03",
        "destination_state": "eDisposition.05",
        "destination_county": "eDisposition.06",
        "destination_zip": "eDisposition.07",
        "destination_country": "eDisposition.08",
        "depart_scene_time": "eTimes.09",
        "arrived_destination_time": "eTimes.11",
    }
    picks: ClassVar[tuple[Pick, ...]] = (
        Pick("destination_facility_id", "destination_facility", "facility", Facility, FacilitySnapshot),
    )

    pcr_uuid: Mapped[uuid.UUID] = internal(default_factory=new_random_uuid, init=False)
    ems_patient_id: Mapped[str | None] = phi(default=None)
    last_name: Mapped[str | None] = phi(default=None)
    first_name: Mapped[str | None] = phi(default=None)
    middle_name: Mapped[str | None] = phi(default=None)
    name_suffix: Mapped[str | None] = phi(default=None)
    last_name_key: Mapped[str | None] = phi(_KEY, derived=("last_name", _key_of), init=False)
    first_name_key: Mapped[str | None] = phi(_KEY, derived=("first_name", _key_of), init=False)
    date_of_birth: Mapped[dt.date | None] = phi(default=None)
    age: Mapped[int | None] = phi(default=None)
    age_unit: Mapped[AgeUnit | None] = plain(EnumText(AgeUnit), default=None)
    gender: Mapped[Gender | None] = phi(EnumText(Gender), default=None)
    home_street: Mapped[str | None] = phi(default=None)
    home_city: Mapped[str | None] = phi(default=None)
    home_state: Mapped[str | None] = phi(default=None)
    home_zip: Mapped[str | None] = phi(default=None)
    home_county: Mapped[str | None] = phi(default=None)
    home_country: Mapped[str | None] = phi(default=None)
    destination_facility_id: Mapped[uuid.UUID | None] = phi(default=None)
    destination_facility: Mapped[dict[str, Any] | None] = snapshot_column(phi)
    destination_name: Mapped[str | None] = phi(default=None)
    destination_street: Mapped[str | None] = phi(default=None)
    destination_city: Mapped[str | None] = phi(default=None)
    destination_state: Mapped[str | None] = plain(default=None)
    destination_zip: Mapped[str | None] = phi(default=None)
    destination_county: Mapped[str | None] = phi(default=None)
    destination_country: Mapped[str | None] = plain(default=None)
    depart_scene_time: Mapped[dt.datetime | None] = plain(default=None)
    arrived_destination_time: Mapped[dt.datetime | None] = plain(default=None)
    elements: Mapped[dict[str, Any]] = elements_column()

    def inconsistencies(self) -> list[Problem]:
        """Parts of the two addresses that do not go together."""
        return [*address_problems(self, "home_"), *address_problems(self, "destination_")]

    __table_args__ = (
        *child_constraints("patients", patient=False),
        sa.UniqueConstraint("tenant_id", "incident_id", "id", name="uq_patients_incident"),
        sa.UniqueConstraint("tenant_id", "pcr_uuid", name="uq_patients_pcr_uuid"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "destination_facility_id"],
            ["facilities.tenant_id", "facilities.id"],
            name="fk_patients_destination_facility_id",
        ),
        sa.Index(
            "ix_patients_tenant_name",
            "tenant_id",
            "last_name_key",
            "first_name_key",
            "date_of_birth",
            "incident_id",
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
        values_check("age_unit", AgeUnit),
        values_check("gender", Gender),
    )
