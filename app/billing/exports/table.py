"""Claims as CSV: one row per service line, with the claim repeated, for people and for their own programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.billing.x12.parties import Patient, Subscriber
from app.billing.x12.professional_claim import ClaimSubmission, ServiceLine
from app.core.spreadsheets import csv_line


def _person(submission: ClaimSubmission) -> Patient | Subscriber:
    return submission.patient or submission.subscriber


COLUMNS: Mapping[str, Callable[[ClaimSubmission, ServiceLine], Any]] = {
    "claim_number": lambda sent, _: sent.claim.id,
    "line_control_number": lambda _, line: line.control_number,
    "frequency": lambda sent, _: sent.claim.frequency,
    "payer_claim_control_number": lambda sent, _: sent.claim.payer_claim_control_number,
    "payer_name": lambda sent, _: sent.payer.name,
    "payer_id": lambda sent, _: sent.payer.id,
    "payer_sequence": lambda sent, _: sent.subscriber.payer_sequence,
    "claim_filing_code": lambda sent, _: sent.subscriber.claim_filing_code,
    "member_id": lambda sent, _: sent.subscriber.member_id,
    "group_number": lambda sent, _: sent.subscriber.group_number,
    "relationship": lambda sent, _: sent.patient.relationship if sent.patient else "18",
    "subscriber_last_name": lambda sent, _: sent.subscriber.name.last,
    "subscriber_first_name": lambda sent, _: sent.subscriber.name.first,
    "patient_last_name": lambda sent, _: _person(sent).name.last,
    "patient_first_name": lambda sent, _: _person(sent).name.first,
    "patient_birth_date": lambda sent, _: _person(sent).birth_date,
    "patient_sex": lambda sent, _: _person(sent).sex,
    "service_date": lambda _, line: line.service_date,
    "place_of_service": lambda sent, _: sent.claim.place_of_service,
    "pick_up_zip": lambda sent, _: sent.claim.pick_up.zip_code if sent.claim.pick_up else None,
    "drop_off_zip": lambda sent, _: sent.claim.drop_off.address.zip_code if sent.claim.drop_off else None,
    "hcpcs": lambda _, line: line.hcpcs,
    "modifiers": lambda _, line: " ".join(line.modifiers),
    "units": lambda _, line: line.units,
    "charge": lambda _, line: line.charge,
    "diagnoses": lambda sent, _: " ".join(sent.claim.diagnoses),
    "diagnosis_pointers": lambda _, line: " ".join(map(str, line.diagnosis_pointers)),
    "loaded_miles": lambda sent, _: sent.claim.transport.loaded_miles,
    "transport_reason": lambda sent, _: sent.claim.transport.reason_code,
    "prior_authorization": lambda sent, _: sent.claim.prior_authorization,
    "total_charge": lambda sent, _: sent.claim.total_charge,
}
"""The columns of the file in their order, each with its value for a service line."""


def render_csv(batch: Sequence[ClaimSubmission]) -> bytes:
    """The table as UTF-8 (RFC 4180) with a header row."""
    rows = (
        [value(submission, line) for value in COLUMNS.values()]
        for submission in batch
        for line in submission.claim.lines
    )
    return csv_line(COLUMNS) + b"".join(map(csv_line, rows))
