"""What a coverage may hold. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from app.billing.coverages.models import Coverage, Relationship
from app.billing.medicare import is_medicare
from app.billing.payers.models import PayerRecord
from app.core.addresses import address_problems
from app.core.errors import Problem

PRIMARY = "P"
SUBSCRIBER = tuple(column.key for column in Coverage.__table__.columns if column.key.startswith("subscriber_"))
"""The columns about a subscriber who is not the patient."""


def coverage_problems(coverage: Coverage, payer: PayerRecord | None, served_on: dt.date | None) -> Iterator[Problem]:
    """Everything in the coverage that does not go together.

    `payer` is the payer that it names, None if it names none or a deleted one. `served_on` is the date of service,
    None if the chart does not say it yet.
    """
    yield from _subscriber(coverage)
    yield from _insurance_type(coverage, payer)
    yield from _dates(coverage, served_on)


def _subscriber(coverage: Coverage) -> Iterator[Problem]:
    if coverage.relationship is not Relationship.SELF:
        if coverage.subscriber_last_name is None:
            message = "Name the subscriber, whose coverage it is, or give relationship 18."
            yield Problem.missing("subscriber_last_name", message)
        yield from address_problems(coverage, "subscriber_")
        return
    for name in SUBSCRIBER:
        if getattr(coverage, name) is not None:
            message = "The patient is the subscriber (relationship 18): the chart says who that is."
            yield Problem(name, "patient_is_subscriber", message)


def _insurance_type(coverage: Coverage, payer: PayerRecord | None) -> Iterator[Problem]:
    if coverage.insurance_type is None:
        return
    unknown_payer = payer is None and coverage.payer_record_id is not None
    if not unknown_payer and not is_medicare(None if payer is None else payer.claim_filing_code):
        message = "Only Medicare wants to know why it is not the primary payer: leave it out."
        yield Problem("insurance_type", "not_medicare", message)
    if coverage.sequence == PRIMARY:
        message = "It says why Medicare is not the primary payer, and this coverage is primary."
        yield Problem("insurance_type", "primary", message)


def _dates(coverage: Coverage, served_on: dt.date | None) -> Iterator[Problem]:
    begins, ends = coverage.effective_from, coverage.effective_to
    if begins is not None and ends is not None and ends < begins:
        yield Problem("effective_to", "before_the_first_day", "The coverage ends before it begins.")
        return
    if served_on is None:
        return
    if begins is not None and served_on < begins:
        yield Problem("effective_from", "after_the_service", "The coverage began after the date of service.")
    if ends is not None and ends < served_on:
        yield Problem("effective_to", "before_the_service", "The coverage ended before the date of service.")
