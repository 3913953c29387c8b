"""Whether a payer's decision refuses money, and what is known of that by its codes. Pure.

A refusal is recognised by what was done. Many payers refuse with the status of a processed claim, or refuse one line of
a claim that they pay.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from app.billing.adjustment_codes.dictionary import Category, Owner, Remedy, is_denial, reason_on, remarks
from app.billing.x12.remittance_advice import Adjustment, ClaimPayment, total

DENIED = "4"
"""CLP02 of a claim that the payer itself calls denied."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`codes` are groups and reasons (CO-50) that refuse, the largest amount first. `whole`: nothing was paid.

    `appealable` is false for a claim that the payer could not process (MA130).
    """

    codes: tuple[str, ...]
    remarks: tuple[str, ...]
    amount: Decimal
    whole: bool
    category: Category
    owner: Owner
    remedy: Remedy
    appealable: bool


def refuses(one: Adjustment) -> bool:
    """True if the adjustment keeps back money that neither the patient nor the contract accounts for."""
    return one.group != "PR" and is_denial(one.reason)


def is_refused(decision: ClaimPayment) -> bool:
    """True if nothing was paid, and the payer says or does that it refuses."""
    return decision.paid == 0 and (decision.status == DENIED or any(map(refuses, decision.all_adjustments())))


def recognise(decision: ClaimPayment, day: dt.date) -> Refusal | None:
    """What the decision of that day refuses; None for a decision that refuses nothing, and for a reversal."""
    sums: dict[tuple[str, str], Decimal] = {}
    for one in filter(refuses, decision.all_adjustments()):
        sums[one.group, one.reason] = sums.get((one.group, one.reason), Decimal(0)) + one.amount
    leading = [key for key, amount in sorted(sums.items(), key=lambda item: -item[1]) if amount > 0]
    whole = is_refused(decision)
    if decision.is_reversal or not (leading or whole):
        return None
    said = tuple(dict.fromkeys((*decision.remarks, *(code for line in decision.lines for code in line.remarks))))
    known = [remarks()[code] for code in said if code in remarks()]
    reason = reason_on(leading[0][1], day) if leading else None
    category = Category.OTHER if reason is None else reason.category
    owner = Owner.BILLER if reason is None else reason.owner
    if category in (Category.INCOMPLETE, Category.OTHER, Category.NOT_COVERED):
        # these reasons say little: the remark says what is missing
        category = next((one.category for one in known if one.category is not None), category)
        owner = next((one.owner for one in known if one.owner is not None), owner)
    unprocessable = any(one.unprocessable for one in known)
    remedy = Remedy.APPEAL if reason is None else reason.remedy
    left = (
        decision.charge - decision.paid - total(one.amount for one in decision.all_adjustments() if one.group == "PR")
    )
    return Refusal(
        codes=tuple(f"{group}-{code}" for group, code in leading),
        remarks=said,
        amount=total(sums[key] for key in leading) if leading else max(left, Decimal("0.00")),
        whole=whole,
        category=category,
        owner=owner,
        remedy=Remedy.CORRECT if unprocessable else remedy,
        appealable=not unprocessable,
    )
