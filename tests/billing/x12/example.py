"""One valid ambulance claim of fictional people, to be varied by tests with `dataclasses.replace`."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.billing.x12.parties import (
    Address,
    BillingProvider,
    Contact,
    Envelope,
    Patient,
    Payer,
    PersonName,
    Receiver,
    Submitter,
    Subscriber,
)
from app.billing.x12.professional_claim import (
    Certification,
    Claim,
    ClaimSubmission,
    DropOff,
    ServiceLine,
    Transport,
)

DAY = date(2026, 11, 1)

ENVELOPE = Envelope(
    sender_qualifier="ZZ",
    sender_id="371234567",
    receiver_qualifier="30",
    receiver_id="330897513",
    interchange_control_number=101,
    group_control_number=101,
    transaction_set_control_number=1,
    batch_id="BATCH0001",
    usage_indicator="T",
    created_at=datetime(2026, 11, 5, 10, 30, tzinfo=UTC),
)
CONTACT = Contact(name="Billing Office", phone="217-555-0100")
SUBMITTER = Submitter(name="Prairie EMS", etin="371234567", contact=CONTACT)
RECEIVER = Receiver(name="Office Ally", id="330897513")

STATION = Address(line1="1 Station Rd", city="Springfield", state="IL", zip_code="62701-1000")
HOME = Address(line1="100 Main St", line2="Apt #4", city="Springfield", state="IL", zip_code="627011234")
HOSPITAL = Address(line1="701 N 1st St", city="Springfield", state="IL", zip_code="62781")

PROVIDER = BillingProvider(
    legal_name="Prairie EMS", npi="1467890129", ein="37-1234567", taxonomy="3416L0300X", address=STATION
)
SUBSCRIBER = Subscriber(
    name=PersonName(last="Muster", first="Zoë", middle="Q"),
    member_id="1EG4TE5MK73",
    claim_filing_code="MB",
    address=HOME,
    birth_date=date(1948, 2, 17),
    sex="F",
)
PAYER = Payer(name="Medicare Part B IL", id="00952")
CHILD = Patient(
    name=PersonName(last="Muster", first="Kim"), relationship="19", address=HOME, birth_date=date(2015, 5, 5), sex="U"
)

BASE = ServiceLine(
    hcpcs="A0427",
    modifiers=("RH",),
    charge=Decimal("650.00"),
    units=Decimal(1),
    diagnosis_pointers=(1, 2),
    service_date=DAY,
    emergency=True,
    control_number="L1-1",
)
MILEAGE = ServiceLine(
    hcpcs="A0425",
    modifiers=("RH",),
    charge=Decimal("365.60"),
    units=Decimal("12.4"),
    diagnosis_pointers=(1,),
    service_date=DAY,
    control_number="L1-2",
)
CLAIM = Claim(
    id="RUN26-000001",
    total_charge=Decimal("1015.60"),
    place_of_service="41",
    signature_on_file=True,
    assignment="A",
    benefits_assigned="Y",
    release_of_information="Y",
    transport=Transport(
        reason_code="A", loaded_miles=Decimal("12.4"), weight_lb=Decimal(154), stretcher_purpose="Stroke symptoms"
    ),
    certifications=(Certification(applies=True, codes=("01", "09")), Certification(applies=False, codes=("12",))),
    diagnoses=("I63.9", "R47.01", "Z9981"),
    pick_up=HOME,
    drop_off=DropOff(facility_name="Memorial Hospital", address=HOSPITAL),
    lines=(BASE, MILEAGE),
)
SUBMISSION = ClaimSubmission(billing_provider=PROVIDER, subscriber=SUBSCRIBER, payer=PAYER, claim=CLAIM)


def submission(**claim_changes: Any) -> ClaimSubmission:
    """The example with changes to its claim."""
    return replace(SUBMISSION, claim=replace(CLAIM, **claim_changes))


def with_lines(*lines: ServiceLine, **claim_changes: Any) -> ClaimSubmission:
    """The example with other service lines and the sum of their charges."""
    return submission(lines=lines, total_charge=sum((line.charge for line in lines), Decimal(0)), **claim_changes)
