"""Claims and lines as clients create, change and read them. Values obey the rules of the 837P records."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import MISSING, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.billing.claims.lifecycle import ClaimStatus, ClaimTransition
from app.billing.claims.models import LevelOfService, PayerSequence
from app.billing.party_fields import FilingCode, GroupNumber, InsuranceType, MemberId, PayerId, PayerName
from app.billing.sendable import Sendable
from app.billing.x12.professional_claim import Accident as X12Accident
from app.billing.x12.professional_claim import Certification, ServiceLine, Transport
from app.billing.x12.professional_claim import Claim as X12Claim
from app.core.schemas import (
    CreateModel,
    Date,
    DecimalText,
    EntityRead,
    RequestModel,
    Text,
    Version,
    VersionedPatch,
    length,
    scaled,
    whole,
)

MAX_LINES = 50  # 837P: the most LX in one CLM

_Finite = Annotated[Decimal, DecimalText, Field(allow_inf_nan=False)]

Hcpcs = Annotated[Text, Sendable(ServiceLine, "hcpcs"), Field(description="SV101-2, such as A0429")]
Modifiers = Annotated[
    list[Text],
    Sendable(ServiceLine, "modifiers"),
    Field(description="SV101-3 to 6; the first names origin and destination, such as RH"),
]
Units = Annotated[
    _Finite, Sendable(ServiceLine, "units"), scaled(1), Field(description="SV104; of a mileage line the miles")
]
LineDescription = Annotated[
    Text,
    Sendable(ServiceLine, "description"),
    Field(description="SV101-7; required of a code that says nothing itself, such as A0999"),
]
Charge = Annotated[
    _Finite, Sendable(ServiceLine, "charge"), scaled(2), Field(description="SV102, for all units together")
]
Pointers = Annotated[
    list[Annotated[int, whole(1, 12)]],
    Sendable(ServiceLine, "diagnosis_pointers"),
    Field(description="SV107: the diagnoses, counted from 1, that this line is for"),
]
PriorAuthorization = Annotated[Text, Sendable(X12Claim, "prior_authorization"), Field(description="REF*G1")]
DelayReason = Annotated[
    Text, Sendable(X12Claim, "delay_reason"), Field(description="CLM20: why the claim comes after the payer's time")
]
PayerControlNumber = Annotated[
    Text,
    Sendable(X12Claim, "payer_claim_control_number"),
    Field(description="REF*F8: the payer's number of the claim that this one replaces or voids"),
]
Note = Annotated[Text, Sendable(X12Claim, "note"), Field(description="NTE02: what the codes do not say")]
Diagnoses = Annotated[
    list[Text],
    Sendable(X12Claim, "diagnoses", or_none=True),
    Field(description="ICD-10-CM; the first is the principal one; empty while none is known"),
]
Level = Annotated[LevelOfService, Field(description="42 CFR 414.605; `treat_no_transport` is A0998")]
PlaceOfService = Annotated[
    Text, Sendable(X12Claim, "place_of_service"), Field(description="CLM05-1: 41 land, 42 air or water")
]
PatientCount = Annotated[
    int,
    Field(strict=True, description="How many patients rode together (QTY*PT)"),
    Sendable(ServiceLine, "patient_count"),
]
Miles = Annotated[
    _Finite,
    Sendable(Transport, "loaded_miles"),
    scaled(1),
    Field(description="CR106, as billed: tenths below 100 miles, whole miles from 100 on"),
]
Pounds = Annotated[_Finite, Sendable(Transport, "weight_lb"), scaled(2), Field(description="CR102")]
TransportReason = Annotated[Text, Sendable(Transport, "reason_code"), Field(description="CR104")]
RoundTripPurpose = Annotated[Text, Sendable(Transport, "round_trip_purpose"), Field(description="CR109")]
StretcherPurpose = Annotated[Text, Sendable(Transport, "stretcher_purpose"), Field(description="CR110")]
Conditions = Annotated[list[Text], Sendable(Certification, "codes", or_none=True)]
Causes = Annotated[
    list[Text], Sendable(X12Accident, "causes"), Field(description="CLM11: AA auto, EM employment, OA other")
]
SignatureOnFile = Annotated[
    bool,
    Field(
        strict=True,
        description="Whether the patient's signature, or its substitute under 42 CFR 424.36, is on file; it assigns the"
        " benefits and permits the release (CLM06, CLM08, CLM09). To be stated before approval",
    ),
]
AcceptsAssignment = Annotated[
    bool, Field(strict=True, description="CLM07. Ambulance suppliers must for Medicare (42 CFR 414.610)")
]


class Certifications(RequestModel):
    """CRC*07: conditions that apply (01 04 05 06 07 08 09 12), and conditions asserted not to."""

    yes: Conditions = Field(default_factory=list)
    no: Conditions = Field(default_factory=list)

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if set(self.yes) & set(self.no):
            raise PydanticCustomError("condition_twice", "A condition either applies or does not")
        return self


class Accident(RequestModel):
    """CLM11 and DTP*439."""

    causes: Causes
    state: Annotated[Text, Sendable(X12Accident, "state")] | None = Field(None, description="Of an auto accident")
    occurred_on: Date | None = None


class NewLine(RequestModel):
    hcpcs: Hcpcs
    modifiers: Modifiers = Field(default_factory=list)
    units: Units
    charge: Charge
    diagnosis_pointers: Pointers = Field(default=[1])
    description: LineDescription | None = None


class LineCreate(NewLine, CreateModel):
    pass


class LinePatch(VersionedPatch):
    hcpcs: Hcpcs | MISSING = MISSING
    modifiers: Modifiers | MISSING = MISSING
    units: Units | MISSING = MISSING
    charge: Charge | MISSING = MISSING
    diagnosis_pointers: Pointers | MISSING = MISSING
    description: LineDescription | None = None


class LineRead(EntityRead):
    claim_id: uuid.UUID
    line_number: int = Field(description="Never used twice; `<claim number>-<line number>` comes back in the 835")
    hcpcs: str
    modifiers: list[str] | None = Field(description="Null for roles without claim.clinical")
    units: Decimal
    charge: Decimal
    diagnosis_pointers: list[int]
    description: str | None = Field(description="SV101-7; null for roles without claim.clinical")
    fee_item_id: uuid.UUID | None = Field(description="The price that the charge is made of; null if it was typed")


_EXAMPLE: dict[str, Any] = {
    "incident_id": "01a20c05-eb78-7554-9db9-30eab422ae5d",
    "payer_name": "Medicare Part B IL",
    "payer_id": "00952",
    "claim_filing_code": "MB",
    "member_id": "1EG4TE5MK73",
    "diagnoses": ["I63.9", "R47.01"],
    "lines": [
        {"hcpcs": "A0429", "modifiers": ["RH"], "units": "1", "charge": "650.00", "diagnosis_pointers": [1, 2]},
        {"hcpcs": "A0425", "modifiers": ["RH"], "units": "12.4", "charge": "365.60"},
    ],
    "loaded_miles": "12.4",
    "weight_lb": "154",
    "transport_reason": "A",
    "certifications": {"yes": ["06", "09"], "no": ["12"]},
    "signature_on_file": True,
}


class ClaimCreate(CreateModel):
    """A claim of a locked chart, for what no chart can derive.

    A null value is one that nobody has said yet. `approve` names each value that an 837P still lacks.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    incident_id: uuid.UUID
    patient_id: uuid.UUID | None = Field(None, description="Required when the incident has several patients")
    payer_sequence: PayerSequence = Field(
        PayerSequence.PRIMARY,
        description="SBR01: P, S or T; a later one only after the payer before it has decided",
    )
    payer_name: PayerName | None = None
    payer_id: PayerId | None = None
    claim_filing_code: FilingCode | None = None
    insurance_type: InsuranceType | None = None
    member_id: MemberId | None = None
    group_number: GroupNumber | None = None
    prior_authorization: PriorAuthorization | None = None
    payer_claim_control_number: PayerControlNumber | None = None
    delay_reason: DelayReason | None = None
    level_of_service: Level | None = None
    diagnoses: Diagnoses = Field(default_factory=list)
    lines: list[NewLine] = Field(default_factory=list, max_length=MAX_LINES)
    place_of_service: PlaceOfService | None = Field(
        None, description="CLM05-1: 41 land, 42 air or water; null stands for the agency's default_place_of_service"
    )
    patient_count: PatientCount = 1
    loaded_miles: Miles | None = None
    weight_lb: Pounds | None = None
    transport_reason: TransportReason | None = None
    round_trip_purpose: RoundTripPurpose | None = None
    stretcher_purpose: StretcherPurpose | None = None
    note: Note | None = None
    certifications: Certifications = Field(default_factory=Certifications)
    accident: Accident | None = None
    signature_on_file: SignatureOnFile | None = None
    accepts_assignment: AcceptsAssignment | None = Field(
        None, description="CLM07; null stands for the agency's default_accepts_assignment"
    )


class ClaimPatch(VersionedPatch):
    payer_name: PayerName | None = None
    payer_id: PayerId | None = None
    claim_filing_code: FilingCode | None = None
    insurance_type: InsuranceType | None = None
    member_id: MemberId | None = None
    group_number: GroupNumber | None = None
    prior_authorization: PriorAuthorization | None = None
    payer_claim_control_number: PayerControlNumber | None = None
    delay_reason: DelayReason | None = None
    level_of_service: Level | None = None
    diagnoses: Diagnoses | MISSING = MISSING
    place_of_service: PlaceOfService | None = None
    patient_count: PatientCount | MISSING = MISSING
    loaded_miles: Miles | None = None
    weight_lb: Pounds | None = None
    transport_reason: TransportReason | None = None
    round_trip_purpose: RoundTripPurpose | None = None
    stretcher_purpose: StretcherPurpose | None = None
    note: Note | None = None
    certifications: Certifications | MISSING = MISSING
    accident: Accident | None = None
    signature_on_file: SignatureOnFile | None = None
    accepts_assignment: AcceptsAssignment | MISSING = MISSING


class ClaimTransitionRequest(RequestModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": "reject", "version": 5, "reason": "277CA: A7, modifier missing"}]}
    )

    action: ClaimTransition
    version: Version
    reason: Annotated[Text, length(500)] | None = Field(
        None, description="Kept in the audit log: codes or words, no patient details"
    )


class ClaimRead(EntityRead):
    """What the claim says about the patient is null for roles without claim.clinical."""

    status: ClaimStatus
    allowed_actions: list[str] = Field(description="Transitions that this user may fire now")
    incident_id: uuid.UUID
    patient_id: uuid.UUID
    claim_number: str = Field(description="CLM01; payers return it in the 835 and 277CA")
    payer_sequence: PayerSequence = Field(description="SBR01: P, S or T")
    payer_record_id: uuid.UUID | None = Field(description="The payer among billing/payers; null for none")
    coverage_id: uuid.UUID | None = Field(description="The coverage whose copy the claim holds; null for none")
    account_id: uuid.UUID | None = Field(description="The billing account of the patient; null before a match")
    payer_name: str | None = Field(description="Null where nobody has said who pays")
    payer_id: str | None
    claim_filing_code: str | None
    insurance_type: str | None = Field(description="SBR05: why Medicare is not the primary payer")
    member_id: str | None
    group_number: str | None
    subscriber: dict[str, Any] | None = Field(description="The subscriber, if the patient is a dependent")
    prior_authorization: str | None
    level_of_service: Level | None
    icd10_primary: str | None = Field(description="The first of the diagnoses")
    diagnoses: list[str] | None
    modifiers: list[str] | None = Field(description="Of all lines, each once")
    charge_amount: Decimal = Field(description="The sum of the lines' charges")
    patient_responsibility_amount: Decimal | None = Field(description="What the payer left to the patient; null before")
    denial_reason: str | None
    submitted_at: dt.datetime | None
    paid_at: dt.datetime | None
    frequency: str = Field(description="CLM05-3: 1 original, 7 replacement, 8 void")
    payer_claim_control_number: str | None = Field(description="The payer's number of this claim (REF*F8)")
    delay_reason: str | None = Field(description="CLM20")
    place_of_service: str | None
    patient_count: int
    loaded_miles: Decimal | None
    weight_lb: Decimal | None
    transport_reason: str | None
    round_trip_purpose: str | None
    stretcher_purpose: str | None
    note: str | None = Field(description="NTE02 of the claim")
    certifications: Certifications | None
    accident: Accident | None
    signature_on_file: bool | None
    accepts_assignment: bool
    service_date: dt.date | None = Field(description="The agency-local day of the service; null if not charted")
    stale_since: dt.datetime | None = Field(description="Since when the chart differs from what the claim cites")
    assigned_to_user_id: uuid.UUID | None = Field(description="Who works on it; null for nobody")
    snoozed_until: dt.datetime | None = Field(description="Until when worklists leave it out; null for no longer")
    lines: list[LineRead]
