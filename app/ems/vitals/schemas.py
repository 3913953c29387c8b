"""Vital signs as clients create, change and read them; bounds are those of the NEMSIS types."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field

from app.core.schemas import AsCharted, DecimalText, ReadModel, RequestModel, whole
from app.ems.chart.schemas import ChartPatch, ChartRead, ChartTime, ChildCreate, CorrelationId
from app.ems.vitals.models import Etco2Unit
from app.ems.vitals.plausibility import WarningCode, warnings_of


def _tenths(highest: int) -> Any:
    return Annotated[Decimal, DecimalText, Field(ge=0, le=highest, allow_inf_nan=False), AsCharted(1)]


_TOTAL_GCS = "eVitals.23"
Etco2: Any = _tenths(760)
Celsius: Any = _tenths(50)


class _VitalFields(RequestModel):
    systolic_bp: Annotated[int, whole(0, 500)] | None = Field(None, description="eVitals.06, mmHg")
    diastolic_bp: Annotated[int, whole(0, 500)] | None = Field(
        None, description="eVitals.07, mmHg; by palpation: `elements` with the value P"
    )
    heart_rate: Annotated[int, whole(0, 500)] | None = Field(None, description="eVitals.10, per minute")
    respiratory_rate: Annotated[int, whole(0, 300)] | None = Field(None, description="eVitals.14, per minute")
    spo2: Annotated[int, whole(0, 100)] | None = Field(None, description="eVitals.12, percent")
    etco2: Etco2 | None = Field(None, description="eVitals.16, in etco2_unit; a warning says that its unit is missing")
    etco2_unit: Etco2Unit | None = Field(None, description="ETCO2Type of eVitals.16")
    temperature_c: Celsius | None = Field(None, description="eVitals.24, °C")
    gcs_eye: Annotated[int, whole(1, 4)] | None = Field(None, description="eVitals.19")
    gcs_verbal: Annotated[int, whole(1, 5)] | None = Field(None, description="eVitals.20")
    gcs_motor: Annotated[int, whole(1, 6)] | None = Field(None, description="eVitals.21")
    gcs_total: Annotated[int, whole(3, 15)] | None = Field(
        None, description="eVitals.23; the sum of the parts where it is not given"
    )
    pain_score: Annotated[int, whole(0, 10)] | None = Field(None, description="eVitals.27")
    correlation_id: CorrelationId = None


class VitalCreate(_VitalFields, ChildCreate):
    patient_id: uuid.UUID
    taken_at: ChartTime | None = Field(None, description="eVitals.01; null with a NOT value in elements")


class VitalPatch(_VitalFields, ChartPatch):
    taken_at: ChartTime | None = Field(None, description="eVitals.01")


class VitalWarning(ReadModel):
    """Something unusual, which is kept as charted. `field` is named as in the request; `message` is for the crew."""

    field: str
    code: WarningCode
    message: str


class VitalRead(ChartRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    taken_at: dt.datetime | None
    systolic_bp: int | None
    diastolic_bp: int | None
    heart_rate: int | None
    respiratory_rate: int | None
    spo2: int | None
    etco2: Decimal | None
    etco2_unit: Etco2Unit | None
    temperature_c: Decimal | None
    gcs_eye: int | None
    gcs_verbal: int | None
    gcs_motor: int | None
    gcs_total: int | None
    pain_score: int | None
    correlation_id: str | None
    warnings: list[VitalWarning] = Field(
        description="What is unusual about these values, for a second look; derived on read, nothing to acknowledge."
        " Limits by age and by the call's times need the patient and the incident"
    )

    @classmethod
    def of(cls, entity: Any, **derived: Any) -> Self:
        """The answer for an entity. It derives warnings, unless they are given, and a missing total GCS."""
        derived.setdefault("warnings", warnings_of(entity))
        parts = [entity.gcs_eye, entity.gcs_verbal, entity.gcs_motor]
        if entity.gcs_total is None and None not in parts and _TOTAL_GCS not in entity.elements:
            derived["gcs_total"] = sum(parts)
        return super().of(entity, **derived)
