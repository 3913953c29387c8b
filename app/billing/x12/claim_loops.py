"""Loops 2300 to 2400 of the 837P: one claim, its transport, its places and its service lines."""

from collections.abc import Iterator

from app.billing.x12.party_segments import individual, place
from app.billing.x12.professional_claim import Accident, Claim, ServiceLine, Transport
from app.billing.x12.segments import Composite, Segment, date_text, decimal_text


def claim_segments(claim: Claim) -> Iterator[Segment]:
    """Loop 2300 with 2310A to F and its 2400 lines, in the guide's order."""
    yield _clm(claim)
    if claim.accident and claim.accident.occurred_on:
        yield Segment.of("DTP", "439", "D8", date_text(claim.accident.occurred_on))
    if claim.patient_amount_paid is not None:
        yield Segment.of("AMT", "F5", decimal_text(claim.patient_amount_paid))
    for qualifier, reference in (
        ("G1", claim.prior_authorization),
        ("F8", claim.payer_claim_control_number),
        ("EA", claim.medical_record_number),
    ):
        if reference:
            yield Segment.of("REF", qualifier, reference)
    if claim.note:
        yield Segment.of("NTE", "ADD", claim.note)
    yield _cr1(claim.transport)
    for certification in claim.certifications:
        yield Segment.of("CRC", "07", "Y" if certification.applies else "N", *certification.codes)
    yield _hi(claim.diagnoses)
    yield from _places_and_people(claim)
    for number, line in enumerate(claim.lines, start=1):
        yield from _line(number, line)


def _clm(claim: Claim) -> Segment:
    return Segment.of(
        "CLM",
        claim.id,
        decimal_text(claim.total_charge),
        None,
        None,
        (claim.place_of_service, "B", claim.frequency),
        "Y" if claim.signature_on_file else "N",
        claim.assignment,
        claim.benefits_assigned,
        claim.release_of_information,
        "P" if claim.signed_by_provider else None,
        _related_causes(claim.accident),
        *[None] * 8,
        claim.delay_reason,
    )


def _related_causes(accident: Accident | None) -> Composite:
    """CLM11: up to two causes in components 1 and 2, the state of an auto accident in component 4."""
    if accident is None:
        return ()
    first, second = (*accident.causes, None)[:2]
    return (first, second, None, accident.state)


def _cr1(transport: Transport) -> Segment:
    """CR1. Unit and weight go together (syntax note P0102). CR103, CR107 and CR108 are not used."""
    weight = transport.weight_lb
    return Segment.of(
        "CR1",
        "LB" if weight is not None else None,
        decimal_text(weight) if weight is not None else None,
        None,
        transport.reason_code,
        "DH",
        decimal_text(transport.loaded_miles),
        None,
        None,
        transport.round_trip_purpose,
        transport.stretcher_purpose,
    )


def _hi(diagnoses: tuple[str, ...]) -> Segment:
    """HI: the principal diagnosis is ABK, the others are ABF. ICD-10-CM codes are sent without their dot."""
    qualifiers = ("ABK", *["ABF"] * 11)
    codes = (diagnosis.replace(".", "") for diagnosis in diagnoses)
    return Segment.of("HI", *zip(qualifiers, codes, strict=False))


def _places_and_people(claim: Claim) -> Iterator[Segment]:
    for entity, practitioner in (
        ("DN", claim.referring_provider),
        ("82", claim.rendering_provider),
        ("DQ", claim.supervising_provider),
    ):
        if practitioner:
            yield individual(entity, practitioner.name, "XX", practitioner.npi)
    if claim.pick_up:
        yield Segment.of("NM1", "PW", "2")  # NM103 is not used, because a pick-up has an address and no name
        yield from place(claim.pick_up)
    if claim.drop_off:
        yield Segment.of("NM1", "45", "2", claim.drop_off.facility_name)
        yield from place(claim.drop_off.address)


def _service(line: ServiceLine) -> Composite:
    """SV101. The description stands after the places of four modifiers."""
    modifiers = [line.modifiers[at] if at < len(line.modifiers) else None for at in range(4)]
    return ("HC", line.hcpcs, *modifiers, line.description)


def _line(number: int, line: ServiceLine) -> Iterator[Segment]:
    yield Segment.of("LX", str(number))
    yield Segment.of(
        "SV1",
        _service(line),
        decimal_text(line.charge),
        "UN",
        decimal_text(line.units),
        None,
        None,
        tuple(map(str, line.diagnosis_pointers)),
        None,
        "Y" if line.emergency else None,
    )
    yield Segment.of("DTP", "472", "D8", date_text(line.service_date))
    if line.patient_count > 1:
        yield Segment.of("QTY", "PT", str(line.patient_count))
    yield Segment.of("REF", "6R", line.control_number)
