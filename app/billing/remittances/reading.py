"""What a file of 835s holds, before anything of it is stored. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.billing.x12.containers import FileKind, text_chunks
from app.billing.x12.remittance_advice import ClaimPayment, RemittanceHeader, RemittanceTrailer
from app.billing.x12.remittance_reader import read_remittances
from app.billing.x12.segments import Segment
from app.billing.x12.tokenizer import InterchangeReader


@dataclass(frozen=True)
class PaymentSummary:
    """One transaction set without its claims."""

    header: RemittanceHeader
    trailer: RemittanceTrailer

    def is_paid_to(self, npi: str | None, tax_id: str | None) -> bool:
        """True if the payee is this agency. Where the payer names both numbers, both must be the agency's."""
        said = ((self.header.payee_npi, npi), (self.header.payee_tax_id, tax_id))
        named = [(theirs, ours) for theirs, ours in said if theirs]
        return bool(named) and all(theirs == ours for theirs, ours in named)


def summaries(kind: FileKind, content: bytes) -> list[PaymentSummary]:
    """Every payment in a file, in its order; none in a file of an unknown kind. Raises InterchangeFormatError."""
    if kind is not FileKind.REMITTANCE:
        return []
    found: list[PaymentSummary] = []
    header: RemittanceHeader | None = None
    for part in read_remittances(text_chunks(content)):
        if isinstance(part, RemittanceHeader):
            header = part
        elif isinstance(part, RemittanceTrailer) and header is not None:
            found.append(PaymentSummary(header, part))
    return found


def claims_of(content: bytes) -> Iterator[tuple[int, ClaimPayment]]:
    """Every claim with the index of its payment, one at a time."""
    at = -1
    for part in read_remittances(text_chunks(content)):
        if isinstance(part, RemittanceHeader):
            at += 1
        elif isinstance(part, ClaimPayment):
            yield at, part


def only_sets(content: bytes, kept: frozenset[int]) -> bytes:
    """The file with the transaction sets of these indexes alone. GE01 counts what is left."""
    return "".join(segment.render() + "\n" for segment in _kept_segments(content, kept)).encode()


def _kept_segments(content: bytes, kept: frozenset[int]) -> Iterator[Segment]:
    at, inside, in_group = -1, False, 0
    for segment in InterchangeReader(text_chunks(content)):
        if segment.tag == "GS":
            in_group = 0
        elif segment.tag == "ST":
            at += 1
            inside = True
            in_group += at in kept
        if segment.tag == "GE":
            yield Segment("GE", (str(in_group), *segment.elements[1:]), segment.delimiters)
        elif not inside or at in kept:
            yield segment
        if segment.tag == "SE":
            inside = False
