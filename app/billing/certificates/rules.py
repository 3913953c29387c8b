"""What keeps a certification from ever being good for its transport. Source: 42 CFR 410.40(e).

Scheduled repetitive transports: an order of the attending physician, dated at most 60 days before the service. Other
transports: a certification within 48 hours after the transport; one of another professional if the physician's is not
to be had; if neither is there after 21 days, documented attempts. What may still be good, an edit of the claim judges.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from app.billing.certificates.models import Certificate, CertifierRole
from app.core.errors import Problem

REPETITIVE_FOR = dt.timedelta(days=60)
OBTAINED_WITHIN = dt.timedelta(days=21)


def certificate_problems(certificate: Certificate, served_on: dt.date | None) -> Iterator[Problem]:
    """`served_on` is the agency-local day of the transport; None if it is not charted."""
    yield from _basis_problems(certificate)
    yield from _repetitive_problems(certificate) if certificate.is_repetitive else _single_problems(certificate)
    if served_on is not None:
        yield from _late(certificate, served_on)


def _basis_problems(certificate: Certificate) -> Iterator[Problem]:
    """A certification is signed, by somebody of a known role, or there is an attempt to get it."""
    if certificate.signed_on is None and certificate.attempted_on is None:
        yield Problem.missing("signed_on", "Say when it was signed, or when the agency tried to have it signed.")
    for field, needed in (("signer_name", certificate.signed_on), ("signer_role", certificate.signed_on)):
        if needed is not None and getattr(certificate, field) is None:
            yield Problem.missing(field, "A signed certification says who signed it, and as what.")
    if certificate.attempted_on is not None and certificate.attempt is None:
        yield Problem.missing("attempt", "Say what was tried, such as the number of the certified letter.")


def _repetitive_problems(certificate: Certificate) -> Iterator[Problem]:
    signed_on, first, last = certificate.signed_on, certificate.valid_from, certificate.valid_to
    if signed_on is None:
        yield Problem("attempted_on", "not_enough", "Repetitive transports need a signed order; attempts will not do.")
    elif certificate.signer_role not in (None, CertifierRole.PHYSICIAN):
        yield Problem("signer_role", "not_physician", "Repetitive transports need the attending physician's order.")
    if first is None or last is None:
        for field in ("valid_from", "valid_to"):
            if getattr(certificate, field) is None:
                yield Problem.missing(field, "Say for which days the order for repetitive transports holds.")
    elif last < first:
        yield Problem("valid_to", "before_its_beginning", "The last day is before the first one.")
    elif signed_on is not None and first < signed_on:
        yield Problem("valid_from", "before_signature", "An order holds from its signature at the earliest.")
    elif signed_on is not None and last > signed_on + REPETITIVE_FOR:
        yield Problem("valid_to", "too_long", "An order for repetitive transports holds for 60 days at most.")


def _single_problems(certificate: Certificate) -> Iterator[Problem]:
    for field in ("valid_from", "valid_to"):
        if getattr(certificate, field) is not None:
            yield Problem(field, "not_repetitive", "Only an order for repetitive transports holds for several days.")


def _late(certificate: Certificate, served_on: dt.date) -> Iterator[Problem]:
    signed_on, attempted_on = certificate.signed_on, certificate.attempted_on
    if signed_on is not None and certificate.is_repetitive:
        if signed_on > served_on:
            yield Problem("signed_on", "after_transport", "An order for repetitive transports is signed before them.")
        elif served_on > signed_on + REPETITIVE_FOR:
            yield Problem("signed_on", "too_old", "The order was signed more than 60 days before the transport.")
    elif signed_on is not None and signed_on > served_on + OBTAINED_WITHIN:
        yield Problem("signed_on", "after_limit", "It was signed more than 21 days after the transport.")
    if attempted_on is not None and attempted_on < served_on:
        yield Problem("attempted_on", "before_transport", "The attempts count from the day of the transport.")
