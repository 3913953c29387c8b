"""The letter of an appeal as it is first proposed: what the claim and the refusal say, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from app.billing.adjustment_codes.dictionary import Category, reason_on
from app.billing.claims.models import Claim, ClaimLine
from app.billing.denials.models import Denial

CERTIFICATIONS: Mapping[str, str] = {
    "01": "The patient was admitted to a hospital.",
    "02": "The patient was confined to bed before the transport.",
    "03": "The patient was confined to bed after the transport.",
    "04": "The patient was moved by stretcher.",
    "05": "The patient was unconscious or in shock.",
    "06": "The patient was transported in an emergency.",
    "07": "The patient had to be physically restrained.",
    "08": "The patient had visible hemorrhaging.",
    "09": "The transport was medically necessary.",
    "12": "The patient was confined to a bed or chair.",
}
"""CRC03 to CRC07 of an ambulance certification."""
TRANSPORT_REASONS: Mapping[str, str] = {
    "A": "The patient was taken to the nearest facility that could give the care needed.",
    "B": "The patient was taken to the facility of a preferred physician.",
    "C": "The patient was taken nearer to the family.",
    "D": "The patient was taken for the care of a specialist, or to special equipment.",
    "E": "The patient was transferred to a rehabilitation facility.",
}
"""CR104."""
_ARGUMENTS: Mapping[Category, str] = {
    Category.MEDICAL_NECESSITY: (
        "Transport by ambulance is covered where the patient's condition rules out other means of transport"
        " (42 CFR 410.40(e)). The enclosed patient care report shows that condition as the crew found it."
    ),
    Category.DOCUMENTATION: "The documents that the decision asks for are enclosed.",
    Category.TIMELY_FILING: (
        "The claim was sent in time. Please compare the date of receipt with the acknowledgement of the clearinghouse."
    ),
    Category.AUTHORIZATION: (
        "There was no time to ask for authorization before the transport. The enclosed patient care report shows the"
        " circumstances."
    ),
    Category.ENROLLMENT: "The agency was licensed and enrolled on the day of the service.",
}
_ANY_OTHER = "We ask you to review the decision on the enclosed records."


def propose(claim: Claim, lines: Sequence[ClaimLine], denial: Denial) -> str:
    """The text, paragraphs parted by blank lines. A biller goes over it before it is filed."""
    return "\n\n".join(_paragraphs(claim, lines, denial))


def _paragraphs(claim: Claim, lines: Sequence[ClaimLine], denial: Denial) -> Iterator[str]:
    refused = f"By your decision of {denial.notice_on.isoformat()} you refused {denial.amount} USD"
    said = [_explained(code, denial) for code in denial.codes]
    yield f"{refused} of this claim{': ' + '; '.join(said) if said else ''}. We ask you to decide again."
    yield _ARGUMENTS.get(denial.category, _ANY_OTHER)
    stated = list(_facts(claim))
    if stated:
        yield " ".join(stated)
    services = ", ".join(f"{line.hcpcs} ({line.units.normalize():f})" for line in lines)
    if services:
        yield f"Services billed: {services}."
    yield f"We ask you to pay the {denial.amount} USD that were refused."


def _explained(code: str, denial: Denial) -> str:
    known = reason_on(code.partition("-")[2], denial.notice_on)
    return code if known is None else f"{code} ({known.means.rstrip('.')})"


def _facts(claim: Claim) -> Iterator[str]:
    if claim.transport_reason is not None and claim.transport_reason in TRANSPORT_REASONS:
        yield TRANSPORT_REASONS[claim.transport_reason]
    if claim.stretcher_purpose is not None:
        yield f"Why a stretcher was needed: {claim.stretcher_purpose.rstrip('.')}."
    if claim.round_trip_purpose is not None:
        yield f"Why a round trip was needed: {claim.round_trip_purpose.rstrip('.')}."
    yield from (CERTIFICATIONS[code] for code in claim.certifications.get("yes", ()) if code in CERTIFICATIONS)
