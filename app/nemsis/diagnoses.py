"""ICD-10-CM codes of a document, judged by the loaded code set on the date of service.

The standard checks only their form. NEMSIS suggests categories, so a document may use one: a code that is not billable
is no fault here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lxml import etree

from app.coding.public import CodeFault, Icd10Extract, extract_icd10
from app.core.db.uow import ReadUnitOfWork
from app.ems.public import Dictionary, ElementDefinition
from app.nemsis.findings import FindingSource, Severity, ValidationFinding, locate
from app.nemsis.tree import texts

ICD10CM_TYPES = frozenset(
    (
        "AssociatedSymptoms",
        "IncidentLocationType",
        "ProvidersImpression",
        "icd10Activity",
        "icd10Code",
        "icd10CodeInjury",
    )
)
"""Simple types of the standard whose values are ICD-10-CM codes."""
MIXED_TYPES = frozenset(("MedicationAllergies", "icd10MedSurge"))
"""Types that admit ICD-10-CM beside RxNorm or ICD-10-PCS. Only ICD-10-CM codes have a dot."""
_FAULTS = {
    CodeFault.UNKNOWN: "is no ICD-10-CM code",
    CodeFault.NOT_IN_FORCE: "was not in force as an ICD-10-CM code on the date of service",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A code as a document says it, and its place. `name` is the element's. `code` is PHI and stands in no message."""

    element_id: str
    name: str
    path: str
    internal_path: str | None
    code: str = field(repr=False)


def diagnosis_paths(root: etree._Element, dictionary: Dictionary) -> Iterator[tuple[ElementDefinition, str, str]]:
    """(element, `path` of a finding, code) of every ICD-10-CM code of the document, in its order."""
    for node in root.iterdescendants("*"):
        definition = dictionary.elements.get(etree.QName(node).localname)
        code = "".join(texts(node))
        if definition is not None and is_icd10cm(definition, code):
            yield definition, locate(node, dictionary), code


def is_icd10cm(definition: ElementDefinition, value: str) -> bool:
    """True if the value of the element is surely an ICD-10-CM code. An empty value is not."""
    mixed = definition.type.name in MIXED_TYPES and "." in value
    return mixed or (definition.type.name in ICD10CM_TYPES and value != "")


async def check_diagnoses(
    uow: ReadUnitOfWork, served_on: dt.date | None, documents: Sequence[Sequence[Diagnosis]]
) -> list[list[ValidationFinding]]:
    """The findings about each document's codes. There are none before a code set is loaded, or without a date.

    One statement serves all documents. Findings are warnings: a release may be late, and the state judges by itself.
    """
    codes = await extract_icd10(uow, [each.code for document in documents for each in document])
    return [[] if served_on is None else list(_check(document, codes, served_on)) for document in documents]


def _check(document: Sequence[Diagnosis], codes: Icd10Extract, served_on: dt.date) -> Iterator[ValidationFinding]:
    for each in document:
        fault = codes.fault(each.code, served_on)
        if fault in _FAULTS:
            yield ValidationFinding(
                each.element_id,
                each.path,
                Severity.WARNING,
                fault.value,
                f"{each.name} {_FAULTS[fault]}.",
                FindingSource.CODE_SET,
                each.internal_path,
            )
