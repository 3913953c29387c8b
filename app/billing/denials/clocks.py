"""Until when a payer's decision may be appealed: Medicare's clocks, or the payer's own rule. Dated data."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from app.billing.claims.models import Claim
from app.billing.payers.models import PayerRecord

_SHIPPED = Path(__file__).with_name("clocks.toml")
_MEDICARE = frozenset({"MA", "MB"})
"""SBR09 of original Medicare. A Medicare Advantage plan has days of its own."""
FIRST, LAST = 1, 5


@dataclass(frozen=True, slots=True)
class Level:
    """One step of Medicare's appeals. `least` is the amount in controversy by the first day on which it is asked."""

    level: int
    name: str
    decided_by: str
    days: int
    form: str | None
    least: Mapping[dt.date, Decimal]

    def least_on(self, day: dt.date) -> Decimal:
        """The least amount that may be appealed on a day; the earliest known for a day before it."""
        in_force = [amount for begin, amount in sorted(self.least.items()) if begin <= day]
        return in_force[-1] if in_force else min(self.least.values(), default=Decimal("0.00"))


@cache
def _shipped() -> Mapping[str, Any]:
    return tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))


@cache
def medicare_levels() -> Mapping[int, Level]:
    return {
        entry["level"]: Level(
            entry["level"],
            entry["name"],
            entry["decided_by"],
            entry["days"],
            entry.get("form"),
            {dt.date.fromisoformat(day): Decimal(amount) for day, amount in entry.get("least", {}).items()},
        )
        for entry in _shipped()["levels"]
    }


def level_of(claim: Claim, level: int) -> Level | None:
    """Medicare's rule of that level; None for another payer, whose levels have no rule that we know."""
    return medicare_levels()[level] if claim.claim_filing_code in _MEDICARE else None


def appeal_by(claim: Claim, payer: PayerRecord | None, level: int, notice_on: dt.date) -> dt.date | None:
    """The last day for an appeal against a decision of `notice_on`; None if neither payer nor law says it.

    What the agency entered for the payer precedes Medicare's days of the first level. Medicare's count from the
    presumed receipt.
    """
    rule = level_of(claim, level)
    if payer is not None and payer.appeal_days is not None and (rule is None or level == FIRST):
        return notice_on + dt.timedelta(days=payer.appeal_days)
    return None if rule is None else notice_on + dt.timedelta(days=_shipped()["receipt_days"] + rule.days)
