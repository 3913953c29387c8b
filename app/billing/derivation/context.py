"""What the rules know beside the chart: the agency, its state's table of acts, codes, coverage, notices, prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.billing.als_acts.scope import Scope
from app.billing.medicare import is_medicare
from app.coding.public import Icd10Extract


class Notice(StrEnum):
    """An advance beneficiary notice on file. A voluntary one is about a service that Medicare never pays."""

    REQUIRED = "required"
    VOLUNTARY = "voluntary"


@dataclass(frozen=True)
class PayerFacts:
    """The first payer of the patient, as the claim will name it. `columns` are the claim's copies of the coverage."""

    filing_code: str | None
    columns: Mapping[str, Any] = field(default_factory=dict)
    matched: bool = True


@dataclass(frozen=True)
class Context:
    """`ingredients` maps each charted rxcui to the names of its ingredients; an unknown one is absent.

    `prices` are per unit by HCPCS code.
    """

    scope: Scope
    state: str
    codes: Icd10Extract
    place_of_service: str = "41"
    ingredients: Mapping[str, frozenset[str]] = field(default_factory=dict)
    served_on: dt.date | None = None
    payer: PayerFacts | None = None
    notice: Notice | None = None
    signed: bool = False
    prices: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def is_medicare(self) -> bool:
        return self.payer is not None and is_medicare(self.payer.filing_code)
