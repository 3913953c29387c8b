"""A refusal is recognised by what was done; its deadline follows from the payer's rule or Medicare's clocks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from app.billing.adjustment_codes.dictionary import (
    Category,
    Owner,
    Remedy,
    groups,
    is_denial,
    reason_on,
    reasons,
    remarks,
)
from app.billing.denials.clocks import appeal_by, medicare_levels
from app.billing.denials.recognition import recognise
from app.billing.x12.remittance_advice import Adjustment, ClaimPayment, LinePayment, Procedure

D = Decimal
DAY = dt.date(2026, 11, 9)


def decision(*adjusted: tuple[str, str, str], status: str = "1", **more: Any) -> ClaimPayment:
    """A claim of one line of 650.00, of which the payer pays what it does not adjust."""
    adjustments = tuple(Adjustment(group, reason, D(amount)) for group, reason, amount in adjusted)
    paid = D(650) - sum((one.amount for one in adjustments), D(0))
    line = LinePayment(Procedure("A0429", ("RH",)), D(650), paid, adjustments=adjustments)
    return ClaimPayment(1, "C000000042", status, D(650), paid, lines=(line,), **more)


def test_a_processed_claim_that_pays_nothing_by_reasons_of_denial_is_refused() -> None:
    found = recognise(decision(("CO", "50", "650.00"), status="1"), DAY)
    assert found is not None
    assert (found.codes, found.amount, found.whole) == (("CO-50",), D("650.00"), True)
    assert (found.category, found.owner, found.remedy) == (
        Category.MEDICAL_NECESSITY,
        Owner.CLINICAL,
        Remedy.APPEAL,
    )


def test_one_refused_part_of_a_paid_claim_is_a_refusal_of_that_part() -> None:
    found = recognise(decision(("CO", "97", "120.00"), ("CO", "45", "80.00"), ("PR", "2", "90.00")), DAY)
    assert found is not None
    assert (found.codes, found.amount, found.whole) == (("CO-97",), D("120.00"), False)


@pytest.mark.parametrize(
    "adjusted",
    [
        (("CO", "45", "650.00"),),
        (("CO", "253", "13.00"), ("PR", "1", "637.00")),
        (("PR", "96", "650.00"),),
        (("OA", "23", "650.00"),),
        (("CO", "ZZZ", "650.00"),),
    ],
)
def test_what_the_contract_the_patient_or_earlier_payers_account_for_is_no_refusal(adjusted: Any) -> None:
    assert recognise(decision(*adjusted), DAY) is None


def test_the_payers_own_word_is_enough() -> None:
    found = recognise(decision(("CO", "45", "650.00"), status="4"), DAY)
    assert found is not None
    assert (found.codes, found.amount, found.whole, found.category) == ((), D("650.00"), True, Category.OTHER)


def test_a_reversal_refuses_nothing() -> None:
    assert recognise(decision(("CO", "50", "650.00"), status="22"), DAY) is None


def test_the_largest_amount_leads() -> None:
    found = recognise(decision(("CO", "29", "10.00"), ("OA", "109", "640.00")), DAY)
    assert found is not None
    assert found.codes == ("OA-109", "CO-29")
    assert found.category is Category.OTHER_PAYER


def test_the_remark_says_what_an_incomplete_claim_lacks() -> None:
    found = recognise(decision(("CO", "16", "650.00"), remarks=("N382",)), DAY)
    assert found is not None
    assert (found.category, found.owner, found.appealable) == (Category.ELIGIBILITY, Owner.REGISTRATION, True)


def test_what_the_payer_could_not_process_cannot_be_appealed() -> None:
    found = recognise(decision(("CO", "50", "650.00"), remarks=("MA130",)), DAY)
    assert found is not None
    assert (found.appealable, found.remedy) == (False, Remedy.CORRECT)


def test_the_dictionary_is_whole_and_dated() -> None:
    assert set(groups()) == {"CO", "PR", "OA", "PI", "CR"}
    for reason in reasons().values():
        assert reason.means.endswith(".") and reason.cause.endswith(".") and reason.fix.endswith(".")
    assert all(one.means.endswith(".") and one.fix.endswith(".") for one in remarks().values())
    assert {"50", "29", "16", "97", "B7", "252"} <= {code for code in reasons() if is_denial(code)}
    assert not any(is_denial(code) for code in ("1", "2", "3", "23", "45", "59", "94", "100", "131", "253", "A2"))
    assert reason_on("38", dt.date(2012, 12, 31)) is not None
    assert reason_on("38", dt.date(2013, 1, 1)) is None


def _claim(filing_code: str | None) -> Any:
    return SimpleNamespace(claim_filing_code=filing_code)


def _payer(days: int | None) -> Any:
    return SimpleNamespace(appeal_days=days)


@pytest.mark.parametrize(
    ("filing_code", "days", "level", "until"),
    [
        ("MB", None, 1, dt.date(2027, 3, 14)),  # 9 November, received on the 14th, and 120 days
        ("MB", None, 2, dt.date(2027, 5, 13)),
        ("MB", None, 3, dt.date(2027, 1, 13)),
        ("MB", 90, 1, dt.date(2027, 2, 7)),
        ("MB", 90, 2, dt.date(2027, 5, 13)),  # the agency's word is about the first level
        ("CI", 90, 1, dt.date(2027, 2, 7)),
        ("CI", 90, 2, dt.date(2027, 2, 7)),
        ("16", None, 1, None),  # a Medicare Advantage plan has days of its own
        (None, None, 1, None),
    ],
)
def test_the_last_day_for_an_appeal(filing_code: str | None, days: int | None, level: int, until: Any) -> None:
    assert appeal_by(_claim(filing_code), _payer(days), level, DAY) == until
    if days is None:
        assert appeal_by(_claim(filing_code), None, level, DAY) == until


@pytest.mark.parametrize(
    ("level", "day", "amount"),
    [
        (1, DAY, "0.00"),
        (3, dt.date(2025, 12, 31), "190.00"),
        (3, dt.date(2026, 1, 1), "200.00"),
        (5, dt.date(2026, 6, 1), "1960.00"),
        (3, dt.date(2020, 1, 1), "190.00"),
    ],
)
def test_the_least_amount_in_controversy_is_that_of_the_day(level: int, day: dt.date, amount: str) -> None:
    assert medicare_levels()[level].least_on(day) == D(amount)
