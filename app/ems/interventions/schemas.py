"""Interventions as clients create, change and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import AsCharted, DecimalText, RequestModel, Text
from app.ems.chart.schemas import ChartPatch, ChartRead, ChartTime, ChildCreate, Coded, CorrelationId
from app.ems.elements import RXNORM_CODE, TARGET_BUILD, load_dictionary
from app.ems.interventions.models import InterventionType, Outcome


def _nine_digits(value: Decimal) -> Decimal:
    """Refuse a dose that MedicationDosage cannot hold: nine digits, up to three after the point (1200000, 0.125)."""
    if load_dictionary(TARGET_BUILD).elements["eMedications.05"].type.violation(f"{value:f}") is not None:
        raise PydanticCustomError("dose_digits", "A dose has at most nine digits")
    return value


Dose = Annotated[
    Decimal,
    DecimalText,
    Field(ge=0, max_digits=12, allow_inf_nan=False),
    AsCharted(3),
    AfterValidator(_nine_digits),
]
Rxcui = Annotated[Text, Field(pattern=f"^{RXNORM_CODE.pattern}$", examples=["1191"]), Coded("eMedications.03")]


class _InterventionFields(RequestModel):
    procedure_code: Annotated[Text, Coded("eProcedures.03")] | None = Field(
        None, description="eProcedures.03, SNOMED CT"
    )
    rxcui: Rxcui | None = Field(None, description="eMedications.03, RxNorm; a SNOMED code goes into elements")
    dose: Dose | None = Field(None, description="eMedications.05")
    dose_unit: Annotated[Text, Coded("eMedications.06")] | None = None
    route: Annotated[Text, Coded("eMedications.04")] | None = None
    performed_at: ChartTime | None = Field(None, description="eProcedures.01 or eMedications.01")
    outcome: Outcome | None = Field(None, description="eProcedures.08 or eMedications.07")
    correlation_id: CorrelationId = None


class InterventionCreate(_InterventionFields, ChildCreate):
    patient_id: uuid.UUID
    type: InterventionType


class InterventionPatch(_InterventionFields, ChartPatch):
    pass


class InterventionRead(ChartRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    type: InterventionType
    procedure_code: str | None
    rxcui: str | None
    dose: Decimal | None
    dose_unit: str | None
    route: str | None
    performed_at: dt.datetime | None
    outcome: Outcome | None
    correlation_id: str | None
