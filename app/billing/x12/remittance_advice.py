"""What an 835 says: one payment, the claims that it decides, and what balances it. Pure records.

The same records describe a remittance that a biller types in from paper.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal("0.00")
REVERSAL = "22"
FORWARDED = frozenset({"19", "20", "21"})
"""CLP02 of claims that the payer sent on to the next payer itself."""
CROSSOVER_REMARKS = frozenset({"MA07", "MA18"})


class Imbalance(StrEnum):
    """The figures that must agree and do not (005010X221A1, section 1.10.2.1)."""

    LINE = "line_unbalanced"
    CLAIM = "claim_unbalanced"
    LINE_CHARGES = "line_charges_differ"
    PATIENT_RESPONSIBILITY = "patient_responsibility_differs"
    SET = "set_unbalanced"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One triplet of a CAS: `group` is CO, PR, OA, PI or CR, `reason` a claim adjustment reason code."""

    group: str
    reason: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Procedure:
    """SVC01 or SVC06: a code with its modifiers."""

    code: str
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinePayment:
    """SVC and what follows it. `submitted` is what was billed, where the payer decided another code (SVC06)."""

    procedure: Procedure
    charge: Decimal
    paid: Decimal
    units: Decimal | None = None
    submitted: Procedure | None = None
    control_number: str | None = None
    service_date: dt.date | None = None
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    allowed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ClaimPayment:
    """CLP and what follows it. `position` is the number of the CLP in its set, counted from 1.

    `interest` (AMT*I) is part of the payment only through a PLB. `crossed_over`: the payer sent the claim on itself.
    """

    position: int
    claim_number: str
    status: str
    charge: Decimal
    paid: Decimal
    patient_responsibility: Decimal | None = None
    filing_code: str | None = None
    payer_control_number: str | None = None
    frequency: str | None = None
    adjustments: tuple[Adjustment, ...] = ()
    lines: tuple[LinePayment, ...] = ()
    remarks: tuple[str, ...] = ()
    interest: Decimal | None = None
    crossed_over: bool = False

    @property
    def is_reversal(self) -> bool:
        """True if the claim takes back an earlier decision."""
        return self.status == REVERSAL

    def all_adjustments(self) -> Iterator[Adjustment]:
        """Those of the claim, then those of its lines."""
        yield from self.adjustments
        for line in self.lines:
            yield from line.adjustments


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """One pair of a PLB. A positive amount makes the payment smaller."""

    reason: str
    amount: Decimal
    reference: str | None = None
    fiscal_period_end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RemittanceHeader:
    """ST to the first LX or CLP. Payer, trace, date, amount and ST02 together tell one remittance from another."""

    control_number: str
    handling: str
    amount: Decimal
    method: str
    paid_on: dt.date
    trace_number: str
    payer_identifier: str
    payer_name: str
    payee_npi: str | None
    payee_tax_id: str | None
    produced_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RemittanceTrailer:
    """PLB to SE. `claims_paid` is the sum of the claims' payments."""

    claims: int
    claims_paid: Decimal
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, with two decimals even when there is nothing to add."""
    return sum(amounts, ZERO)


def claim_imbalances(claim: ClaimPayment) -> list[Imbalance]:
    """What does not agree within the claim. It is empty for a claim that can be posted.

    A reversal need not repeat the patient's responsibility.
    """
    found = []
    if any(line.charge - total(one.amount for one in line.adjustments) != line.paid for line in claim.lines):
        found.append(Imbalance.LINE)
    if claim.lines and total(line.charge for line in claim.lines) != claim.charge:
        found.append(Imbalance.LINE_CHARGES)
    if claim.charge - total(one.amount for one in claim.all_adjustments()) != claim.paid:
        found.append(Imbalance.CLAIM)
    stated = claim.patient_responsibility
    left_to_patient = total(one.amount for one in claim.all_adjustments() if one.group == "PR")
    if stated not in (None, left_to_patient) and not (claim.is_reversal and stated == 0):
        found.append(Imbalance.PATIENT_RESPONSIBILITY)
    return found


def set_balances(header: RemittanceHeader, trailer: RemittanceTrailer) -> bool:
    """True if the payment is what the claims were paid, less what the payer adjusted (BPR02)."""
    return header.amount == trailer.claims_paid - total(one.amount for one in trailer.provider_adjustments)
