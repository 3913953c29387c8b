"""Random adjudications: the ledger equals what the payer decided, to the cent, without a database."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing.adjustment_codes.dictionary import is_denial
from app.billing.claims.lifecycle import AdjudicationTransition, ClaimStatus
from app.billing.claims.models import ClaimLine
from app.billing.ledger.accounts import Account, EntryKind
from app.billing.ledger.entries import Entry, Standing, charge_changes
from app.billing.remittances.judging import Judged, judge
from app.billing.remittances.lifecycle import HoldReason
from app.billing.x12.containers import text_chunks
from app.billing.x12.remittance_advice import ClaimPayment
from app.billing.x12.remittance_reader import read_remittances
from app.core.ids import TenantId, new_id
from tests.billing.support.adjudications import Decided, DecidedLine, Payment, decisions, remittance_file

D = Decimal
NUMBER = "C000000042"
TENANT, CLAIM = TenantId(new_id()), new_id()
CODES = ("A0427", "A0425", "A0422")


def line(number: int, charge: Decimal) -> ClaimLine:
    return ClaimLine(
        tenant_id=TENANT,
        claim_id=CLAIM,
        line_number=number,
        hcpcs=CODES[number - 1],
        modifiers=["RH"],
        units=D(1),
        charge=charge,
        diagnosis_pointers=[1],
    )


def said(*decided: Decided) -> list[ClaimPayment]:
    parts = read_remittances(text_chunks(remittance_file(Payment(decided))))
    return [part for part in parts if isinstance(part, ClaimPayment)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[ClaimLine], Decided, Decided]:
    """The lines of a claim, and two decisions about it."""
    amounts = [D(draw(st.integers(100, 200_000))).scaleb(-2) for _ in range(draw(st.integers(1, 3)))]
    lines = [line(number, amount) for number, amount in enumerate(amounts, 1)]
    told = [(one.line_number, one.hcpcs, one.charge) for one in lines]
    return lines, draw(decisions(NUMBER, told)), draw(decisions(NUMBER, told))


def charged(lines: list[ClaimLine]) -> list[Entry]:
    return charge_changes(Standing(), {one.id: one.charge for one in lines})


def judged(payment: ClaimPayment, status: ClaimStatus, lines: list[ClaimLine], entries: list[Entry]) -> Judged:
    charge = sum((one.charge for one in lines), D("0.00"))
    found = judge(payment, status, charge, lines, Standing.of(entries), {})
    assert isinstance(found, Judged), found
    return found


def expected(decided: Decided) -> dict[Account, Decimal]:
    """Added up from the adjudication, without the service's judgement."""
    sums = dict.fromkeys(Account, D("0.00"))
    sums[Account.CHARGES] = -decided.charge
    sums[Account.PAYER_CASH] = decided.paid
    for one in decided.lines:
        for group, reason, amount in one.adjustments:
            if group == "PR":
                sums[Account.PATIENT] += amount
            elif is_denial(reason):
                sums[Account.DENIED] += amount
            else:
                sums[Account.CONTRACTUAL if group == "CO" else Account.OTHER] += amount
    return {account: amount for account, amount in sums.items() if amount}


def balances(entries: list[Entry]) -> dict[Account, Decimal]:
    return {account: amount for account, amount in Standing.of(entries).balances().items() if amount}


@settings(max_examples=60)
@given(cases())
def test_the_ledger_equals_the_adjudication(case: tuple[list[ClaimLine], Decided, Decided]) -> None:
    lines, decided, _ = case
    entries = charged(lines)
    [payment] = said(decided)
    found = judged(payment, ClaimStatus.SUBMITTED, lines, entries)
    entries += found.entries
    assert balances(entries) == expected(decided)
    assert Standing.of(entries).outstanding() == decided.charge - decided.paid - sum(
        (amount for one in decided.lines for group, reason, amount in one.adjustments
         if group != "PR" and not is_denial(reason)),
        D(0),
    )  # fmt: skip
    for one in lines:  # line by line, too
        moved = [entry for entry in entries if entry.line_id == one.id and entry.credit is Account.PAYER]
        assert sum((entry.amount for entry in moved), D(0)) == one.charge
    denied = decided.paid == 0 and decided.status == "4"
    assert found.move is (AdjudicationTransition.DENY if denied else AdjudicationTransition.PAY)
    assert (found.denial_reason is None) != denied


@settings(max_examples=60)
@given(cases())
def test_a_reversal_and_a_correction_leave_the_correction(case: tuple[list[ClaimLine], Decided, Decided]) -> None:
    lines, first, second = case
    entries = charged(lines)
    decision, reversal, correction = said(first, first.reversed(), second)
    entries += judged(decision, ClaimStatus.SUBMITTED, lines, entries).entries
    state = ClaimStatus.DENIED if first.status == "4" else ClaimStatus.PAID
    found = judged(reversal, state, lines, entries)
    entries += found.entries
    assert balances(entries) == balances(charged(lines))
    assert found.move is (AdjudicationTransition.REVERSE if state is ClaimStatus.PAID else None)
    entries += judged(correction, ClaimStatus.SUBMITTED, lines, entries).entries
    assert balances(entries) == expected(second)


@settings(max_examples=40)
@given(cases())
def test_a_decision_after_a_denial_replaces_it(case: tuple[list[ClaimLine], Decided, Decided]) -> None:
    lines, _, second = case
    refused = replace(
        second,
        lines=tuple(replace(one, paid=D(0), adjustments=(("CO", "50", one.charge),)) for one in second.lines),
        status="4",
    )
    entries = charged(lines)
    denial, decision = said(refused, second)
    entries += judged(denial, ClaimStatus.SUBMITTED, lines, entries).entries
    entries += judged(decision, ClaimStatus.APPEAL_NEEDED, lines, entries).entries
    assert balances(entries) == expected(second)


@settings(max_examples=40)
@given(cases())
def test_a_second_payment_is_never_posted_over_the_first(case: tuple[list[ClaimLine], Decided, Decided]) -> None:
    lines, first, second = case
    entries = charged(lines)
    one, other = said(first, second)
    entries += judged(one, ClaimStatus.SUBMITTED, lines, entries).entries
    charge = sum((each.charge for each in lines), D("0.00"))
    again = judge(other, ClaimStatus.PAID, charge, lines, Standing.of(entries), {})
    assert again is HoldReason.ALREADY_DECIDED


@settings(max_examples=40)
@given(cases(), st.data())
def test_the_next_payer_decides_what_the_first_one_left(
    case: tuple[list[ClaimLine], Decided, Decided], data: st.DataObject
) -> None:
    lines, first, _ = case
    entries = charged(lines)
    [primary] = said(replace(first, status="19"))
    entries += judged(primary, ClaimStatus.SUBMITTED, lines, entries).entries
    left = Standing.of(entries).balance(Account.NEXT_PAYER)
    assert left == first.adjusted("PR")
    assert Standing.of(entries).balance(Account.PATIENT) == 0
    later = []
    for one in first.lines:
        open_amount = sum((amount for group, _, amount in one.adjustments if group == "PR"), D("0.00"))
        paid = D(data.draw(st.integers(0, int(open_amount * 100)))).scaleb(-2)
        told = (("OA", "23", one.charge - open_amount), ("PR", "3", open_amount - paid))
        adjustments = tuple(adjusted for adjusted in told if adjusted[2])
        later.append(replace(one, paid=paid, adjustments=adjustments, decided_code=None))
    secondary = Decided(NUMBER, tuple(later), status="2")
    [payment] = said(secondary)
    found = judge(payment, ClaimStatus.PAID, payment.charge, lines, Standing.of(entries), {})
    if left == 0:
        assert found is HoldReason.PRIOR_PAYER_DIFFERS
        return
    assert isinstance(found, Judged) and found.move is None
    entries += found.entries
    standing = Standing.of(entries)
    assert standing.balance(Account.NEXT_PAYER) == 0
    assert standing.balance(Account.PATIENT) == secondary.adjusted("PR")
    assert standing.balance(Account.PAYER_CASH) == first.paid + secondary.paid


def test_only_patient_responsibility_reaches_the_patient() -> None:
    """Never CO, OA or PI, whatever the reason."""
    lines = [line(1, D(100))]
    for group in ("CO", "OA", "PI"):
        for reason in ("45", "50", "96", "204", "1", "2", "3"):
            [payment] = said(Decided(NUMBER, (_one(group, reason),)))
            found = judged(payment, ClaimStatus.SUBMITTED, lines, charged(lines))
            assert all(Account.PATIENT not in (one.debit, one.credit) for one in found.entries)
            assert found.patient_responsibility == 0


def _one(group: str, reason: str) -> DecidedLine:
    return DecidedLine(1, "A0427", ("RH",), D(100), D(40), ((group, reason, D(60)),))


def test_charges_follow_the_lines() -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    entries = charge_changes(Standing(), {first: D(650), second: D("365.60")})
    assert charge_changes(Standing.of(entries), {first: D(650), second: D("365.60")}) == []
    changed = charge_changes(Standing.of(entries), {first: D(600)})
    assert {(one.line_id, one.amount) for one in changed} == {(first, D(-50)), (second, D("-365.60"))}
    assert {one.kind for one in changed} == {EntryKind.CHARGE}
