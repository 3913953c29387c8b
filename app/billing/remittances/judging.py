"""Whether a payer's decision fits the claim, and which entries it makes. Pure: the facts are loaded by the caller.

A decision that does not fit in every figure is held for a person. Nothing is made to balance (ADR 0050).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.billing.claims.lifecycle import AdjudicationTransition, ClaimStatus
from app.billing.claims.models import ClaimLine
from app.billing.denials.recognition import is_refused, refuses
from app.billing.ledger.accounts import Account, EntryKind
from app.billing.ledger.entries import ZERO, Entry, Standing
from app.billing.remittances.lifecycle import HoldReason
from app.billing.x12.remittance_advice import (
    Adjustment,
    ClaimPayment,
    LinePayment,
    Procedure,
    claim_imbalances,
    total,
)

PRIOR_PAYER = "23"
"""The adjustment by which a later payer repeats what the payers before it paid and adjusted."""
DECIDING = frozenset({"1", "2", "3", "4", "19", "20", "21", "22"})
"""CLP02 of decisions. A claim that was only sent on (23), an estimate (25) and a pended claim are none."""
LATER_PAYER = frozenset({"2", "3", "20", "21"})
_NOT_SENT = frozenset({ClaimStatus.PENDING_REVIEW, ClaimStatus.READY_TO_EXPORT})
_UNDECIDED = frozenset({ClaimStatus.EXPORTED, ClaimStatus.SUBMITTED})
_DENIED = frozenset({ClaimStatus.DENIED, ClaimStatus.APPEAL_NEEDED})
LineIds = Mapping[int, uuid.UUID]
"""Which of our lines each line of the decision is about. Lines of a decision count from 0."""


@dataclass(frozen=True)
class Judged:
    """A decision that fits. `move` is what happens to the claim, or None if its state stays.

    A claim that is denied again stays denied, for the new `denial_reason`.
    """

    entries: tuple[Entry, ...]
    move: AdjudicationTransition | None
    denial_reason: str | None = None
    patient_responsibility: Decimal = ZERO


def judge(
    decision: ClaimPayment,
    status: ClaimStatus,
    charge: Decimal,
    lines: Sequence[ClaimLine],
    standing: Standing,
    line_ids: LineIds,
    *,
    by_person: bool = False,
) -> Judged | HoldReason:
    """The entries of a decision about a claim, or the reason why it is held.

    `line_ids` are matches that a person made; the others are found by `match_lines`. What a payer takes back from a
    closed claim (one that was voided) is posted by a person, and the claim stays closed.
    """
    if decision.status not in DECIDING:
        return HoldReason.NOT_A_DECISION
    imbalances = claim_imbalances(decision)
    if imbalances:
        return HoldReason(imbalances[0].value)
    if status is ClaimStatus.CLOSED and not (by_person and decision.is_reversal):
        return HoldReason.CLAIM_CLOSED
    if status in _NOT_SENT:
        return HoldReason.CLAIM_NOT_SENT
    matched = match_lines(decision, lines, line_ids)
    if matched is None:
        return HoldReason.LINE_UNMATCHED
    if decision.is_reversal:
        return _reversed(decision, status, standing, matched)
    if decision.charge != charge:
        return HoldReason.CHARGE_DIFFERS
    if status in _UNDECIDED | _DENIED:
        return _decided(decision, status, standing, matched)
    return _decided_by_next_payer(decision, standing, matched)


def match_lines(decision: ClaimPayment, lines: Sequence[ClaimLine], given: LineIds) -> LineIds | None:
    """Our line for each line of the decision, or None if one has none or the charges differ.

    A line is found by our line control number (6R), else by code, modifiers and charge, else by code and charge:
    payers drop modifiers. A payer may split a line; its parts must add up to the charge.
    """
    numbers = {f"-{line.line_number}": line.id for line in lines}
    known = {line.id for line in lines}
    found: dict[int, uuid.UUID] = {}
    for at, said in enumerate(decision.lines):
        named = given.get(at)
        if named is None and said.control_number is not None:
            named = numbers.get(said.control_number.removeprefix(decision.claim_number))
        if named is None:
            taken = set(found.values())
            named = _alike(said, [line for line in lines if line.id not in taken])
        if named not in known:
            return None
        found[at] = named
    return found if _charges_agree(decision, lines, found) else None


def _alike(said: LinePayment, lines: Sequence[ClaimLine]) -> uuid.UUID | None:
    """The only line with this code, these modifiers and this charge, or the only one with this code and charge."""
    billed = said.submitted or said.procedure
    tests: tuple[Callable[[ClaimLine], bool], ...] = (
        lambda line: _procedure(line) == billed and line.charge == abs(said.charge),
        lambda line: line.hcpcs == billed.code and line.charge == abs(said.charge),
    )
    for test in tests:
        alike = [line.id for line in lines if test(line)]
        if len(alike) == 1:
            return alike[0]
    return None


def _procedure(line: ClaimLine) -> Procedure:
    return Procedure(line.hcpcs, tuple(line.modifiers))


def _charges_agree(decision: ClaimPayment, lines: Sequence[ClaimLine], found: LineIds) -> bool:
    """True if the parts of each line add up to its charge. A reversal is of lines as they were: its sums are free."""
    if decision.is_reversal or not decision.lines:
        return True
    said: defaultdict[uuid.UUID, Decimal] = defaultdict(lambda: ZERO)
    for at, line_id in found.items():
        said[line_id] += decision.lines[at].charge
    return all(said[line.id] == line.charge for line in lines)


def _decided(decision: ClaimPayment, status: ClaimStatus, standing: Standing, matched: LineIds) -> Judged | HoldReason:
    """The claim's own payer decides. An earlier denial that nobody took back is taken back; a payment is not.

    So is what was made the patient's for want of a payer.
    """
    earlier = standing.decided_for(Account.PAYER)
    if total(one.amount for one in earlier if one.kind is EntryKind.PAYMENT):
        return HoldReason.ALREADY_DECIDED
    entries = list(_entries(decision, matched, Account.PAYER))
    if total(one.amount for one in entries) != decision.charge:
        return HoldReason.PRIOR_PAYER_DIFFERS
    move = _outcome(decision)
    denied_again = status is ClaimStatus.DENIED and move is AdjudicationTransition.DENY
    if denied_again and earlier:
        return HoldReason.ALREADY_DECIDED
    return Judged(
        (*(one.taken_back() for one in (*earlier, *standing.of_kind(EntryKind.SELF_PAY))), *entries),
        None if denied_again else move,
        denial_reason=_reasons(decision) if move is AdjudicationTransition.DENY else None,
        patient_responsibility=_left_to_patient(decision),
    )


def _decided_by_next_payer(decision: ClaimPayment, standing: Standing, matched: LineIds) -> Judged | HoldReason:
    """A later payer decides about what the one before it left, if the claim went on to it."""
    repeats = [one for one in decision.all_adjustments() if _is_prior(one)]
    if decision.status not in LATER_PAYER and not repeats:
        return HoldReason.ALREADY_DECIDED
    open_amount = standing.balance(Account.NEXT_PAYER)
    if open_amount == 0 or decision.charge - total(one.amount for one in repeats) != open_amount:
        return HoldReason.PRIOR_PAYER_DIFFERS
    return Judged(
        tuple(_entries(decision, matched, Account.NEXT_PAYER)),
        None,
        patient_responsibility=_left_to_patient(decision),
    )


def _reversed(decision: ClaimPayment, status: ClaimStatus, standing: Standing, matched: LineIds) -> Judged | HoldReason:
    """A payer takes back all that it decided, line by line and reason by reason."""
    said = _figures(_entries(decision, matched, Account.PAYER))
    for owed in (Account.PAYER, Account.NEXT_PAYER):
        earlier = standing.decided_for(owed)
        if earlier and _figures(one.taken_back() for one in earlier) == said:
            move = AdjudicationTransition.REVERSE if status is ClaimStatus.PAID and owed is Account.PAYER else None
            return Judged(tuple(one.taken_back() for one in earlier), move)
    if not standing.decided_for(Account.PAYER):
        return HoldReason.NOTHING_TO_REVERSE
    return HoldReason.REVERSAL_DIFFERS


def _figures(entries: Iterable[Entry]) -> dict[tuple[uuid.UUID | None, str | None], Decimal]:
    """Sums by line and reason. A reversal does not say which account an amount went to."""
    sums: defaultdict[tuple[uuid.UUID | None, str | None], Decimal] = defaultdict(lambda: ZERO)
    for one in entries:
        sums[one.line_id, one.reason_code] += one.amount
    return {key: amount for key, amount in sums.items() if amount}


def _entries(decision: ClaimPayment, matched: LineIds, owed: Account) -> Iterator[Entry]:
    """One entry for each payment and adjustment. They take from `owed` what the payer has decided about."""
    patient = Account.NEXT_PAYER if decision.crossed_over and owed is Account.PAYER else Account.PATIENT
    for at, line in enumerate(decision.lines):
        yield Entry(EntryKind.PAYMENT, Account.PAYER_CASH, owed, line.paid, matched[at])
        for one in line.adjustments:
            yield from _adjusted(one, matched[at], owed, patient)
    # what the payer adjusted for the claim as a whole is part of no line's payment
    rest = decision.paid - total(line.paid for line in decision.lines)
    yield Entry(EntryKind.PAYMENT, Account.PAYER_CASH, owed, rest)
    for one in decision.adjustments:
        yield from _adjusted(one, None, owed, patient)


def _adjusted(one: Adjustment, line_id: uuid.UUID | None, owed: Account, patient: Account) -> Iterator[Entry]:
    code = f"{one.group}-{one.reason}"
    if _is_prior(one):
        return
    if one.group == "PR":
        yield Entry(EntryKind.PATIENT_RESPONSIBILITY, patient, owed, one.amount, line_id, code)
    elif refuses(one):
        yield Entry(EntryKind.DENIAL, Account.DENIED, owed, one.amount, line_id, code)
    elif one.group == "CO":
        yield Entry(EntryKind.CONTRACTUAL, Account.CONTRACTUAL, owed, one.amount, line_id, code)
    else:
        yield Entry(EntryKind.OTHER_ADJUSTMENT, Account.OTHER, owed, one.amount, line_id, code)


def _is_prior(one: Adjustment) -> bool:
    """True if the adjustment repeats what earlier payers did, which is in the ledger already."""
    return one.group in ("OA", "CO") and one.reason == PRIOR_PAYER


def _outcome(decision: ClaimPayment) -> AdjudicationTransition:
    """Pay or deny, by what was done: many payers deny with the status of a processed claim."""
    if is_refused(decision):
        return AdjudicationTransition.DENY
    return AdjudicationTransition.PAY


def _left_to_patient(decision: ClaimPayment) -> Decimal:
    return max(total(one.amount for one in decision.all_adjustments() if one.group == "PR"), ZERO)


def _reasons(decision: ClaimPayment) -> str:
    """The payer's codes, each once: CO-50, then remarks."""
    codes = [f"{one.group}-{one.reason}" for one in decision.all_adjustments()]
    remarks = [*decision.remarks, *(remark for line in decision.lines for remark in line.remarks)]
    return ", ".join(dict.fromkeys((*codes, *remarks)))[:500] or "denied"
