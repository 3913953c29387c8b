"""Edits about documents, deadlines, other claims and the payer's own rules (E48 to E61). Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from app.billing.edits.background import OtherClaim
from app.billing.edits.declaration import Edit, EditSeverity, Fault, change_claim
from app.billing.edits.view import ClaimView
from app.billing.x12.ambulance import BASE_RATE_CODES, OTHER_BASE_CODES
from app.core.errors import Problem
from app.ems.public import Fix, SignatureStatus, StatementCode, time_of

_YES, _PHYSICIAN, _SCHEDULED = "9922005", "2605005", "2224007"
_CERTIFICATE, _SIGNED_ON, _SIGNER, _DESCRIPTORS, _METHOD = (
    "ePayment.02",
    "ePayment.03",
    "ePayment.05",
    "eResponse.24",
    "ePayment.01",
)
_FILED_PHYSICIAN = "physician"
_TRIED_LONG_ENOUGH = dt.timedelta(days=21)
_LONGEST_CERTIFIED, _AFTERWARDS = dt.timedelta(days=60), dt.timedelta(hours=48)
_DIALYSIS = frozenset("GJ")
_UTN = re.compile(r"[A-Z0-9]{14}")
_SOON = 30
_AGAIN = frozenset({"76", "77"})
_REPLACING = frozenset({"7", "8"})
_SELF_PAY = frozenset({"2601011", "2601007"})
_BEYOND_NEAREST, _BY_CHOICE = "A0888", frozenset({"B", "C"})


class _Certificate(NamedTuple):
    """`signed_at` is None of one that could not be got. `attempted_on` is the proof that the agency tried."""

    signed_at: dt.datetime | None
    by_physician: bool
    attempted_on: dt.date | None = None


def _certificates(view: ClaimView) -> Iterator[_Certificate]:
    """The certifications on file, and the one that the crew charted with its date."""
    for filed in view.background.certificates:
        signed_on = filed.signed_on
        signed_at = None if signed_on is None else dt.datetime.combine(signed_on, dt.time.min, view.zone)
        yield _Certificate(signed_at, filed.signer_role == _FILED_PHYSICIAN, filed.attempted_on)
    written = view.code(_SIGNED_ON)
    if view.code(_CERTIFICATE) == _YES and written is not None:
        try:
            signed_at = dt.datetime.fromisoformat(written)
        except ValueError:
            return
        zoned = signed_at if signed_at.tzinfo is not None else signed_at.replace(tzinfo=view.zone)
        yield _Certificate(zoned, view.code(_SIGNER) == _PHYSICIAN)


def _certified(view: ClaimView) -> Iterator[Fault]:
    if view.served_on is None:
        return
    judged = [list(_faults_of(one, view, view.served_on)) for one in _certificates(view)]
    if not judged:
        yield _uncertified("certificate_missing", "A non-emergency transport needs a physician's certification.")
    elif all(judged):
        yield from judged[0]


def _faults_of(one: _Certificate, view: ClaimView, served: dt.date) -> Iterator[Fault]:
    """Why a certification does not cover the transport. Nothing if it does."""
    if one.signed_at is None:
        tried = one.attempted_on is not None and view.today - served >= _TRIED_LONG_ENOUGH
        if _is_scheduled(view) or not tried:
            message = "The certification is not signed, and twenty-one days of trying are not over."
            yield _uncertified("certificate_unsigned", message)
    elif _is_scheduled(view):
        signed_on = one.signed_at.astimezone(view.zone).date()
        if not one.by_physician:
            yield _uncertified("certificate_signer", "Only the physician certifies scheduled, repetitive transports.")
        if signed_on > served:
            yield _uncertified("certificate_late", "Scheduled, repetitive transports are certified before the service.")
        elif served - signed_on > _LONGEST_CERTIFIED:
            yield _uncertified("certificate_old", "The certification was older than sixty days.")
    else:
        left = time_of(view.chart, "arrived_destination_time") or time_of(view.chart, "depart_scene_time")
        if left is not None and one.signed_at > left + _AFTERWARDS:
            yield _uncertified("certificate_late", "The certification came later than 48 hours after the transport.")


def _uncertified(code: str, message: str) -> Fault:
    return Fault(f"patient.elements.{_SIGNED_ON}", code, message)


def _is_scheduled(view: ClaimView) -> bool:
    return _SCHEDULED in view.codes(_DESCRIPTORS)


def _sign_on_file(view: ClaimView, problem: Problem) -> Fix | None:
    assigned = any(
        one.statement_code is StatementCode.ASSIGNMENT_OF_BENEFITS
        and one.patient_id == view.claim.patient_id
        and one.covers_current_chart
        for one in view.signatures
    )
    return change_claim(view, signature_on_file=True) if problem.code == "missing" and assigned else None


def _attested(view: ClaimView) -> Iterator[Fault]:
    signed = any(
        one.statement_code is StatementCode.CREW_ATTESTATION
        and one.status is SignatureStatus.SIGNED
        and one.covers_current_chart
        for one in view.signatures
    )
    if not signed:
        yield Fault("incident.signatures", "attestation_missing", "No signature of the crew covers the chart.")


def _authorised_series(view: ClaimView) -> Iterator[Fault]:
    number = view.claim.prior_authorization
    if number and not _UTN.fullmatch(number):
        message = "The number of a prior authorisation (UTN) has fourteen characters."
        yield Fault("prior_authorization", "tracking_number", message)
    elif not number and view.route is not None and _DIALYSIS & set(view.route):
        message = "Repetitive transports without prior authorisation are reviewed before payment."
        yield Fault("prior_authorization", "authorization_missing", message, EditSeverity.WARNING)


def _in_time(view: ClaimView) -> Iterator[Fault]:
    payer, served = view.background.payer, view.served_on
    if payer is None or payer.timely_filing_days is None or served is None:
        return
    left = (served + dt.timedelta(days=payer.timely_filing_days) - view.today).days
    if left < 0 and not view.claim.delay_reason:
        yield Fault("delay_reason", "filed_late", "The payer's time for filing is over: give the reason of the delay.")
    elif 0 <= left <= _SOON:
        message = f"The payer's time for filing ends within {_SOON} days."
        yield Fault("submitted_at", "filing_ends_soon", message, EditSeverity.WARNING)


def _filed_twice(view: ClaimView) -> Iterator[Fault]:
    if view.base is None:
        return
    own = (view.base[1].hcpcs, view.route)
    departed = time_of(view.chart, "depart_scene_time")
    same = [other for other in _alive(view) if not other.same_patient and own in _bases(other)]
    if any(other.departed_at == departed for other in same):
        yield Fault("lines", "duplicate", "Another claim bills the same transport of the same member.")
    elif same and not _AGAIN & {*view.base[1].modifiers} and not view.claim.note:
        message = "The member has the same transport twice on this day: give 76 or 77, or a note."
        yield Fault(f"lines[{view.base[0]}].modifiers", "second_trip", message, EditSeverity.WARNING)


def _alive(view: ClaimView) -> Iterator[OtherClaim]:
    return (other for other in view.background.others if not other.is_closed)


def _bases(other: OtherClaim) -> list[tuple[str, str | None]]:
    return [
        (hcpcs, modifiers[0] if modifiers else None)
        for hcpcs, modifiers in other.lines
        if hcpcs in BASE_RATE_CODES | OTHER_BASE_CODES
    ]


def _replacement(view: ClaimView) -> Iterator[Fault]:
    claim, payer = view.claim, view.background.payer
    if claim.frequency not in _REPLACING:
        return
    if not claim.payer_claim_control_number:
        message = "A replacement or void names the payer's own number of the claim."
        yield Fault("payer_claim_control_number", "missing", message)
    if view.is_medicare:
        message = "Medicare Part B takes no replacement and no void: ask for a reopening."
        yield Fault("frequency", "medicare_reopens", message)
    elif payer is not None and not payer.takes_replacements:
        yield Fault("frequency", "not_taken", "This payer takes no replacement and no void.")


def _earlier_payer(view: ClaimView) -> Iterator[Fault]:
    sequence = view.claim.payer_sequence
    earlier = [
        one
        for one in view.background.others
        if one.same_patient and "PST".index(one.payer_sequence) < "PST".index(sequence)
    ]
    if any(not one.is_decided for one in earlier):
        yield Fault("payer_sequence", "earlier_payer_undecided", "The payer before this one has not decided yet.")


def _authorised(view: ClaimView) -> Iterator[Fault]:
    payer = view.background.payer
    if payer is not None and payer.requires_prior_authorization and not view.claim.prior_authorization:
        yield Fault("prior_authorization", "missing", "This payer wants a prior authorisation.")


def _told(view: ClaimView) -> Iterator[Fault]:
    beyond = view.claim.transport_reason in _BY_CHOICE or any(line.hcpcs == _BEYOND_NEAREST for line in view.lines)
    if (beyond or view.base_code in OTHER_BASE_CODES) and not view.claim.note:
        yield Fault("note", "missing", "A note should tell the payer what the codes do not.")


def _self_pay(view: ClaimView) -> Iterator[Fault]:
    if _SELF_PAY & {*view.codes(_METHOD)}:
        yield Fault("payer_name", "self_pay", "The chart says that the patient pays, or that nobody is billed.")


DOCUMENT_EDITS = (
    Edit(
        id="E48",
        what="A physician's certification (PCS) covers a non-emergency transport.",
        why="Medicare pays none without it. A physician signs within the 60 days before a scheduled, repetitive one."
        " Another one is certified at most 48 hours after it.",
        source="42 CFR 410.40(e)",
        fix="Get the certification, and chart its date and signer.",
        applies=lambda view: view.is_medicare and view.is_non_emergency and not view.pronounced_dead,
        judge=_certified,
    ),
    Edit(
        id="E49",
        what="The claim says whether the patient's signature is on file, and the chart's own covers the chart.",
        why="The signature assigns the benefits. It must be on file before the claim goes out.",
        source="42 CFR 424.36; 2300 CLM06, CLM08, CLM09",
        fix="Have the assignment of benefits signed, or say that it is on paper.",
        structural=("signature_on_file",),
        offer=_sign_on_file,
    ),
    Edit(
        id="E50",
        what="The crew's signature covers the chart, where the agency wants one.",
        why="Reviewers ask for signed records that show the licence level.",
        source="42 CFR 410.41; Medicare Program Integrity Manual, chapter 3, section 3.3.2.4",
        fix="Have the crew sign the chart.",
        severity=EditSeverity.WARNING,
        applies=lambda view: view.profile.require_crew_signature,
        judge=_attested,
    ),
    Edit(
        id="E51",
        what="A scheduled, repetitive transport comes with the tracking number of its prior authorisation.",
        why="Another value in its place rejects the claim.",
        source="CMS, prior authorization of repetitive scheduled non-emergent ambulance transport; 2300 REF*G1",
        fix="Copy the fourteen characters of the decision letter.",
        structural=("prior_authorization",),
        applies=lambda view: view.is_medicare and view.is_non_emergency and _is_scheduled(view),
        judge=_authorised_series,
    ),
    Edit(
        id="E52",
        what="The claim is within the payer's time for filing, or says why not.",
        why="A late claim is refused without appeal (CARC 29).",
        source="42 CFR 424.44; 2300 CLM20; the payer's own rule",
        fix="File at once, or give the reason of the delay.",
        structural=("delay_reason",),
        judge=_in_time,
    ),
    Edit(
        id="E53",
        what="No other claim bills the same transport. A second trip of a day is marked.",
        why="Payers refuse duplicates (CARC 18).",
        source="CARC 18",
        fix="Close the duplicate, or give the second trip 76, 77 or a note.",
        judge=_filed_twice,
    ),
    Edit(
        id="E54",
        what="A replacement or void names the payer's number, and goes to a payer that takes it.",
        why="Others take it for a duplicate.",
        source="2300 CLM05-3, REF*F8",
        fix="Send an original, or ask for a reopening.",
        structural=("frequency", "payer_claim_control_number"),
        judge=_replacement,
    ),
    Edit(
        id="E55",
        what="The payer before a secondary or tertiary one has decided.",
        why="The next payer pays what the earlier one left.",
        source="2320, 2430",
        fix="Wait for the remittance of the payer before.",
        applies=lambda view: view.claim.payer_sequence != "P",
        judge=_earlier_payer,
    ),
    Edit(
        id="E56",
        what="There is a prior authorisation where the payer wants one.",
        why="Claims without it are denied (CARC 197).",
        source="2300 REF*G1; the payer's own rule",
        fix="Enter the number of the authorisation.",
        applies=lambda view: view.is_non_emergency,
        judge=_authorised,
    ),
    Edit(
        id="E57",
        what="A code without a description of its own has one, and a note tells what the codes do not.",
        why="A payer cannot judge A0998, A0999 or a farther facility without words.",
        source="2400 SV101-7; 2300 NTE*ADD",
        fix="Describe the service, or add a note.",
        severity=EditSeverity.WARNING,
        structural=("note", "lines.description"),
        judge=_told,
    ),
    Edit(
        id="E58",
        what="The patient is not billed by a claim where the chart says that they pay themselves.",
        why="There is nobody to send the claim to.",
        source="ePayment.01",
        fix="Enter the coverage, or close the claim and send an invoice.",
        severity=EditSeverity.WARNING,
        judge=_self_pay,
    ),
    Edit(
        id="E61",
        what="The chart has the patient, and this unit transported them.",
        why="There is no transport to claim.",
        source="42 CFR 410.40(a); eDisposition.30",
        fix="Correct the chart, or close the claim.",
        structural=("patient_id", "patient.elements.eDisposition.30"),
    ),
)
