"""The table interventions (directive 5.1)."""

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


class InterventionType(StrEnum):
    PROCEDURE = "procedure"
    MEDICATION = "medication"


class Outcome(StrEnum):
    """The patient's response: eMedications.07, eProcedures.08."""

    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    WORSE = "worse"


MEDICATION_COLUMNS: Mapping[str, str] = {
    "performed_at": "eMedications.01",
    "rxcui": "eMedications.03",
    "route": "eMedications.04",
    "dose": "eMedications.05",
    "dose_unit": "eMedications.06",
    "outcome": "eMedications.07",
}
PROCEDURE_COLUMNS: Mapping[str, str] = {
    "performed_at": "eProcedures.01",
    "procedure_code": "eProcedures.03",
    "outcome": "eProcedures.08",
}


class Intervention(PatientEntry):
    """A procedure (SNOMED CT `procedure_code`) or a medication (RxNorm `rxcui`, dose, route)."""

    __tablename__ = "interventions"
    entity_type: ClassVar[str] = "intervention"

    type: Mapped[InterventionType] = plain(EnumText(InterventionType))
    procedure_code: Mapped[str | None] = phi(default=None)
    rxcui: Mapped[str | None] = phi(default=None)
    dose: Mapped[Decimal | None] = phi(sa.Numeric(), default=None)
    dose_unit: Mapped[str | None] = phi(default=None)
    route: Mapped[str | None] = phi(default=None)
    performed_at: Mapped[dt.datetime | None] = plain(default=None)
    outcome: Mapped[Outcome | None] = phi(EnumText(Outcome), default=None)
    correlation_id: Mapped[str | None] = phi(default=None)
    elements: Mapped[dict[str, Any]] = elements_column()

    def carried_elements(self) -> Mapping[str, str]:
        return MEDICATION_COLUMNS if self.type is InterventionType.MEDICATION else PROCEDURE_COLUMNS

    def owner(self) -> Owner | None:
        medication = self.type is InterventionType.MEDICATION
        return Owner.INTERVENTION_MEDICATION if medication else Owner.INTERVENTION_PROCEDURE

    __table_args__ = (
        *child_constraints("interventions"),
        values_check("type", InterventionType),
        values_check("outcome", Outcome),
        decimal_check("dose", "0", "999999999", 3),
        sa.CheckConstraint(
            "(type = 'procedure' AND rxcui IS NULL AND dose IS NULL AND dose_unit IS NULL AND route IS NULL)"
            " OR (type = 'medication' AND procedure_code IS NULL)",
            name="code_of_type",
        ),
    )
