"""The content of a professional ambulance claim as typed records. Each field declares its own rule.

Lengths, code lists and shapes come from the 837P guide (005010X222A1). Records hold the values of the chart and the
payer file. `claim_content` decides whether they can be sent.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from app.billing.x12.field_rules import Each, Identifier, Number, OneOf, Pattern, Text, Whole
from app.billing.x12.parties import STATE, BillingProvider, Patient, Payer, PostalAddress, Practitioner, Subscriber

_MONEY = Number(Decimal(0), Decimal("99999999.99"), 2)
_OUR_NUMBER = r"[A-Z0-9-]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accident:
    """CLM11 and DTP*439: auto (AA), employment (EM) or another accident (OA); the state is that of an auto accident."""

    causes: Annotated[tuple[str, ...], Each(1, 2, OneOf("AA EM OA"))]
    state: Annotated[str | None, STATE] = None
    occurred_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """CR1. Weight in pounds; `loaded_miles` as billed (see `billable_miles`)."""

    reason_code: Annotated[str, OneOf("A B C D E")]
    loaded_miles: Annotated[Decimal, Number(Decimal(0), Decimal(99999), 1)]
    weight_lb: Annotated[Decimal | None, Number(Decimal(1), Decimal(9999), 2)] = None
    round_trip_purpose: Annotated[str | None, Text(80)] = None
    stretcher_purpose: Annotated[str | None, Text(80)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """CRC*07: conditions that apply, or are asserted not to."""

    applies: bool
    codes: Annotated[tuple[str, ...], Each(1, 5, OneOf("01 04 05 06 07 08 09 12"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOff:
    """2310F."""

    address: PostalAddress
    facility_name: Annotated[str | None, Text(60)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """2400. The 835 returns `control_number` (REF*6R). `patient_count` is sent when several patients rode together.

    `description` (SV101-7) is required of a code that says nothing itself.
    """

    hcpcs: Annotated[
        str, Pattern(r"[A-Z]\d{4}|\d{4}[0-9A-Z]", "HCPCS", "must be a letter and four digits, or a CPT code")
    ]
    modifiers: Annotated[tuple[str, ...], Each(0, 4, Pattern("[A-Z0-9]{2}", "MODIFIER", "must be two characters"))] = ()
    description: Annotated[str | None, Text(80)] = None
    charge: Annotated[Decimal, _MONEY]
    units: Annotated[Decimal, Number(Decimal("0.1"), Decimal(99999), 1)]
    diagnosis_pointers: Annotated[tuple[int, ...], Each(1, 4)] = (1,)
    service_date: date
    emergency: bool = False
    control_number: Annotated[str, Pattern(_OUR_NUMBER + "{1,30}", "LINE_NUMBER", "must be A-Z, 0-9 or -, at most 30")]
    patient_count: Annotated[int, Whole(1, 99)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """2300 with its lines. `frequency` 1 original, 7 replacement, 8 void; `total_charge` must equal the lines' sum."""

    id: Annotated[str, Pattern(_OUR_NUMBER + "{1,20}", "CLAIM_ID", "must be A-Z, 0-9 or -, at most 20 characters")]
    total_charge: Annotated[Decimal, _MONEY]
    place_of_service: Annotated[str, OneOf("41 42")]
    frequency: Annotated[str, OneOf("1 7 8")] = "1"
    payer_claim_control_number: Annotated[str | None, Identifier(50)] = None
    signature_on_file: bool
    assignment: Annotated[str, OneOf("A B C")]
    benefits_assigned: Annotated[str, OneOf("Y N W")]
    release_of_information: Annotated[str, OneOf("Y I")]
    signed_by_provider: bool = False  # CLM10 P
    accident: Accident | None = None
    delay_reason: Annotated[str | None, OneOf("1 2 3 4 5 6 7 8 9 10 11 15")] = None
    patient_amount_paid: Annotated[Decimal | None, Number(Decimal("0.01"), Decimal("99999999.99"), 2)] = None
    prior_authorization: Annotated[str | None, Identifier(50)] = None
    medical_record_number: Annotated[str | None, Identifier(50)] = None
    note: Annotated[str | None, Text(80)] = None
    transport: Transport
    certifications: Annotated[tuple[Certification, ...], Each(0, 3)] = ()
    diagnoses: Annotated[
        tuple[str, ...],
        Each(1, 12, Pattern(r"[A-Z]\d[0-9AB](\.?[A-Z0-9]{1,4})?", "ICD_SHAPE", "does not have the shape of ICD-10-CM")),
    ]
    referring_provider: Practitioner | None = None
    rendering_provider: Practitioner | None = None
    supervising_provider: Practitioner | None = None
    pick_up: PostalAddress | None
    drop_off: DropOff | None
    lines: Annotated[tuple[ServiceLine, ...], Each(1, 50)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSubmission:
    """One claim with its parties. `patient` is None when the subscriber is the patient."""

    billing_provider: BillingProvider
    subscriber: Subscriber
    payer: Payer
    patient: Patient | None = None
    claim: Claim
