"""Writes a batch of ambulance claims as one 837P interchange (ASC X12N 005010X222A1)."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import count
from typing import TypeVar

from app.billing.x12.claim_content import ClaimContentError, batch_problems
from app.billing.x12.claim_loops import claim_segments
from app.billing.x12.parties import BillingProvider, Envelope, Payer, Receiver, Submitter, Subscriber
from app.billing.x12.party_segments import contact_segment, demographics, individual, organization, place
from app.billing.x12.professional_claim import ClaimSubmission
from app.billing.x12.segments import Segment, bare_digits, date_text, isa_segment, time_text

IMPLEMENTATION_GUIDE = "005010X222A1"

K = TypeVar("K", bound=Hashable)

# The guide allows 100 CLM loops under one subscriber or patient. The rest go into a further loop of the same person
_CLAIMS_PER_PERSON = 100
CLAIMS_PER_SET = 500
"""A receiver may refuse single transaction sets, so a fault in one of them stops no other payer and few claims."""


def render_837p(envelope: Envelope, submitter: Submitter, receiver: Receiver, batch: Sequence[ClaimSubmission]) -> str:
    """One interchange with one group, one segment a line, ASCII. `transaction_sets` says which claims share a set.

    Claims are gathered under their billing provider, subscriber with payer, and patient, in order of appearance.
    Raises ClaimContentError with every problem when any claim or the envelope cannot be sent.
    """
    problems = batch_problems(envelope, submitter, receiver, batch)
    if problems:
        raise ClaimContentError(problems)
    sets = transaction_sets(batch)
    parts = [_isa(envelope).render(), _gs(envelope).render()]
    for at, of_set in enumerate(sets):
        parts += [segment.render() for segment in _transaction_set(envelope, submitter, receiver, of_set, at)]
    parts.append(Segment.of("GE", str(len(sets)), str(envelope.group_control_number)).render())
    parts.append(Segment.of("IEA", "1", f"{envelope.interchange_control_number:09}").render())
    return "".join(f"{part}\n" for part in parts)


def transaction_sets(batch: Sequence[ClaimSubmission]) -> list[Sequence[ClaimSubmission]]:
    """The claims of each transaction set: those of one payer, at most CLAIMS_PER_SET, in order of appearance."""
    return [
        of_payer[start : start + CLAIMS_PER_SET]
        for _, of_payer in _gathered(batch, lambda item: item.payer)
        for start in range(0, len(of_payer), CLAIMS_PER_SET)
    ]


def set_number(envelope: Envelope, at: int) -> int:
    """ST02 of the transaction set that stands at `at`, counted from 0."""
    return envelope.transaction_set_control_number + at


def _transaction_set(
    envelope: Envelope, submitter: Submitter, receiver: Receiver, batch: Sequence[ClaimSubmission], at: int
) -> list[Segment]:
    number = f"{set_number(envelope, at):04}"
    batch_id = envelope.batch_id if at == 0 else f"{envelope.batch_id}-{at + 1}"
    segments = [*_header(envelope, submitter, receiver, number, batch_id), *_billing_providers(batch)]
    return [*segments, Segment.of("SE", str(len(segments) + 1), number)]


def _isa(envelope: Envelope) -> Segment:
    return isa_segment(
        *("00", "", "00", ""),
        envelope.sender_qualifier,
        envelope.sender_id,
        envelope.receiver_qualifier,
        envelope.receiver_id,
        date_text(envelope.created_at)[2:],
        time_text(envelope.created_at),
        "00501",
        f"{envelope.interchange_control_number:09}",
        "1" if envelope.acknowledgment_requested else "0",
        envelope.usage_indicator,
    )


def _gs(envelope: Envelope) -> Segment:
    return Segment.of(
        "GS",
        "HC",
        envelope.application_sender_code or envelope.sender_id,
        envelope.application_receiver_code or envelope.receiver_id,
        date_text(envelope.created_at),
        time_text(envelope.created_at),
        str(envelope.group_control_number),
        "X",
        IMPLEMENTATION_GUIDE,
    )


def _header(
    envelope: Envelope, submitter: Submitter, receiver: Receiver, number: str, batch_id: str
) -> Iterator[Segment]:
    """ST, BHT (original, chargeable), 1000A and 1000B. The 277CA returns BHT03, so no two sets of a file share it."""
    created_at = envelope.created_at
    yield Segment.of("ST", "837", number, IMPLEMENTATION_GUIDE)
    yield Segment.of("BHT", "0019", "00", batch_id, date_text(created_at), time_text(created_at), "CH")
    yield organization("41", submitter.name, "46", submitter.etin)
    yield contact_segment(submitter.contact)
    yield organization("40", receiver.name, receiver.id_qualifier, receiver.id)


def _billing_providers(batch: Sequence[ClaimSubmission]) -> Iterator[Segment]:
    """The hierarchical levels, numbered from 1 within the transaction set."""
    numbers = count(1)
    for provider, of_provider in _gathered(batch, lambda item: item.billing_provider):
        provider_level = next(numbers)
        yield from _billing_provider(provider_level, provider)
        # a subscriber's own claims and a dependent's never share a loop, because SBR02 tells them apart
        for (subscriber, payer, is_patient), claims in _gathered(
            of_provider, lambda item: (item.subscriber, item.payer, item.patient is None)
        ):
            for chunk in _chunks(claims) if is_patient else [claims]:
                level = next(numbers)
                yield Segment.of("HL", str(level), str(provider_level), "22", "0" if is_patient else "1")
                yield from _subscriber(subscriber, payer, is_patient)
                yield from _claims(chunk) if is_patient else _patients(numbers, level, chunk)


def _billing_provider(level: int, provider: BillingProvider) -> Iterator[Segment]:
    """2000A, 2010AA and 2010AB (which has no REF)."""
    yield Segment.of("HL", str(level), None, "20", "1")
    yield Segment.of("PRV", "BI", "PXC", provider.taxonomy)
    yield organization("85", provider.legal_name, "XX", provider.npi)
    yield from place(provider.address)
    yield Segment.of("REF", "EI", bare_digits(provider.ein))
    if provider.contact:
        yield contact_segment(provider.contact)
    if provider.pay_to_address:
        yield Segment.of("NM1", "87", "2")
        yield from place(provider.pay_to_address)


def _subscriber(subscriber: Subscriber, payer: Payer, is_patient: bool) -> Iterator[Segment]:
    """SBR, 2010BA and 2010BB. Address and DMG stand only for a subscriber who is the patient."""
    yield Segment.of(
        "SBR",
        subscriber.payer_sequence,
        "18" if is_patient else None,
        subscriber.group_number,
        None,
        subscriber.insurance_type,
        *(None, None, None),
        subscriber.claim_filing_code,
    )
    yield individual("IL", subscriber.name, "MI", subscriber.member_id)
    if is_patient and subscriber.address and subscriber.birth_date and subscriber.sex:
        yield from place(subscriber.address)
        yield demographics(subscriber.birth_date, subscriber.sex)
    yield organization("PR", payer.name, "PI", payer.id)
    if payer.address:
        yield from place(payer.address)


def _patients(numbers: Iterator[int], subscriber_level: int, batch: Sequence[ClaimSubmission]) -> Iterator[Segment]:
    """2000C and 2010CA with the claims of each dependent."""
    for patient, of_patient in _gathered(batch, lambda item: item.patient):
        if patient is None:
            continue
        for chunk in _chunks(of_patient):
            yield Segment.of("HL", str(next(numbers)), str(subscriber_level), "23", "0")
            yield Segment.of("PAT", patient.relationship)
            yield individual("QC", patient.name)
            yield from place(patient.address)
            if patient.birth_date and patient.sex:
                yield demographics(patient.birth_date, patient.sex)
            yield from _claims(chunk)


def _claims(batch: Sequence[ClaimSubmission]) -> Iterator[Segment]:
    for submission in batch:
        yield from claim_segments(submission.claim)


def _gathered(
    batch: Sequence[ClaimSubmission], key: Callable[[ClaimSubmission], K]
) -> Iterable[tuple[K, list[ClaimSubmission]]]:
    """The batch grouped by key. Keys and members keep the order of their first appearance."""
    gathered: dict[K, list[ClaimSubmission]] = {}
    for submission in batch:
        gathered.setdefault(key(submission), []).append(submission)
    return gathered.items()


def _chunks(batch: Sequence[ClaimSubmission]) -> Iterator[Sequence[ClaimSubmission]]:
    return (batch[start : start + _CLAIMS_PER_PERSON] for start in range(0, len(batch), _CLAIMS_PER_PERSON))
