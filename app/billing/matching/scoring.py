"""How well a billing account fits a patient. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from app.billing.accounts.models import BillingAccount
from app.core.text import name_key
from app.ems.public import PatientRead


class MatchFact(StrEnum):
    """What is compared. `guarantor`: the charted guardian of a minor has the name of the account's person."""

    MEMBER_ID = "member_id"
    DATE_OF_BIRTH = "date_of_birth"
    LAST_NAME = "last_name"
    FIRST_NAME = "first_name"
    GUARANTOR = "guarantor"


_POINTS = {
    MatchFact.MEMBER_ID: 40,
    MatchFact.DATE_OF_BIRTH: 25,
    MatchFact.LAST_NAME: 20,
    MatchFact.FIRST_NAME: 15,
    MatchFact.GUARANTOR: 35,
}
_OTHER_BIRTH_DATE = -10
HIGHEST, LOWEST = 100, 30
"""The best score, and the lowest that is proposed. Nothing is joined by a score: a biller confirms."""


class Candidate(NamedTuple):
    """An account that may be the patient's.

    `same_person`: a patient of these names and this birth date is joined to it. `same_member`: a patient with the same
    member id is.
    """

    account: BillingAccount
    same_person: bool
    same_member: bool


class Match(NamedTuple):
    """`reasons` agree, `differs` disagree. A fact that either side lacks is in neither."""

    account: BillingAccount
    score: int
    reasons: list[MatchFact]
    differs: list[MatchFact]


def matched(patient: PatientRead, guarantor: tuple[str, str] | None, candidate: Candidate) -> Match | None:
    """The match; None for one that is too weak to show. `guarantor` has the keys of the charted guardian's names."""
    account = candidate.account
    agree, differ = _compared(patient, account)
    if candidate.same_person:
        agree, differ = {MatchFact.LAST_NAME, MatchFact.FIRST_NAME, MatchFact.DATE_OF_BIRTH}, set()
    if guarantor is not None and guarantor == (account.last_name_key, account.first_name_key):
        agree.add(MatchFact.GUARANTOR)
        differ.clear()  # the account is the guardian's, not the child's
    if candidate.same_member:
        agree.add(MatchFact.MEMBER_ID)
    score = sum(_POINTS[fact] for fact in agree)
    if MatchFact.DATE_OF_BIRTH in differ:
        score += _OTHER_BIRTH_DATE
    if score < LOWEST:
        return None
    reasons, differs = ([fact for fact in MatchFact if fact in facts] for facts in (agree, differ))
    return Match(account, min(score, HIGHEST), reasons, differs)


def _compared(patient: PatientRead, account: BillingAccount) -> tuple[set[MatchFact], set[MatchFact]]:
    pairs = {
        MatchFact.LAST_NAME: (name_key(patient.last_name or ""), account.last_name_key),
        MatchFact.FIRST_NAME: (name_key(patient.first_name or ""), account.first_name_key),
        MatchFact.DATE_OF_BIRTH: (patient.date_of_birth, account.date_of_birth),
    }
    known = {fact: one == other for fact, (one, other) in pairs.items() if one and other}
    return {fact for fact, same in known.items() if same}, {fact for fact, same in known.items() if not same}
