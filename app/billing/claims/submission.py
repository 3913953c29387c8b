"""Makes the 837P writer's input from the agency's profile, the patient's chart and the claim. Pure."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from app.billing.claims.models import Claim, ClaimLine
from app.billing.x12 import professional_claim as x12
from app.billing.x12.ambulance import PRONOUNCED_DEAD_MODIFIER, UNLOADED_CODES
from app.billing.x12.parties import (
    Address,
    BillingProvider,
    CanadianAddress,
    Contact,
    Envelope,
    ForeignAddress,
    Patient,
    Payer,
    PersonName,
    PostalAddress,
    Receiver,
    Submitter,
    Subscriber,
)
from app.billing.x12.party_segments import place
from app.core.addresses import is_abroad
from app.core.geography import CANADA
from app.core.tenants.public import Tenant
from app.ems import public as ems
from app.ems.public import Gender, IncidentRead, PatientChart, PatientRead

EMERGENCY_CONDITION = "06"
ORIGINAL = "1"
"""CLM05-3 of a claim that the payer does not have yet. Only the others name the payer's own number (REF*F8)."""
_SEX = {Gender.FEMALE: "F", Gender.MALE: "M", Gender.UNKNOWN: "U"}


class Transmission(NamedTuple):
    """The sender, the receiver, the time and the number of a file."""

    envelope: Envelope
    submitter: Submitter
    receiver: Receiver


class Billed(Protocol):
    """A line, stored or not."""

    @property
    def hcpcs(self) -> str: ...

    @property
    def modifiers(self) -> Sequence[str]: ...


class Served(NamedTuple):
    """What of a chart dates the service to one patient. `alone`: the call has no other patient."""

    incident: IncidentRead
    patient: PatientRead
    alone: bool


def transmission(profile: Tenant, control_number: int, usage_indicator: str, at: dt.datetime) -> Transmission:
    """`control_number` is the interchange's, the group's and the batch's. `usage_indicator` (ISA15) is P or T."""
    contact = Contact(name=profile.billing_contact_name or "", phone=profile.phone or "")
    return Transmission(
        Envelope(
            sender_qualifier=profile.submitter_qualifier,
            sender_id=profile.submitter_id or "",
            receiver_qualifier=profile.receiver_qualifier,
            receiver_id=profile.receiver_id or "",
            interchange_control_number=control_number,
            group_control_number=control_number,
            transaction_set_control_number=1,
            batch_id=str(control_number),
            usage_indicator=usage_indicator,
            created_at=at.astimezone(_zone(profile)),
        ),
        Submitter(name=profile.legal_name, etin=profile.submitter_id or "", contact=contact),
        Receiver(name=profile.receiver_name or "", id=profile.receiver_id or ""),
    )


def claim_submission(
    profile: Tenant,
    chart: PatientChart,
    claim: Claim,
    lines: Sequence[ClaimLine],
    *,
    service_date: dt.date,
    signature_on_file: bool,
) -> x12.ClaimSubmission:
    """The writer's input. Missing text is empty in it, and the writer's own rules report it."""
    return x12.ClaimSubmission(
        billing_provider=_billing_provider(profile),
        subscriber=_patient_as_subscriber(claim, chart.patient) if claim.subscriber is None else _subscriber(claim),
        payer=Payer(name=claim.payer_name or "", id=claim.payer_id or ""),
        patient=None if claim.subscriber is None else _dependent(claim.subscriber["relationship"], chart.patient),
        claim=x12.Claim(
            id=claim.claim_number,
            total_charge=claim.charge_amount,
            place_of_service=claim.place_of_service or "",
            frequency=claim.frequency,
            payer_claim_control_number=None if claim.frequency == ORIGINAL else claim.payer_claim_control_number,
            signature_on_file=signature_on_file,
            assignment="A" if claim.accepts_assignment else "C",
            benefits_assigned="Y" if signature_on_file else "N",
            release_of_information="Y" if signature_on_file else "I",
            accident=_accident(claim),
            delay_reason=claim.delay_reason,
            prior_authorization=claim.prior_authorization,
            note=claim.note,
            transport=_transport(claim),
            certifications=_certifications(claim),
            diagnoses=tuple(claim.diagnoses),
            pick_up=_charted(chart.incident, "location_"),
            drop_off=_drop_off(chart.patient),
            lines=tuple(_line(claim, line, service_date) for line in lines),
        ),
    )


def service_time_field(chart: PatientChart, lines: Sequence[ClaimLine]) -> str:
    """The field that dates the service: the incident's, or the patient's own if the incident's is not theirs."""
    field = ems.service_time_field(loaded=is_loaded(lines))
    element_id = ems.INCIDENT_COLUMNS[field]
    return f"incident.{field}" if ems.inherits(chart, element_id) else f"patient.{field}"


def service_date(profile: Tenant, chart: PatientChart | Served, lines: Sequence[Billed]) -> dt.date | None:
    """The agency-local day of the service; None where the chart lacks the time."""
    loaded = is_loaded(lines) and (bool(lines) or ems.transport_of(chart) is not ems.Transport.NONE)
    return ems.service_date(chart.incident, profile.time_zone, loaded=loaded, of=chart)


def is_loaded(lines: Sequence[Billed]) -> bool:
    """True if the patient was loaded into this ambulance.

    That is so unless a line says "pronounced dead before loading", or is of a service without a transport.
    """
    return not any(PRONOUNCED_DEAD_MODIFIER in line.modifiers or line.hcpcs in UNLOADED_CODES for line in lines)


def _zone(profile: Tenant) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(profile.time_zone)


def _billing_provider(profile: Tenant) -> BillingProvider:
    return BillingProvider(
        legal_name=profile.legal_name,
        npi=profile.npi or "",
        ein=profile.ein or "",
        taxonomy=profile.taxonomy or "",
        address=_address(profile.street, profile.city, profile.state, profile.zip),
        pay_to_address=_pay_to(profile),
    )


def _pay_to(profile: Tenant) -> Address | None:
    """The address of 2010AB. None if it would be sent the same as the billing provider's own address."""
    if profile.pay_to_street is None:
        return None
    pay_to = _address(profile.pay_to_street, profile.pay_to_city, profile.pay_to_state, profile.pay_to_zip)
    own = _address(profile.street, profile.city, profile.state, profile.zip)
    return None if [*place(pay_to)] == [*place(own)] else pay_to


def _patient_as_subscriber(claim: Claim, patient: PatientRead) -> Subscriber:
    return Subscriber(
        **_coverage(claim),
        name=_name(patient),
        address=_charted(patient, "home_"),
        birth_date=patient.date_of_birth,
        sex=_sex(patient),
    )


def _subscriber(claim: Claim) -> Subscriber:
    """The subscriber of a dependent, from the claim's copy of the coverage. An 837P tells name and number only."""
    told = claim.subscriber or {}
    name = PersonName(
        last=told.get("last_name") or "",
        first=told.get("first_name"),
        middle=told.get("middle_name"),
        suffix=told.get("name_suffix"),
    )
    born, place_parts = told.get("date_of_birth"), [told.get(part) for part in ("street", "city", "state", "zip")]
    street, city, state, code = place_parts
    return Subscriber(
        **_coverage(claim),
        name=name,
        address=_address(street, city, state, code, told.get("unit")) if all(place_parts) else None,
        birth_date=None if born is None else dt.date.fromisoformat(born),
        sex=told.get("sex"),
    )


def _coverage(claim: Claim) -> dict[str, Any]:
    return {
        "member_id": claim.member_id or "",
        "payer_sequence": claim.payer_sequence,
        "claim_filing_code": claim.claim_filing_code or "",
        "insurance_type": claim.insurance_type,
        "group_number": claim.group_number,
    }


def _dependent(relationship: str, patient: PatientRead) -> Patient:
    return Patient(
        name=_name(patient),
        relationship=relationship,
        address=_charted(patient, "home_"),
        birth_date=patient.date_of_birth,
        sex=_sex(patient),
    )


def _name(patient: PatientRead) -> PersonName:
    return PersonName(
        last=patient.last_name or "", first=patient.first_name, middle=patient.middle_name, suffix=patient.name_suffix
    )


def _sex(patient: PatientRead) -> str | None:
    return None if patient.gender is None else _SEX[patient.gender]


def _drop_off(patient: PatientRead) -> x12.DropOff:
    return x12.DropOff(facility_name=patient.destination_name, address=_charted(patient, "destination_"))


def _charted(entry: IncidentRead | PatientRead, prefix: str) -> PostalAddress:
    """The address in the columns behind `prefix`."""
    street, city, state, code, country = (
        getattr(entry, prefix + part) for part in ("street", "city", "state", "zip", "country")
    )
    unit = getattr(entry, f"{prefix}unit", None)
    if not is_abroad(country):
        return _address(street, city, state, code, unit)
    if country == CANADA:
        return CanadianAddress(line1=street or "", line2=unit, city=city or "", state=state or "", zip_code=code or "")
    return ForeignAddress(line1=street or "", line2=unit, city=city or "", state=state, zip_code=code, country=country)


def _address(
    line1: str | None, city: str | None, state: str | None, zip_code: str | None, line2: str | None = None
) -> Address:
    return Address(line1=line1 or "", line2=line2, city=city or "", state=state or "", zip_code=zip_code or "")


def _transport(claim: Claim) -> x12.Transport:
    return x12.Transport(
        reason_code=claim.transport_reason or "",
        loaded_miles=claim.loaded_miles or Decimal(0),
        weight_lb=claim.weight_lb,
        round_trip_purpose=claim.round_trip_purpose,
        stretcher_purpose=claim.stretcher_purpose,
    )


def _certifications(claim: Claim) -> tuple[x12.Certification, ...]:
    stated = ((True, claim.certifications["yes"]), (False, claim.certifications["no"]))
    return tuple(x12.Certification(applies=applies, codes=tuple(codes)) for applies, codes in stated if codes)


def _accident(claim: Claim) -> x12.Accident | None:
    if claim.accident is None:
        return None
    occurred_on = claim.accident["occurred_on"]
    return x12.Accident(
        causes=tuple(claim.accident["causes"]),
        state=claim.accident["state"],
        occurred_on=None if occurred_on is None else dt.date.fromisoformat(occurred_on),
    )


def _line(claim: Claim, line: ClaimLine, service_date: dt.date) -> x12.ServiceLine:
    return x12.ServiceLine(
        hcpcs=line.hcpcs,
        modifiers=tuple(line.modifiers),
        description=line.description,
        charge=line.charge,
        units=line.units,
        diagnosis_pointers=tuple(line.diagnosis_pointers),
        service_date=service_date,
        emergency=EMERGENCY_CONDITION in claim.certifications["yes"],
        control_number=f"{claim.claim_number}-{line.line_number}",
        patient_count=claim.patient_count,
    )
