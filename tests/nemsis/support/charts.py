"""Small contents in the neutral form, made up for these tests."""

from uuid import UUID

from app.ems.elements import ElementValue
from app.nemsis.content import DocumentContent, GroupInstance, ReportContent

REPORT_UUID = UUID("8a3f1c9e-2b4d-4e6f-9a0b-1c2d3e4f5a6b")
DEMOGRAPHIC = {"dAgency.01": "123456", "dAgency.02": "3601", "dAgency.04": "36"}
MANDATORY = {
    "eRecord.01": "PCR-2025-0001",
    "eRecord.02": "FusionEMS",
    "eRecord.03": "Quantum",
    "eRecord.04": "0.1.0",
    "eResponse.01": "3601",
    "eResponse.05": "2205001",
    "eResponse.07": "2207015",
    "eResponse.13": "M12",
    "eResponse.14": "Medic 12",
    "eResponse.23": "2223001",
    "eDispatch.01": "2301001",
    "eTimes.03": "2025-03-09T14:05:00-05:00",
    "eTimes.13": "2025-03-09T15:20:00-05:00",
    "eDisposition.27": "4227001",
}


def recorded(**values: str) -> dict[str, list[ElementValue]]:
    """`eArrest_01="3001001"` and the like, as element values."""
    return {name.replace("_", "."): [ElementValue(value=value)] for name, value in values.items()}


def mandatory_elements() -> dict[str, list[ElementValue]]:
    return {name: [ElementValue(value=value)] for name, value in MANDATORY.items()}


def document(
    elements: dict[str, list[ElementValue]] | None = None, groups: tuple[GroupInstance, ...] = ()
) -> DocumentContent:
    """One report with the mandatory elements, and whatever a test adds."""
    report = ReportContent(REPORT_UUID, mandatory_elements() | (elements or {}), groups)
    return DocumentContent(DEMOGRAPHIC, [report])
