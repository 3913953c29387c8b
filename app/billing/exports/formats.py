"""The formats of claim files: each is one adapter, declared in FORMATS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.billing.claims.content import api_field
from app.billing.claims.submission import Transmission
from app.billing.exports.models import ClaimFileFormat
from app.billing.exports.table import render_csv
from app.billing.forms.cms1500 import form_problems, render_forms
from app.billing.payers.models import PayerRecord
from app.billing.x12.parties import Address
from app.billing.x12.professional_claim import ClaimSubmission
from app.billing.x12.record_check import ContentProblem
from app.billing.x12.writer_837p import render_837p, set_number, transaction_sets
from app.core.errors import Problem


def _nothing_more(_: ClaimSubmission) -> Iterator[ContentProblem]:
    return iter(())


def _no_sets(_: Transmission, batch: Sequence[ClaimSubmission]) -> list[int | None]:
    return [None] * len(batch)


@dataclass(frozen=True)
class FormatAdapter:
    """How claims become the bytes of a file. The same transmission and claims give the same bytes.

    `problems` are those that a claim has in this format beyond the rules of the 837P, which every claim keeps.
    `transaction_sets` tells ST02 of each claim. A `transmitted` file goes to the clearinghouse. `by_payer`: each payer
    gets a file of its own.
    """

    format: ClaimFileFormat
    media_type: str
    extension: str
    render: Callable[[Transmission, Sequence[ClaimSubmission]], bytes]
    problems: Callable[[ClaimSubmission], Iterator[ContentProblem]] = _nothing_more
    transaction_sets: Callable[[Transmission, Sequence[ClaimSubmission]], list[int | None]] = _no_sets
    transmitted: bool = False
    by_payer: bool = False


def addressed(submission: ClaimSubmission, payer: PayerRecord | None) -> ClaimSubmission:
    """The claim with the payer's address, if the agency knows all of it. Paper is mailed there."""
    if payer is None or not (payer.street and payer.city and payer.state and payer.zip):
        return submission
    address = Address(line1=payer.street, line2=payer.unit, city=payer.city, state=payer.state, zip_code=payer.zip)
    return replace(submission, payer=replace(submission.payer, address=address))


def adapter_problems(adapter: FormatAdapter, submission: ClaimSubmission) -> Iterator[Problem]:
    """What the format adds to the 837P's rules, in the words of the API."""
    for found in adapter.problems(submission):
        field = api_field(found.path, of_dependent=submission.patient is not None)
        yield Problem(field, found.code.lower(), found.message)


def _x12(transmission: Transmission, batch: Sequence[ClaimSubmission]) -> bytes:
    return render_837p(*transmission, batch).encode("ascii")


def _set_numbers(transmission: Transmission, batch: Sequence[ClaimSubmission]) -> list[int | None]:
    numbers = {
        submission.claim.id: set_number(transmission.envelope, at)
        for at, of_set in enumerate(transaction_sets(batch))
        for submission in of_set
    }
    return [numbers[submission.claim.id] for submission in batch]


_ADAPTERS = (
    FormatAdapter(
        ClaimFileFormat.X12_837P,
        "application/edi-x12",
        "edi",
        _x12,
        transaction_sets=_set_numbers,
        transmitted=True,
    ),
    FormatAdapter(
        ClaimFileFormat.CMS_1500,
        "text/plain; charset=us-ascii",
        "txt",
        lambda transmission, batch: render_forms(transmission.envelope.created_at.date(), batch),
        problems=form_problems,
        by_payer=True,
    ),
    FormatAdapter(ClaimFileFormat.CSV, "text/csv; charset=utf-8", "csv", lambda _, batch: render_csv(batch)),
)
FORMATS: Mapping[ClaimFileFormat, FormatAdapter] = {adapter.format: adapter for adapter in _ADAPTERS}
