"""Edits about the agency, the file, the patient, the insured and the payer (E01 to E16). Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from app.billing.edits.declaration import Edit, EditSeverity, Fault, change_claim
from app.billing.edits.view import ClaimView
from app.billing.x12.segments import bare_digits

_GUIDE = "ASC X12 005010X222A1"
_OLDEST = 120
_MBI = re.compile(
    r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y]{2}\d{2}"
)
_SELF = "18"
_NEEDED_OF_SUBSCRIBERS = ("relationship", "last_name", "date_of_birth", "sex")
_SEQUENCE = "PST"


def _filler_zip(view: ClaimView) -> Iterator[Fault]:
    if bare_digits(view.profile.zip or "")[5:] in ("0000", "9999"):
        yield Fault("tenant.zip", "filler_zip", "The last four digits of the billing ZIP code look made up.")


def _birth(view: ClaimView) -> Iterator[Fault]:
    born, served = view.chart.patient.date_of_birth, view.served_on or view.today
    if born is not None and born > view.today:
        yield Fault("patient.date_of_birth", "birth_future", "The date of birth lies in the future.")
    elif born is not None and (served - born).days > _OLDEST * 366:
        yield Fault("patient.date_of_birth", "too_old", f"The patient would be older than {_OLDEST} years.")


def _subscriber(view: ClaimView) -> Iterator[Fault]:
    subscriber = view.claim.subscriber
    if subscriber is not None:
        if subscriber.get("relationship") == _SELF:
            yield Fault("subscriber", "self_as_other", "A patient who is the subscriber needs no second subscriber.")
        for name in _NEEDED_OF_SUBSCRIBERS:
            if not subscriber.get(name):
                yield Fault(f"subscriber.{name}", "missing", f"The subscriber's {name.replace('_', ' ')} is missing.")
        return
    own = next((one for one in view.background.coverages if one.id == view.claim.coverage_id), None)
    if own is not None and own.relationship != _SELF:
        yield Fault("subscriber", "missing", "The coverage is somebody else's: the claim must name its subscriber.")


def _medicare_number(view: ClaimView) -> Iterator[Fault]:
    number = view.claim.member_id
    if number and not _MBI.fullmatch(number):
        yield Fault("member_id", "medicare_number", "This is no Medicare number (MBI): it has eleven characters.")


def _listed_payer(view: ClaimView) -> Iterator[Fault]:
    record, claim = view.background.payer, view.claim
    if record is None:
        if claim.payer_id:
            yield Fault(
                "payer_record_id", "payer_unlisted", "The payer is not among the agency's payers.", EditSeverity.WARNING
            )
        return
    for name in ("payer_id", "claim_filing_code"):
        value = getattr(claim, name)
        if value and value != getattr(record, name):
            yield Fault(
                name,
                "differs_from_payer",
                f"The {name.replace('_', ' ')} is not the one of the payer's record.",
                EditSeverity.WARNING,
                change_claim(view, **{name: getattr(record, name)}),
            )


def _order_of_payers(view: ClaimView) -> Iterator[Fault]:
    before = _SEQUENCE[: _SEQUENCE.index(view.claim.payer_sequence)]
    known = {one.payer_sequence for one in view.background.others if one.same_patient}
    known |= {one.sequence for one in view.background.coverages}
    if not set(before) <= known:
        yield Fault("payer_sequence", "payer_skipped", "There is no payer before this one: sequences have no gaps.")


def _why_medicare_is_not_first(view: ClaimView) -> Iterator[Fault]:
    if not view.claim.insurance_type:
        message = "Medicare that is not primary says why another payer comes first (SBR05)."
        yield Fault("insurance_type", "missing", message)


def _coverage_period(view: ClaimView) -> Iterator[Fault]:
    own = next((one for one in view.background.coverages if one.id == view.claim.coverage_id), None)
    if own is None or view.served_on is None:
        return
    began, ended = own.effective_from or dt.date.min, own.effective_to or dt.date.max
    if not began <= view.served_on <= ended:
        yield Fault("coverage_id", "coverage_inactive", "The coverage was not in force on the day of service.")


PARTY_EDITS = (
    Edit(
        id="E01",
        what="The agency is named, and its NPI has ten digits and the right check digit.",
        why="Payers find the agency by its NPI. A mistyped one is refused, or pays somebody else.",
        source="45 CFR 162.406; 2010AA NM1",
        fix="Correct the NPI or the legal name in the agency's profile.",
        structural=("tenant.npi", "tenant.legal_name"),
    ),
    Edit(
        id="E02",
        what="The agency's tax id (EIN) has nine digits.",
        why="The payment is reported to the tax office under it.",
        source="2010AA REF*EI",
        fix="Correct the tax id in the agency's profile.",
        structural=("tenant.ein",),
    ),
    Edit(
        id="E03",
        what="The taxonomy has ten characters and ends in X.",
        why="It tells the payer which kind of supplier bills.",
        source="2000A PRV03",
        fix="Correct the taxonomy in the agency's profile.",
        structural=("tenant.taxonomy",),
    ),
    Edit(
        id="E04",
        what="The billing address is a street with city and state, not a post office box.",
        why="The guide does not allow a box in 2010AA. Mail for a box goes to the pay-to address.",
        source="2010AA N3, N4; 2010AB",
        fix="Enter the street, and the box as the pay-to address.",
        structural=("tenant.street", "tenant.city", "tenant.state", "tenant.pay_to"),
    ),
    Edit(
        id="E05",
        what="The billing ZIP code has nine digits that the Postal Service gave.",
        why="The guide wants nine digits. Filler such as 0000 or 9999 is found by payers that look it up.",
        source="2010AA N403",
        fix="Enter the ZIP+4 of the street.",
        severity=EditSeverity.WARNING,
        structural=("tenant.zip",),
        judge=_filler_zip,
    ),
    Edit(
        id="E06",
        what="Sender, receiver and contact of the file are named. The contact's telephone has ten digits.",
        why="A clearinghouse cannot take a file whose sender it does not know.",
        source="ISA05 to ISA08; 1000A, 1000B",
        fix="Complete the agency's profile.",
        structural=(
            "tenant.submitter_id",
            "tenant.submitter_qualifier",
            "tenant.receiver_id",
            "tenant.receiver_qualifier",
            "tenant.receiver_name",
            "tenant.billing_contact_name",
            "tenant.phone",
            "envelope",
            "submitter",
            "receiver",
        ),
    ),
    Edit(
        id="E07",
        what="The claim number has at most twenty characters of A to Z, 0 to 9 and hyphen, and is used once.",
        why="Payers return twenty characters at most. The answer could not be matched to the claim.",
        source="2300 CLM01; 2400 REF*6R",
        fix="Nothing to do: the service gives the numbers.",
        structural=("claim_number", "batch"),
    ),
    Edit(
        id="E08",
        what="Every text can be spelled in the characters of X12 and fits its element.",
        why="A sign that X12 does not know, or a text that is too long, makes the whole file unreadable.",
        source=f"{_GUIDE}, appendix B",
        fix="Spell the text in plain letters, or shorten it.",
        structural=("*:unspellable", "*:characters", "*:too_long", "*:too_short"),
    ),
    Edit(
        id="E09",
        what="The patient has a name, a sex and a date of birth that a living person can have.",
        why="Payers look the member up by name and date of birth.",
        source="2010BA NM1, DMG; 2010CA",
        fix="Correct the patient in the chart.",
        structural=(
            "patient.last_name",
            "patient.first_name",
            "patient.middle_name",
            "patient.name_suffix",
            "patient.date_of_birth",
            "patient.gender",
        ),
        judge=_birth,
    ),
    Edit(
        id="E10",
        what="The patient's address has street, city, state and a ZIP code that exists.",
        why="The guide requires it of a patient who is the subscriber, and of a dependent.",
        source="2010BA N3, N4; 2010CA N3, N4",
        fix="Correct the patient's address in the chart. Abroad, the country takes the place of the state.",
        structural=("patient.home",),
    ),
    Edit(
        id="E11",
        what="A patient who is not the subscriber comes with the subscriber's name, date of birth and sex.",
        why="The payer finds the policy by the subscriber.",
        source="2000B SBR02; 2000C PAT01; 2010BA NM1",
        fix="Complete the coverage's subscriber.",
        structural=("subscriber", "patient.relationship"),
        judge=_subscriber,
    ),
    Edit(
        id="E12",
        what="There is a member id. A Medicare number has the form of an MBI.",
        why="Medicare has refused numbers made of a social security number since 2020.",
        source="CMS, MBI format; 2010BA NM109",
        fix="Copy the number from the patient's card.",
        structural=("member_id", "group_number"),
        applies=lambda view: view.is_medicare,
        judge=_medicare_number,
    ),
    Edit(
        id="E13",
        what="The payer has a name, an id at the clearinghouse and a filing code, as the agency's record says.",
        why="A claim with another id goes to another payer.",
        source="2010BB NM1; 2000B SBR09",
        fix="Choose the payer among the agency's payers.",
        structural=("payer_name", "payer_id", "claim_filing_code"),
        judge=_listed_payer,
    ),
    Edit(
        id="E14",
        what="Payers come in the order primary, secondary, tertiary, without a gap.",
        why="A payer that is not first wants to know what the one before it paid.",
        source="2000B SBR01",
        fix="Enter the coverage that comes first.",
        structural=("payer_sequence",),
        judge=_order_of_payers,
    ),
    Edit(
        id="E15",
        what="Medicare says why it is not primary. No other claim says so.",
        why="Medicare pays second only for the reasons that the law lists.",
        source="2000B SBR05",
        fix="Say the type of insurance, such as 12 for an aged worker.",
        structural=("insurance_type",),
        applies=lambda view: view.is_medicare and view.claim.payer_sequence != "P",
        judge=_why_medicare_is_not_first,
    ),
    Edit(
        id="E16",
        what="The coverage was in force on the day of service.",
        why="A payer refuses what lies before or after the coverage (CARC 26, 27).",
        source="CARC 26, 27",
        fix="Correct the coverage's dates, or bill the payer of that day.",
        severity=EditSeverity.WARNING,
        judge=_coverage_period,
    ),
)
