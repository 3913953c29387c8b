"""Decides whether a batch can be sent. It adds the rules between fields, and finds all problems of a batch at once.

It checks structure only (SNIP types 1 to 4). Rules of payers and medical policy belong to the scrubber.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

from app.billing.x12.field_rules import MISSING, NOT_A_NUMBER, Fault
from app.billing.x12.parties import Address, BillingProvider, Envelope, Payer, Receiver, Submitter
from app.billing.x12.professional_claim import Accident, Claim, ClaimSubmission
from app.billing.x12.record_check import ContentProblem, field_problems, problem
from app.billing.x12.segments import bare_digits, x12_text
from app.billing.x12.transport_content import numbered_lines, transport_problems

# The guide's recommended limit of CLM segments in one transaction set
MAX_CLAIMS = 5000

_PO_BOX = re.compile(r"\b(P\W*O\W*B(OX)?|POST OFFICE (BOX|DRAWER)|P\W*O\W*DRAWER|LOCK ?BOX)\b")


class ClaimContentError(ValueError):
    """The batch cannot be sent. `problems` holds all problems. Neither they nor the text quote the claim."""

    def __init__(self, problems: Sequence[ContentProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{found.path}: {found.code}" for found in self.problems))


def batch_problems(
    envelope: Envelope, submitter: Submitter, receiver: Receiver, batch: Sequence[ClaimSubmission]
) -> list[ContentProblem]:
    """All problems that keep this batch from a valid 837P. The list is empty when the batch can be rendered."""
    found = [*_transmission_problems(envelope, submitter, receiver)]
    if not batch:
        found.append(ContentProblem("BATCH_EMPTY", "batch", "The batch holds no claim."))
    if len(batch) > MAX_CLAIMS:
        found.append(ContentProblem("BATCH_SIZE", "batch", f"The batch holds more than {MAX_CLAIMS} claims."))
    used = Counter(submission.claim.id for submission in batch)
    for index, submission in enumerate(batch):
        path = f"batch[{index}]"
        found += submission_problems(submission, path)
        if used[submission.claim.id] > 1:
            found.append(problem(f"{path}.claim.id", Fault("CLAIM_ID_REUSED", "is used by another claim of the batch")))
        for at, line in numbered_lines(submission.claim, path):
            if line.service_date > envelope.created_at.date():
                found.append(problem(f"{at}.service_date", Fault("SERVICE_DATE_FUTURE", "lies in the future")))
    return found


def submission_problems(submission: ClaimSubmission, path: str = "submission") -> list[ContentProblem]:
    """All problems of one claim and its parties, without those of the batch."""
    claim = submission.claim
    of_fields = list(_field_problems(submission, path))
    if any(found.code == NOT_A_NUMBER.code for found in of_fields):
        return of_fields  # NaN cannot be compared or summed, so the rules between fields cannot run
    return [
        *of_fields,
        *_parties(submission, path),
        *_claim(claim, f"{path}.claim"),
        *_accident(claim, claim.accident, f"{path}.claim.accident"),
        *_certifications(claim, f"{path}.claim"),
        *_line_references(claim, path),
        *transport_problems(claim, path),
    ]


def _field_problems(submission: ClaimSubmission, path: str) -> Iterator[ContentProblem]:
    """The faults of every field, in the order of declaration."""
    for name in ("billing_provider", "subscriber", "payer", "patient", "claim"):
        record = getattr(submission, name)
        shared = isinstance(record, BillingProvider | Payer)
        if record is not None and not (shared and _is_clean(record)):
            yield from field_problems(record, f"{path}.{name}")


@lru_cache(maxsize=64)
def _transmission_problems(envelope: Envelope, submitter: Submitter, receiver: Receiver) -> tuple[ContentProblem, ...]:
    """The faults of what all claims of a file share. None of it is about a patient, so it may be remembered."""
    return (
        *field_problems(envelope, "envelope"),
        *field_problems(submitter, "submitter"),
        *field_problems(receiver, "receiver"),
    )


@lru_cache(maxsize=512)
def _is_clean(record: BillingProvider | Payer) -> bool:
    """True if no field of a party that many claims share has a fault. It is about no patient."""
    return not any(field_problems(record, ""))


def _parties(submission: ClaimSubmission, path: str) -> Iterator[ContentProblem]:
    street, at_street = submission.billing_provider.address, f"{path}.billing_provider.address"
    if _is_po_box(street):
        yield problem(at_street, Fault("BILLING_PO_BOX", "must be a street, not a post office box"))
    if len(bare_digits(street.zip_code)) == 5:
        yield problem(f"{at_street}.zip_code", Fault("BILLING_ZIP", "must have nine digits (ZIP+4)"))
    subscriber = submission.subscriber
    person, role = (submission.patient, "patient") if submission.patient else (subscriber, "subscriber")
    for name in ("address", "birth_date", "sex"):
        if not getattr(person, name):
            yield problem(f"{path}.{role}.{name}", MISSING)
    if subscriber.insurance_type and subscriber.payer_sequence == "P":
        yield problem(
            f"{path}.subscriber.insurance_type",
            Fault("INSURANCE_TYPE_PRIMARY", "belongs to a payer that is not primary"),
        )
    born = submission.patient.birth_date if submission.patient else subscriber.birth_date
    for at, line in numbered_lines(submission.claim, path):
        if born and line.service_date < born:
            yield problem(f"{at}.service_date", Fault("BEFORE_BIRTH", "lies before the patient's birth"))


def _claim(claim: Claim, path: str) -> Iterator[ContentProblem]:
    if claim.total_charge != sum((line.charge for line in claim.lines), Decimal(0)):
        yield problem(f"{path}.total_charge", Fault("CHARGE_SUM", "is not the sum of the line charges"))
    if claim.total_charge <= 0:
        yield problem(f"{path}.total_charge", Fault("CHARGE_ZERO", "must be more than zero"))
    if claim.patient_amount_paid and claim.patient_amount_paid > claim.total_charge:
        yield problem(f"{path}.patient_amount_paid", Fault("PAID_OVER_CHARGE", "is more than the claim's charge"))
    control_number = f"{path}.payer_claim_control_number"
    if claim.frequency in ("7", "8") and not claim.payer_claim_control_number:
        yield problem(control_number, Fault("MISSING", "is missing: a replacement or void names the payer's claim"))
    if claim.frequency == "1" and claim.payer_claim_control_number:
        yield problem(control_number, Fault("ORIGINAL_WITH_CONTROL_NUMBER", "does not belong on an original claim"))
    if claim.pick_up is None:
        yield problem(f"{path}.pick_up", MISSING)
    if claim.drop_off is None:
        yield problem(f"{path}.drop_off", MISSING)
    codes = [diagnosis.replace(".", "") for diagnosis in claim.diagnoses]
    if len(set(codes)) < len(set(claim.diagnoses)):  # the same code with and without its dot
        yield problem(f"{path}.diagnoses", Fault("DUPLICATE", "holds the same entry twice"))


def _accident(claim: Claim, accident: Accident | None, path: str) -> Iterator[ContentProblem]:
    if accident is None:
        return
    auto = "AA" in accident.causes
    if auto and not accident.state:
        yield problem(f"{path}.state", Fault("MISSING", "is missing: an auto accident names its state"))
    if accident.state and not auto:
        yield problem(f"{path}.state", Fault("STATE_WITHOUT_AUTO", "belongs to auto accidents only"))
    if accident.occurred_on is None:
        if auto or "OA" in accident.causes:
            yield problem(f"{path}.occurred_on", MISSING)
    elif claim.lines and accident.occurred_on > min(line.service_date for line in claim.lines):
        yield problem(f"{path}.occurred_on", Fault("AFTER_SERVICE", "lies after the service"))


def _certifications(claim: Claim, path: str) -> Iterator[ContentProblem]:
    stated = Counter(code for certification in claim.certifications for code in set(certification.codes))
    if stated and max(stated.values()) > 1:
        yield problem(f"{path}.certifications", Fault("CONDITION_TWICE", "state the same condition more than once"))


def _line_references(claim: Claim, path: str) -> Iterator[ContentProblem]:
    used = Counter(line.control_number for line in claim.lines)
    for at, line in numbered_lines(claim, path):
        if used[line.control_number] > 1:
            yield problem(f"{at}.control_number", Fault("LINE_NUMBER_REUSED", "is used by another line of the claim"))
        if any(not 1 <= pointer <= len(claim.diagnoses) for pointer in line.diagnosis_pointers):
            yield problem(
                f"{at}.diagnosis_pointers", Fault("POINTER", "point to a diagnosis that the claim does not have")
            )


def _is_po_box(address: Address) -> bool:
    return any(_PO_BOX.search(x12_text(line)) for line in (address.line1, address.line2 or ""))
