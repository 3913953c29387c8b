"""The table vitals (directive 5.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, decimal_check, phi, plain, values_check
from app.ems.chart.columns import PatientEntry, child_constraints, elements_column
from app.ems.elements import Owner


class Etco2Unit(StrEnum):
    """The values of the ETCO2Type attribute of eVitals.16."""

    MMHG = "mmHg"
    PERCENT = "percent"
    KPA = "kPa"


class Vital(PatientEntry):
    """One set of vital signs: pressures in mmHg, rates per minute, SpO2 in percent, temperature in °C."""

    __tablename__ = "vitals"
    entity_type: ClassVar[str] = "vital"
    element_owner: ClassVar[Owner] = Owner.VITAL
    element_columns: ClassVar[Mapping[str, str]] = {
        "taken_at": "eVitals.01",
        "systolic_bp": "eVitals.06",
        "diastolic_bp": "eVitals.07",
        "heart_rate": "eVitals.10",
        "spo2": "eVitals.12",
        "respiratory_rate": "eVitals.14",
        "etco2": "eVitals.16",
        "gcs_eye": "eVitals.19",
        "gcs_verbal": "eVitals.20",
        "gcs_motor": "eVitals.21",
        "gcs_total": "eVitals.23",
        "temperature_c": "eVitals.24",
        "pain_score": "eVitals.27",
    }

    taken_at: Mapped[dt.datetime | None] = plain(default=None)
    systolic_bp: Mapped[int | None] = phi(default=None)
    diastolic_bp: Mapped[int | None] = phi(default=None)
    heart_rate: Mapped[int | None] = phi(default=None)
    respiratory_rate: Mapped[int | None] = phi(default=None)
    spo2: Mapped[int | None] = phi(default=None)
    etco2: Mapped[Decimal | None] = phi(sa.Numeric(), default=None)
    etco2_unit: Mapped[Etco2Unit | None] = plain(EnumText(Etco2Unit), default=None)
    temperature_c: Mapped[Decimal | None] = phi(sa.Numeric(), default=None)
    gcs_eye: Mapped[int | None] = phi(default=None)
    gcs_verbal: Mapped[int | None] = phi(default=None)
    gcs_motor: Mapped[int | None] = phi(default=None)
    gcs_total: Mapped[int | None] = phi(default=None)
    pain_score: Mapped[int | None] = phi(default=None)
    correlation_id: Mapped[str | None] = phi(default=None)
    elements: Mapped[dict[str, Any]] = elements_column()

    __table_args__ = (
        *child_constraints("vitals"),
        values_check("etco2_unit", Etco2Unit),
        decimal_check("etco2", "0", "760", 1),
        decimal_check("temperature_c", "0", "50", 1),
    )
