"""Coding for other domains: whether codes are valid on a claim, in a document, in a chart.

`ProcedureFault` and `procedure_fault` use the shipped list, which needs no database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.coding.icd10 import repository as icd10
from app.coding.lookup.shipped import shipped_ingredients
from app.coding.procedures.listed import ProcedureFault as ProcedureFault
from app.coding.procedures.listed import procedure_fault as procedure_fault
from app.coding.rxnorm import repository as rxnorm
from app.coding.search.index import compact
from app.core.db.uow import ReadUnitOfWork


class CodeFault(StrEnum):
    """Why an ICD-10-CM code cannot stand on a claim."""

    UNKNOWN = "unknown_code"
    NOT_IN_FORCE = "code_not_in_force"
    NOT_BILLABLE = "code_not_billable"


@dataclass(frozen=True, slots=True)
class CodePeriod:
    valid_from: dt.date
    valid_to: dt.date | None
    billable: bool

    def covers(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Icd10Extract:
    """The periods of some codes, enough to judge them without further queries.

    `known` is false while ICD-10-CM is not loaded whole, because a selection says nothing about other codes.
    """

    known: bool
    periods: Mapping[str, Sequence[CodePeriod]] = field(default_factory=dict)

    def fault(self, code: str, day: dt.date) -> CodeFault | None:
        """The fault. None if the code is billable on that day, or while no whole code set is loaded."""
        if not self.known:
            return None
        periods = self.periods.get(compact(code), ())
        if not periods:
            return CodeFault.UNKNOWN
        now = next((period for period in periods if period.covers(day)), None)
        if now is None:
            return CodeFault.NOT_IN_FORCE
        return None if now.billable else CodeFault.NOT_BILLABLE


async def extract_icd10(uow: ReadUnitOfWork, codes: Sequence[str]) -> Icd10Extract:
    """The stored facts on these codes, given with or without dots. One statement."""
    rows = await icd10.list_extract(uow, sorted({compact(code) for code in codes}))
    periods: dict[str, list[CodePeriod]] = {}
    for row in rows:
        if row["compact"] is not None:
            period = CodePeriod(row["valid_from"], row["valid_to"], row["billable"])
            periods.setdefault(row["compact"], []).append(period)
    return Icd10Extract(known=bool(rows) and rows[0]["whole"], periods=periods)


class RxNormFault(StrEnum):
    """Why an rxcui names no medication that is in use."""

    UNKNOWN = "unknown_code"
    RETIRED = "code_retired"
    SUPPRESSED = "code_suppressed"


@dataclass(frozen=True, slots=True)
class RxNormStanding:
    """`retired_on`: since this day the releases lack the concept."""

    suppressed: bool
    retired_on: dt.date | None


@dataclass(frozen=True, slots=True)
class RxNormExtract:
    """The standing of some concepts, enough to judge them without further queries.

    `known` is false while no release of RxNorm itself is loaded. A selection, such as the medications that ship with
    the service, does not prove that a missing rxcui is unknown or retired.
    """

    known: bool
    concepts: Mapping[str, RxNormStanding] = field(default_factory=dict)

    def fault(self, rxcui: str, day: dt.date) -> RxNormFault | None:
        """The fault. None if the concept is in use on that day, or while no whole release is loaded."""
        concept = self.concepts.get(rxcui)
        if concept is None:
            return RxNormFault.UNKNOWN if self.known else None
        if self.known and concept.retired_on is not None and concept.retired_on <= day:
            return RxNormFault.RETIRED
        return RxNormFault.SUPPRESSED if concept.suppressed else None


async def list_medication_names(uow: ReadUnitOfWork, codes: Sequence[str]) -> dict[str, str]:
    """The names of medications by rxcui or SNOMED CT code. A code that is not loaded is left out. One statement."""
    wanted = sorted(set(codes))
    return {row["code"]: row["name"] for row in await rxnorm.list_names(uow, wanted)} if wanted else {}


async def list_ingredients(uow: ReadUnitOfWork, rxcuis: Sequence[str]) -> dict[str, frozenset[str]]:
    """The names of each medication's ingredients, by rxcui: as loaded, else as shipped. An unknown one is left out.

    One statement.
    """
    wanted = sorted(set(rxcuis))
    if not wanted:
        return {}
    shipped = {code: found for code in wanted if (found := shipped_ingredients().get(code)) is not None}
    rows = await rxnorm.list_ingredients(uow, wanted)
    return shipped | {row["code"]: frozenset(row["ingredients"] or [row["name"]]) for row in rows}


async def list_diagnosis_names(uow: ReadUnitOfWork, codes: Sequence[str]) -> dict[str, str]:
    """The ICD-10-CM names of these codes in their last periods, by the code as given. One statement."""
    by_code = {code: compact(code) for code in codes}
    if not by_code:
        return {}
    rows = await icd10.list_periods(uow, sorted(set(by_code.values())))
    described = {row["compact"]: row["description"] for row in rows}
    return {code: described[short] for code, short in by_code.items() if short in described}


async def extract_rxnorm(uow: ReadUnitOfWork, rxcuis: Sequence[str]) -> RxNormExtract:
    """The stored facts on these rxcuis. One statement."""
    rows = await rxnorm.list_extract(uow, sorted(set(rxcuis)))
    return RxNormExtract(
        known=bool(rows) and rows[0]["whole"],
        concepts={
            row["code"]: RxNormStanding(row["suppressed"], row["retired_on"]) for row in rows if row["code"] is not None
        },
    )
