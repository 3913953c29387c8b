"""Ambulance claims on the print grid of the CMS-1500 (02/12): ten characters an inch, six lines an inch.

The grid is that of the preprinted form. Lines and columns count from 1. Source of the rules: Medicare Claims Processing
Manual, chapter 15, section 30.1.2 and chapter 26, section 10; other payers take the same form.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.billing.x12.field_rules import Fault
from app.billing.x12.parties import Patient, PersonName, PostalAddress, Subscriber
from app.billing.x12.professional_claim import ClaimSubmission, ServiceLine
from app.billing.x12.record_check import ContentProblem, problem
from app.billing.x12.segments import bare_digits, x12_text

COLUMNS, LINES = 80, 66
LINES_PER_FORM = 6
_FIRST_SERVICE = 44
_ON_FILE = "SIGNATURE ON FILE"
_MEDICARE = frozenset({"MA", "MB"})
_KIND_OF_INSURANCE = {"MA": 1, "MB": 1, "MC": 8, "CH": 15, "VA": 24, "BL": 31, "CI": 31, "HM": 31, "12": 31}
"""Item 1: the column of the X by claim filing code. Any other code is "other"."""
_OTHER_INSURANCE = 45
_RELATIONSHIP = {"18": 33, "01": 38, "19": 42}
_OTHER_RELATIONSHIP = 47
_WIDTHS = {
    "subscriber.member_id": 17,
    "subscriber.group_number": 29,
    "claim.payer_claim_control_number": 18,
    "claim.prior_authorization": 29,
    "claim.id": 15,
}
"""Numbers that others must recognise, with the width of their item. A longer one would be cut, so it is refused."""


@dataclass(frozen=True)
class Leg:
    """The services of one form: those of one way. `pick_up` is where the way began, so it has one ZIP code."""

    pick_up: PostalAddress | None
    lines: Sequence[ServiceLine]


def form_problems(submission: ClaimSubmission) -> Iterator[ContentProblem]:
    """Problems that a claim has on paper only."""
    for path, width in _WIDTHS.items():
        record, name = path.split(".")
        value = getattr(getattr(submission, record), name)
        if value is not None and len(x12_text(value)) > width:
            yield problem(path, Fault("TOO_LONG_FOR_PAPER", f"is longer than the {width} characters of the form"))


def render_forms(signed_on: dt.date, batch: Sequence[ClaimSubmission]) -> bytes:
    """The forms of all claims as ASCII text. A form feed ends each. `signed_on` is the date of item 31.

    A round trip has a form for each way, since a form names one pick-up ZIP code only. More than six services need
    further forms. Each form has its own total.
    """
    pages = [_form(submission, leg, signed_on) for submission in batch for leg in _legs(submission)]
    return "".join(f"{page}\f" for page in pages).encode("ascii")


def _legs(submission: ClaimSubmission) -> Iterator[Leg]:
    claim = submission.claim
    back = claim.drop_off.address if claim.drop_off else None
    first = _route(claim.lines[0])
    ways = [
        (claim.pick_up, [line for line in claim.lines if _route(line) != first[::-1] or _is_there_and_back(first)]),
        (back, [line for line in claim.lines if _route(line) == first[::-1] and not _is_there_and_back(first)]),
    ]
    for pick_up, lines in ways:
        for start in range(0, len(lines), LINES_PER_FORM):
            yield Leg(pick_up, lines[start : start + LINES_PER_FORM])


def _route(line: ServiceLine) -> str:
    return line.modifiers[0] if line.modifiers else ""


def _is_there_and_back(route: str) -> bool:
    """True if both ways have the same modifier, or there is none: the ways cannot be told apart."""
    return route == route[::-1]


class _Page:
    """A form that is being filled in."""

    def __init__(self) -> None:
        self._rows = [[" "] * COLUMNS for _ in range(LINES)]

    def put(self, line: int, column: int, text: str | None, width: int) -> None:
        """Writes upper-case ASCII text. What does not fit into the item is cut."""
        for at, sign in enumerate(x12_text(text or "")[:width]):
            self._rows[line - 1][column - 1 + at] = sign

    def mark(self, line: int, column: int) -> None:
        self.put(line, column, "X", 1)

    def date(self, line: int, columns: Sequence[int], value: dt.date | None, *, century: bool = True) -> None:
        if value is None:
            return
        year = f"{value.year:04}" if century else f"{value.year % 100:02}"
        for column, text in zip(columns, (f"{value.month:02}", f"{value.day:02}", year), strict=True):
            self.put(line, column, text, len(text))

    def money(self, line: int, column: int, amount: Decimal, width: int) -> None:
        """Dollars and cents, with a blank where the form has the line between them."""
        dollars, cents = f"{amount:.2f}".split(".")
        self.put(line, column + max(width - 3 - len(dollars), 0), dollars, width - 3)
        self.put(line, column + width - 2, cents, 2)

    def text(self) -> str:
        return "".join("".join(row).rstrip() + "\n" for row in self._rows)


def _form(submission: ClaimSubmission, leg: Leg, signed_on: dt.date) -> str:
    page = _Page()
    _payer(page, submission)
    _people(page, submission)
    _conditions(page, submission)
    _services(page, submission, leg)
    _provider(page, submission, leg, signed_on)
    return page.text()


def _payer(page: _Page, submission: ClaimSubmission) -> None:
    """The payer's address above the form, and item 1."""
    payer, subscriber = submission.payer, submission.subscriber
    rows = [payer.name]
    if payer.address is not None:
        rows += [payer.address.line1, payer.address.line2 or "", _city_line(payer.address)]
    for line, text in enumerate((row for row in rows if row), start=2):
        page.put(line, 41, text, 31)
    page.mark(8, _KIND_OF_INSURANCE.get(subscriber.claim_filing_code, _OTHER_INSURANCE))
    page.put(8, 50, subscriber.member_id, 17)


def _people(page: _Page, submission: ClaimSubmission) -> None:
    """Items 2 to 7 and 11: patient and insured. Of the insured, primary Medicare wants nothing but NONE in item 11."""
    subscriber = submission.subscriber
    person: Patient | Subscriber = submission.patient or subscriber
    page.put(10, 1, _name(person.name), 28)
    page.date(10, (31, 34, 37), person.birth_date)
    _sex(page, 10, (42, 47), person.sex)
    if person.address is not None:
        _address(page, person.address, (1, 26, 1), street=28, city=24)
    if subscriber.claim_filing_code in _MEDICARE and subscriber.payer_sequence == "P":
        page.put(18, 50, "NONE", 29)
        return
    page.put(10, 50, _name(subscriber.name), 28)
    relationship = submission.patient.relationship if submission.patient else "18"
    page.mark(12, _RELATIONSHIP.get(relationship, _OTHER_RELATIONSHIP))
    if subscriber.address is not None:
        _address(page, subscriber.address, (50, 74, 50), street=28, city=23)
    page.put(18, 50, subscriber.group_number, 29)
    page.date(20, (53, 56, 59), subscriber.birth_date)
    _sex(page, 20, (68, 75), subscriber.sex)
    page.put(24, 50, submission.payer.name, 29)
    page.mark(26, 57 if subscriber.payer_sequence == "P" else 52)


def _conditions(page: _Page, submission: ClaimSubmission) -> None:
    """Items 10 to 23 that follow from the claim."""
    claim = submission.claim
    causes = claim.accident.causes if claim.accident else ()
    for line, cause in ((20, "EM"), (22, "AA"), (24, "OA")):
        page.mark(line, 35 if cause in causes else 41)
    if claim.accident is not None:
        page.put(22, 45, claim.accident.state, 2)
        if claim.accident.occurred_on is not None:
            page.put(32, 31, "439", 3)
            page.date(32, (37, 40, 43), claim.accident.occurred_on)
    if claim.signature_on_file:
        page.put(29, 7, _ON_FILE, 25)
    if claim.benefits_assigned == "Y":
        page.put(29, 55, _ON_FILE, 24)
    if claim.referring_provider is not None:
        page.put(34, 1, "DN", 2)
        page.put(34, 4, _name(claim.referring_provider.name), 25)
        page.put(34, 33, claim.referring_provider.npi, 10)
    page.put(36, 1, claim.note, 48)
    page.mark(36, 57)
    page.put(37, 42, "0", 1)
    for at, code in enumerate(claim.diagnoses):
        page.put(38 + at // 4, (3, 16, 29, 42)[at % 4], code.replace(".", ""), 8)
    if claim.payer_claim_control_number:
        page.put(38, 50, claim.frequency, 1)
        page.put(38, 62, claim.payer_claim_control_number, 18)


def _services(page: _Page, submission: ClaimSubmission, leg: Leg) -> None:
    """Items 23, 24 and 28. Medicare reads the pick-up's ZIP in item 23; another payer, the authorisation if any."""
    claim = submission.claim
    zip_code = bare_digits(leg.pick_up.zip_code or "")[:5] if leg.pick_up else ""
    is_medicare = submission.subscriber.claim_filing_code in _MEDICARE
    page.put(40, 50, zip_code if is_medicare or not claim.prior_authorization else claim.prior_authorization, 29)
    for line, service in zip(range(_FIRST_SERVICE, LINES, 2), leg.lines, strict=False):
        for columns in ((1, 4, 7), (10, 13, 16)):
            page.date(line, columns, service.service_date, century=False)
        page.put(line, 19, claim.place_of_service, 2)
        page.put(line, 22, "Y" if service.emergency else "", 1)
        page.put(line, 25, service.hcpcs, 6)
        for column, modifier in zip((33, 36, 39, 42), service.modifiers, strict=False):
            page.put(line, column, modifier, 2)
        page.put(line, 45, "".join(chr(ord("A") + pointer - 1) for pointer in service.diagnosis_pointers), 4)
        page.money(line, 50, service.charge, 8)
        page.put(line, 59, _plain(service.units), 5)
        if claim.rendering_provider is not None:
            page.put(line, 68, claim.rendering_provider.npi, 10)
    page.money(56, 52, sum((service.charge for service in leg.lines), Decimal(0)), 9)
    page.money(56, 62, claim.patient_amount_paid or Decimal(0), 8)


def _provider(page: _Page, submission: ClaimSubmission, leg: Leg, signed_on: dt.date) -> None:
    """Items 25 to 33. Item 32 is where the service began, the place whose ZIP code item 23 names."""
    claim, provider = submission.claim, submission.billing_provider
    page.put(56, 1, bare_digits(provider.ein), 15)
    page.mark(56, 19)
    page.put(56, 23, claim.id, 15)
    page.mark(56, 38 if claim.assignment == "A" else 43)
    page.put(60, 1, _ON_FILE, 21)
    page.put(61, 6, f"{signed_on:%m %d %y}", 8)
    if leg.pick_up is not None:
        for line, text in enumerate((leg.pick_up.line1, leg.pick_up.line2 or "", _city_line(leg.pick_up)), start=58):
            page.put(line, 23, text, 26)
    paid_to = provider.pay_to_address or provider.address
    if provider.contact is not None:
        phone = bare_digits(provider.contact.phone)
        page.put(57, 66, phone[:3], 3)
        page.put(57, 70, phone[3:], 7)
    for line, text in enumerate((provider.legal_name, paid_to.line1, _city_line(paid_to)), start=58):
        page.put(line, 50, text, 29)
    page.put(61, 50, provider.npi, 10)


def _name(name: PersonName) -> str:
    """Last, first, middle with commas, as the form wants them; a suffix follows the last name."""
    last = f"{name.last} {name.suffix}" if name.suffix else name.last
    return ", ".join(part for part in (last, name.first, (name.middle or "")[:1]) if part)


def _city_line(address: PostalAddress) -> str:
    return " ".join(part for part in (address.city, address.state, address.zip_code) if part)


def _address(page: _Page, address: PostalAddress, columns: tuple[int, int, int], *, street: int, city: int) -> None:
    """Items 5 and 7: street, city, state and ZIP code."""
    left, state, code = columns
    page.put(12, left, " ".join(part for part in (address.line1, address.line2) if part), street)
    page.put(14, left, address.city, city)
    page.put(14, state, address.state, 3)
    page.put(16, code, address.zip_code, 12)


def _sex(page: _Page, line: int, columns: tuple[int, int], sex: str | None) -> None:
    male, female = columns
    if sex in ("M", "F"):
        page.mark(line, male if sex == "M" else female)


def _plain(units: Decimal) -> str:
    return re.sub(r"\.?0+$", "", f"{units:f}") if "." in f"{units:f}" else f"{units:f}"
