"""Decides whether a claim can be sent, and names its problems by the fields of the API. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.submission import claim_submission, is_loaded, service_date, service_time_field, transmission
from app.billing.x12.claim_content import batch_problems
from app.billing.x12.professional_claim import ClaimSubmission
from app.core.errors import Problem
from app.core.tenants.public import Tenant
from app.ems.public import TRANSPORT_DISPOSITION, PatientChart, Transport, transport_of

# The file gets its number and usage indicator when it is made. Neither can be wrong before.
_ANY_CONTROL_NUMBER, _ANY_USAGE = 1, "T"
_NOT_TRANSPORTED = "The chart says that this patient was not transported: there is no transport to claim."

FIELDS = {
    "envelope.sender_qualifier": "tenant.submitter_qualifier",
    "envelope.sender_id": "tenant.submitter_id",
    "envelope.receiver_qualifier": "tenant.receiver_qualifier",
    "envelope.receiver_id": "tenant.receiver_id",
    "submitter.name": "tenant.legal_name",
    "submitter.etin": "tenant.submitter_id",
    "submitter.contact.name": "tenant.billing_contact_name",
    "submitter.contact.phone": "tenant.phone",
    "receiver.name": "tenant.receiver_name",
    "receiver.id": "tenant.receiver_id",
    "billing_provider.legal_name": "tenant.legal_name",
    "billing_provider.npi": "tenant.npi",
    "billing_provider.ein": "tenant.ein",
    "billing_provider.taxonomy": "tenant.taxonomy",
    "billing_provider.address": "tenant.street",
    "billing_provider.address.line1": "tenant.street",
    "billing_provider.address.city": "tenant.city",
    "billing_provider.address.state": "tenant.state",
    "billing_provider.address.zip_code": "tenant.zip",
    "billing_provider.pay_to_address.line1": "tenant.pay_to_street",
    "billing_provider.pay_to_address.city": "tenant.pay_to_city",
    "billing_provider.pay_to_address.state": "tenant.pay_to_state",
    "billing_provider.pay_to_address.zip_code": "tenant.pay_to_zip",
    "subscriber.name.last": "patient.last_name",
    "subscriber.name.first": "patient.first_name",
    "subscriber.name.middle": "patient.middle_name",
    "subscriber.name.suffix": "patient.name_suffix",
    "subscriber.address.line1": "patient.home_street",
    "subscriber.address.city": "patient.home_city",
    "subscriber.address.state": "patient.home_state",
    "subscriber.address.zip_code": "patient.home_zip",
    "subscriber.address.country": "patient.home_country",
    "subscriber.birth_date": "patient.date_of_birth",
    "subscriber.sex": "patient.gender",
    "patient.name.last": "patient.last_name",
    "patient.name.first": "patient.first_name",
    "patient.name.middle": "patient.middle_name",
    "patient.name.suffix": "patient.name_suffix",
    "patient.address.line1": "patient.home_street",
    "patient.address.city": "patient.home_city",
    "patient.address.state": "patient.home_state",
    "patient.address.zip_code": "patient.home_zip",
    "patient.address.country": "patient.home_country",
    "patient.birth_date": "patient.date_of_birth",
    "patient.sex": "patient.gender",
    "patient.relationship": "subscriber.relationship",
    "subscriber.member_id": "member_id",
    "subscriber.insurance_type": "insurance_type",
    "subscriber.payer_sequence": "payer_sequence",
    "subscriber.claim_filing_code": "claim_filing_code",
    "subscriber.group_number": "group_number",
    "payer.name": "payer_name",
    "payer.id": "payer_id",
    "claim.id": "claim_number",
    "claim.total_charge": "charge_amount",
    "claim.frequency": "frequency",
    "claim.payer_claim_control_number": "payer_claim_control_number",
    "claim.transport.reason_code": "transport_reason",
    "claim.transport.loaded_miles": "loaded_miles",
    "claim.transport.weight_lb": "weight_lb",
    "claim.transport.round_trip_purpose": "round_trip_purpose",
    "claim.transport.stretcher_purpose": "stretcher_purpose",
    "claim.certifications.codes": "certifications",
    "claim.pick_up.line1": "incident.location_street",
    "claim.pick_up.line2": "incident.location_unit",
    "claim.pick_up.city": "incident.location_city",
    "claim.pick_up.state": "incident.location_state",
    "claim.pick_up.zip_code": "incident.location_zip",
    "claim.pick_up.country": "incident.location_country",
    "claim.drop_off.facility_name": "patient.destination_name",
    "claim.drop_off.address.line1": "patient.destination_street",
    "claim.drop_off.address.city": "patient.destination_city",
    "claim.drop_off.address.state": "patient.destination_state",
    "claim.drop_off.address.zip_code": "patient.destination_zip",
    "claim.drop_off.address.country": "patient.destination_country",
    "claim.lines.patient_count": "patient_count",
    "claim.lines.control_number": "claim_number",
}
"""The API field of each record's value. Paths have no indexes. A path not listed has the same name in the API."""
_OF_ANOTHER_SUBSCRIBER = {
    "subscriber.name.last": "subscriber.last_name",
    "subscriber.name.first": "subscriber.first_name",
    "subscriber.name.middle": "subscriber.middle_name",
    "subscriber.name.suffix": "subscriber.name_suffix",
}
"""The fields of a subscriber who is not the patient: the claim itself holds that name."""


class Draft(NamedTuple):
    """`submission` may be sent only if there are no `problems`."""

    submission: ClaimSubmission
    problems: tuple[Problem, ...]


def draft_submission(
    profile: Tenant, chart: PatientChart, claim: Claim, lines: Sequence[ClaimLine], at: dt.datetime
) -> Draft:
    """The claim as the writer takes it, with every problem that it would have in a file made at `at`."""
    served_on = service_date(profile, chart, lines)
    service_time = service_time_field(chart, lines)
    untransported = is_loaded(lines) and transport_of(chart) is Transport.NONE
    missing = [service_time] if served_on is None and not untransported else []
    if claim.signature_on_file is None:
        missing.append("signature_on_file")
    if claim.loaded_miles is None:
        missing.append("loaded_miles")
    sent = transmission(profile, _ANY_CONTROL_NUMBER, _ANY_USAGE, at)
    submission = claim_submission(
        profile,
        chart,
        claim,
        lines,
        # stand-ins for values without an empty form, so that the other problems are found too
        service_date=served_on or sent.envelope.created_at.date(),
        signature_on_file=bool(claim.signature_on_file),
    )
    problems = [Problem.missing(field, f"{words_of(field)} is missing.") for field in missing]
    if untransported:
        problems.append(Problem(f"patient.elements.{TRANSPORT_DISPOSITION}", "not_transported", _NOT_TRANSPORTED))
    for found in batch_problems(*sent, [submission]):
        of_dependent = submission.patient is not None
        field = service_time if found.path.endswith(".service_date") else api_field(found.path, of_dependent)
        problems.append(Problem(field, found.code.lower(), found.message))
    return Draft(submission, tuple({(problem.field, problem.code): problem for problem in problems}.values()))


def api_field(path: str, of_dependent: bool = False) -> str:
    """A writer's path (`batch[0].claim.lines[1].hcpcs`) as the API's field (`lines[1].hcpcs`)."""
    path = re.sub(r"^batch\[\d+\]\.?", "", path)
    fields = FIELDS | _OF_ANOTHER_SUBSCRIBER if of_dependent else FIELDS
    return fields.get(re.sub(r"\[\d+\]", "", path)) or path.removeprefix("claim.")


def words_of(field: str) -> str:
    """`patient.home_zip` as "Patient home zip"."""
    return field.replace(".", " ").replace("_", " ").capitalize()
