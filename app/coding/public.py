"""What other domains may ask of coding: whether codes can stand on a claim."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.coding.icd10.repository import is_loaded, list_periods
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
    """The periods of some codes, to judge by without further questions. `known` is false before the first import."""

    known: bool
    periods: Mapping[str, Sequence[CodePeriod]] = field(default_factory=dict)

    def fault(self, code: str, day: dt.date) -> CodeFault | None:
        """None when the code is billable on that day, and while no code set is loaded to say otherwise."""
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
    """What is stored about these codes, with or without their dots."""
    periods: dict[str, list[CodePeriod]] = {}
    for row in await list_periods(uow, sorted({compact(code) for code in codes})):
        periods.setdefault(row["compact"], []).append(CodePeriod(row["valid_from"], row["valid_to"], row["billable"]))
    return Icd10Extract(known=bool(periods) or await is_loaded(uow), periods=periods)
