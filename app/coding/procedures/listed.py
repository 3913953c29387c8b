"""The procedures that ship with the service, and the standing of a code among them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from app.coding.lookup.shipped import DATA
from app.coding.procedures.snomed import is_concept

LIST_DATE = "2025-01-14"
"""The date of NEMSIS's defined list for eProcedures.03."""


class ProcedureCategory(StrEnum):
    """How NEMSIS's list is divided."""

    ADMINISTRATION = "administration"
    AIRWAY_ADVANCED = "airway_advanced"
    AIRWAY_BASIC = "airway_basic"
    ASSESSMENT = "assessment"
    CARDIAC = "cardiac"
    CARDIAC_ASSESSMENT = "cardiac_assessment"
    ENVIRONMENTAL = "environmental"
    GASTROINTESTINAL = "gastrointestinal"
    GLYCEMIC = "glycemic"
    IMMOBILIZATION = "immobilization"
    OTHER = "other"
    PAIN = "pain"
    POSITIONING = "positioning"
    SPINAL = "spinal"
    TRANSFER_OF_CARE = "transfer_of_care"
    VASCULAR_ACCESS = "vascular_access"
    VITAL_SIGNS = "vital_signs"
    WOUND_CARE = "wound_care"


@dataclass(frozen=True, slots=True)
class Procedure:
    """`replaced_by`: the code in NEMSIS's list that replaces this one. None for a listed code."""

    code: str
    name: str
    category: ProcedureCategory
    synonyms: tuple[str, ...]
    replaced_by: str | None


class ProcedureFault(StrEnum):
    """Why a reader of a chart looks a procedure's code up in vain."""

    UNKNOWN = "unknown_code"
    REPLACED = "code_replaced"


@cache
def shipped_procedures() -> Mapping[str, Procedure]:
    """The procedures by code."""
    with (DATA / "procedures.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Procedure(
                row["code"],
                row["name"],
                ProcedureCategory(row["category"]),
                tuple(filter(None, row["synonyms"].split(";"))),
                row["replaced_by"] or None,
            )
            for row in csv.DictReader(file)
        }


def procedure_fault(code: str) -> ProcedureFault | None:
    """The fault. None for a listed code and any other concept of SNOMED CT, because the list is a selection.

    NEMSIS takes any SNOMED CT code in eProcedures.03: its schema has bounds but no list, and no rule names a code.
    """
    procedure = shipped_procedures().get(code)
    if procedure is None:
        return None if is_concept(code) else ProcedureFault.UNKNOWN
    return None if procedure.replaced_by is None else ProcedureFault.REPLACED
