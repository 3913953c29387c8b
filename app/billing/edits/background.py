"""What stands around a claim: its payer, the patient's coverages, the same person's other claims, and prices.

These are the parts of the records that edits read. Rooms that know the records import edits, never the other way.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol


class Price(Protocol):
    """The price of one unit."""

    @property
    def amount(self) -> Decimal: ...


class Prices(Protocol):
    """Prices by payer, code and day."""

    def find(self, payer_record_id: uuid.UUID | None, hcpcs: str, on: dt.date) -> Price | None: ...


class PayerRules(Protocol):
    """A payer's record."""

    payer_id: Any
    claim_filing_code: Any
    timely_filing_days: Any
    takes_replacements: Any
    requires_prior_authorization: Any
    edits: Any


class Covered(Protocol):
    """A coverage of the patient."""

    id: Any
    sequence: Any
    relationship: Any
    effective_from: Any
    effective_to: Any


class Filed(Protocol):
    """A physician's certification on file."""

    signed_on: Any
    signer_role: Any
    attempted_on: Any


class Notice(Protocol):
    """An advance beneficiary notice on file."""

    is_voluntary: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What the chart's derivation says. `values` are by name. `lines` are [hcpcs, modifiers] as they were written.

    An override by a biller stands in the lines, and not in the values.
    """

    values: Mapping[str, Any]
    lines: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherClaim:
    """Another live claim of the same patient, or on another call of the day of the same member, by name and birth date.

    `same_patient`: of the same patient of the same call, so to another payer. `lines` are [hcpcs, modifiers].
    `is_decided`: the payer has said what it pays.
    """

    same_patient: bool
    is_closed: bool = False
    is_decided: bool = False
    payer_sequence: str
    lines: Sequence[tuple[str, Sequence[str]]] = ()
    departed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """`payer` is None for a claim whose payer is not among the agency's. `coverages` are the patient's, live.

    `prices` hold for the codes of the claim's lines and its day of service. `derived` is None for a claim that nothing
    was derived for.
    """

    payer: PayerRules | None = None
    coverages: Sequence[Covered] = ()
    others: Sequence[OtherClaim] = ()
    prices: Prices | None = None
    certificates: Sequence[Filed] = ()
    notices: Sequence[Notice] = ()
    derived: Derived | None = None

    @property
    def switches(self) -> Mapping[str, str]:
        """The payer's severities by edit."""
        return {} if self.payer is None else self.payer.edits
