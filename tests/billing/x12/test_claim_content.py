"""What cannot be sent is refused before it is written: each rule broken alone, in a claim that is otherwise valid."""

from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.billing.x12.claim_content import MAX_CLAIMS, ClaimContentError, batch_problems, submission_problems
from app.billing.x12.parties import PersonName, Practitioner
from app.billing.x12.professional_claim import Accident, Certification, ClaimSubmission
from app.billing.x12.writer_837p import render_837p
from tests.billing.x12.example import (
    BASE,
    CHILD,
    CLAIM,
    CONTACT,
    DAY,
    ENVELOPE,
    HOME,
    MILEAGE,
    PAYER,
    PROVIDER,
    RECEIVER,
    STATION,
    SUBMISSION,
    SUBMITTER,
    SUBSCRIBER,
    submission,
    with_lines,
)


def provider(**changes: Any) -> ClaimSubmission:
    return replace(SUBMISSION, billing_provider=replace(PROVIDER, **changes))


def street(**changes: Any) -> ClaimSubmission:
    return provider(address=replace(STATION, **changes))


def subscriber(**changes: Any) -> ClaimSubmission:
    return replace(SUBMISSION, subscriber=replace(SUBSCRIBER, **changes))


def dependent(**changes: Any) -> ClaimSubmission:
    return replace(SUBMISSION, patient=replace(CHILD, **changes))


def pick_up(**changes: Any) -> ClaimSubmission:
    return submission(pick_up=replace(HOME, **changes))


def transport(**changes: Any) -> ClaimSubmission:
    return submission(transport=replace(CLAIM.transport, **changes))


def base(**changes: Any) -> ClaimSubmission:
    return with_lines(replace(BASE, **changes), MILEAGE)


def mileage(**changes: Any) -> ClaimSubmission:
    return with_lines(BASE, replace(MILEAGE, **changes))


def accident(**changes: Any) -> ClaimSubmission:
    return submission(accident=replace(Accident(causes=("AA",), state="IL", occurred_on=DAY), **changes))


LONG = "X" * 100

REFUSED: list[tuple[str, ClaimSubmission, str, str]] = [
    # billing provider
    ("NPI check digit", provider(npi="1467890120"), "NPI_CHECK_DIGIT", "billing_provider.npi"),
    ("NPI with letters", provider(npi="146789O129"), "NPI", "billing_provider.npi"),
    ("NPI of eleven digits", provider(npi="14678901299"), "NPI", "billing_provider.npi"),
    ("EIN of eight digits", provider(ein="37-123456"), "EIN", "billing_provider.ein"),
    ("taxonomy without X", provider(taxonomy="3416L03000"), "TAXONOMY", "billing_provider.taxonomy"),
    ("no legal name", provider(legal_name=" "), "MISSING", "billing_provider.legal_name"),
    ("long legal name", provider(legal_name=LONG), "TOO_LONG", "billing_provider.legal_name"),
    ("unsendable name", provider(legal_name="\U0001f691"), "UNSPELLABLE", "billing_provider.legal_name"),
    ("name with an emoji", provider(legal_name="Ann \U0001f691"), "UNSPELLABLE", "billing_provider.legal_name"),
    ("name of signs", provider(legal_name="-'."), "CHARACTERS", "billing_provider.legal_name"),
    ("PO box", street(line1="P.O. Box 12"), "BILLING_PO_BOX", "billing_provider.address"),
    ("PO box on line 2", street(line2="po box 12"), "BILLING_PO_BOX", "billing_provider.address"),
    ("post office box", street(line1="Post Office Box 12"), "BILLING_PO_BOX", "billing_provider.address"),
    ("ZIP without +4", street(zip_code="62701"), "BILLING_ZIP", "billing_provider.address.zip_code"),
    ("state", street(state="XX"), "STATE", "billing_provider.address.state"),
    ("city of one letter", street(city="X"), "TOO_SHORT", "billing_provider.address.city"),
    (
        "pay-to address",
        provider(pay_to_address=replace(HOME, city="")),
        "MISSING",
        "billing_provider.pay_to_address.city",
    ),
    ("phone", provider(contact=replace(CONTACT, phone="555-0100")), "PHONE", "billing_provider.contact.phone"),
    # subscriber, payer, patient
    ("no member id", subscriber(member_id=""), "MISSING", "subscriber.member_id"),
    ("sign in member id", subscriber(member_id="1EG4*E5"), "CHARACTERS", "subscriber.member_id"),
    ("long member id", subscriber(member_id=LONG), "LENGTH", "subscriber.member_id"),
    ("no last name", subscriber(name=PersonName(last="")), "MISSING", "subscriber.name.last"),
    ("payer sequence", subscriber(payer_sequence="X"), "CODE", "subscriber.payer_sequence"),
    ("filing code", subscriber(claim_filing_code="09"), "CODE", "subscriber.claim_filing_code"),
    ("no filing code", subscriber(claim_filing_code=""), "MISSING", "subscriber.claim_filing_code"),
    ("insurance type", subscriber(payer_sequence="S", insurance_type="99"), "CODE", "subscriber.insurance_type"),
    ("insurance type, primary", subscriber(insurance_type="47"), "INSURANCE_TYPE_PRIMARY", "subscriber.insurance_type"),
    ("no birth date, self", subscriber(birth_date=None), "MISSING", "subscriber.birth_date"),
    ("no sex, self", subscriber(sex=None), "MISSING", "subscriber.sex"),
    ("no address, self", subscriber(address=None), "MISSING", "subscriber.address"),
    ("sex code", subscriber(sex="X"), "CODE", "subscriber.sex"),
    ("payer without id", replace(SUBMISSION, payer=replace(PAYER, id="")), "MISSING", "payer.id"),
    ("payer without name", replace(SUBMISSION, payer=replace(PAYER, name="")), "MISSING", "payer.name"),
    ("relationship", dependent(relationship="18"), "CODE", "patient.relationship"),
    ("patient's ZIP", dependent(address=replace(HOME, zip_code="6270")), "ZIP", "patient.address.zip_code"),
    ("patient born after", dependent(birth_date=DAY + timedelta(1)), "BEFORE_BIRTH", "claim.lines[0].service_date"),
    ("subscriber born after", subscriber(birth_date=date(2027, 1, 1)), "BEFORE_BIRTH", "claim.lines[0].service_date"),
    # claim
    ("claim id of 21", submission(id="A" * 21), "CLAIM_ID", "claim.id"),
    ("claim id in small letters", submission(id="run26"), "CLAIM_ID", "claim.id"),
    ("charge sum", submission(total_charge=Decimal("1015.61")), "CHARGE_SUM", "claim.total_charge"),
    ("zero charge", with_lines(replace(BASE, charge=Decimal(0))), "CHARGE_ZERO", "claim.total_charge"),
    ("mills", base(charge=Decimal("650.001")), "DECIMALS", "claim.lines[0].charge"),
    ("negative charge", base(charge=Decimal(-1)), "RANGE", "claim.lines[0].charge"),
    ("no number", base(charge=Decimal("NaN")), "NOT_A_NUMBER", "claim.lines[0].charge"),
    ("place of service", submission(place_of_service="11"), "CODE", "claim.place_of_service"),
    ("frequency", submission(frequency="2"), "CODE", "claim.frequency"),
    ("replacement", submission(frequency="7"), "MISSING", "claim.payer_claim_control_number"),
    ("void", submission(frequency="8"), "MISSING", "claim.payer_claim_control_number"),
    (
        "original with control number",
        submission(payer_claim_control_number="1"),
        "ORIGINAL_WITH_CONTROL_NUMBER",
        "claim.payer_claim_control_number",
    ),
    ("assignment", submission(assignment="P"), "CODE", "claim.assignment"),
    ("benefits", submission(benefits_assigned="A"), "CODE", "claim.benefits_assigned"),
    ("release", submission(release_of_information="N"), "CODE", "claim.release_of_information"),
    ("delay reason", submission(delay_reason="12"), "CODE", "claim.delay_reason"),
    ("paid more", submission(patient_amount_paid=Decimal(2000)), "PAID_OVER_CHARGE", "claim.patient_amount_paid"),
    ("paid nothing", submission(patient_amount_paid=Decimal(0)), "RANGE", "claim.patient_amount_paid"),
    ("long note", submission(note="x" * 81), "TOO_LONG", "claim.note"),
    ("blank note", submission(note=" "), "CHARACTERS", "claim.note"),
    ("blank number", submission(prior_authorization=" "), "CHARACTERS", "claim.prior_authorization"),
    ("control sign in number", submission(medical_record_number="1\x002"), "CHARACTERS", "claim.medical_record_number"),
    ("space in authorisation", submission(prior_authorization=" 1"), "CHARACTERS", "claim.prior_authorization"),
    (
        "supervisor's NPI",
        submission(supervising_provider=Practitioner(name=PersonName(last="House"), npi="1")),
        "NPI",
        "claim.supervising_provider.npi",
    ),
    ("auto accident without state", accident(state=None), "MISSING", "claim.accident.state"),
    ("auto accident without date", accident(occurred_on=None), "MISSING", "claim.accident.occurred_on"),
    (
        "other accident without date",
        accident(causes=("OA",), state=None, occurred_on=None),
        "MISSING",
        "claim.accident.occurred_on",
    ),
    ("state of another accident", accident(causes=("EM",)), "STATE_WITHOUT_AUTO", "claim.accident.state"),
    ("accident after service", accident(occurred_on=DAY + timedelta(1)), "AFTER_SERVICE", "claim.accident.occurred_on"),
    (
        "accident after the first service",
        with_lines(
            BASE,
            replace(MILEAGE, service_date=DAY - timedelta(1)),
            accident=Accident(causes=("OA",), occurred_on=DAY),
        ),
        "AFTER_SERVICE",
        "claim.accident.occurred_on",
    ),
    ("accident cause", accident(causes=("AA", "ZZ")), "CODE", "claim.accident.causes[1]"),
    ("three causes", accident(causes=("AA", "EM", "OA")), "TOO_MANY", "claim.accident.causes"),
    # transport
    ("transport reason", transport(reason_code="F"), "CODE", "claim.transport.reason_code"),
    ("negative miles", transport(loaded_miles=Decimal("-12.4")), "RANGE", "claim.transport.loaded_miles"),
    ("weightless", transport(weight_lb=Decimal(0)), "RANGE", "claim.transport.weight_lb"),
    ("long stretcher purpose", transport(stretcher_purpose=LONG), "TOO_LONG", "claim.transport.stretcher_purpose"),
    ("miles and units differ", transport(loaded_miles=Decimal("12.5")), "MILES_UNITS", "claim.transport.loaded_miles"),
    (
        "hundredths of a mile",
        with_lines(BASE, transport=replace(CLAIM.transport, loaded_miles=Decimal("1.43"))),
        "DECIMALS",
        "claim.transport.loaded_miles",
    ),
    (
        "tenths over 100, not billed",
        with_lines(BASE, transport=replace(CLAIM.transport, loaded_miles=Decimal("100.4"))),
        "MILES_FORMAT",
        "claim.transport.loaded_miles",
    ),
    (
        "tenths over 100",
        with_lines(
            BASE,
            replace(MILEAGE, units=Decimal("100.4")),
            transport=replace(CLAIM.transport, loaded_miles=Decimal("100.4")),
        ),
        "MILES_FORMAT",
        "claim.lines[1].units",
    ),
    (
        "condition code",
        submission(certifications=(Certification(applies=True, codes=("02",)),)),
        "CODE",
        "claim.certifications[0].codes[0]",
    ),
    (
        "six conditions",
        submission(certifications=(Certification(applies=True, codes=("01", "04", "05", "06", "07", "08")),)),
        "TOO_MANY",
        "claim.certifications[0].codes",
    ),
    (
        "no condition",
        submission(certifications=(Certification(applies=True, codes=()),)),
        "MISSING",
        "claim.certifications[0].codes",
    ),
    (
        "condition affirmed and denied",
        submission(
            certifications=(Certification(applies=True, codes=("01",)), Certification(applies=False, codes=("01",)))
        ),
        "CONDITION_TWICE",
        "claim.certifications",
    ),
    (
        "four certifications",
        submission(
            certifications=tuple(Certification(applies=True, codes=(code,)) for code in ("01", "04", "05", "06"))
        ),
        "TOO_MANY",
        "claim.certifications",
    ),
    ("no pick-up", submission(pick_up=None), "MISSING", "claim.pick_up"),
    ("no drop-off", submission(drop_off=None), "MISSING", "claim.drop_off"),
    ("pick-up state", pick_up(state="ZZ"), "STATE", "claim.pick_up.state"),
    ("pick-up ZIP", pick_up(zip_code="62701-12"), "ZIP", "claim.pick_up.zip_code"),
    # diagnoses
    ("no diagnosis", submission(diagnoses=()), "MISSING", "claim.diagnoses"),
    ("invented ICD", submission(diagnoses=("ZZZ99", "R4701")), "ICD_SHAPE", "claim.diagnoses[0]"),
    ("dot in the wrong place", submission(diagnoses=("I639", "R4.701")), "ICD_SHAPE", "claim.diagnoses[1]"),
    ("ICD-9", submission(diagnoses=("I639", "4019")), "ICD_SHAPE", "claim.diagnoses[1]"),
    ("same diagnosis", submission(diagnoses=("I639", "I639")), "DUPLICATE", "claim.diagnoses"),
    ("same diagnosis with its dot", submission(diagnoses=("I639", "I63.9")), "DUPLICATE", "claim.diagnoses"),
    (
        "13 diagnoses",
        submission(diagnoses=tuple(f"R{number}" for number in range(10, 23))),
        "TOO_MANY",
        "claim.diagnoses",
    ),
    # lines
    ("no lines", with_lines(), "MISSING", "claim.lines"),
    (
        "51 lines",
        with_lines(BASE, *(replace(BASE, hcpcs="A0398", control_number=f"S{number}") for number in range(50))),
        "TOO_MANY",
        "claim.lines",
    ),
    ("HCPCS of four digits", base(hcpcs="A042"), "HCPCS", "claim.lines[0].hcpcs"),
    ("HCPCS in small letters", base(hcpcs="a0427"), "HCPCS", "claim.lines[0].hcpcs"),
    ("five modifiers", base(modifiers=("RH", "GM", "QM", "GA", "KX")), "TOO_MANY", "claim.lines[0].modifiers"),
    ("modifier of three", base(modifiers=("RH", "GMX")), "MODIFIER", "claim.lines[0].modifiers[1]"),
    ("same modifier", base(modifiers=("RH", "GM", "GM")), "DUPLICATE", "claim.lines[0].modifiers"),
    ("no units", base(units=Decimal(0)), "RANGE", "claim.lines[0].units"),
    ("pointer to no diagnosis", base(diagnosis_pointers=(1, 4)), "POINTER", "claim.lines[0].diagnosis_pointers"),
    ("pointer 0", base(diagnosis_pointers=(0,)), "POINTER", "claim.lines[0].diagnosis_pointers"),
    ("no pointer", base(diagnosis_pointers=()), "MISSING", "claim.lines[0].diagnosis_pointers"),
    ("same pointer", base(diagnosis_pointers=(1, 1)), "DUPLICATE", "claim.lines[0].diagnosis_pointers"),
    ("five pointers", base(diagnosis_pointers=(1, 2, 3, 1, 2)), "TOO_MANY", "claim.lines[0].diagnosis_pointers"),
    ("no line number", base(control_number=""), "MISSING", "claim.lines[0].control_number"),
    ("line number of 31", base(control_number="L" * 31), "LINE_NUMBER", "claim.lines[0].control_number"),
    ("line number reused", base(control_number="L1-2"), "LINE_NUMBER_REUSED", "claim.lines[0].control_number"),
    ("patient count", base(patient_count=0), "RANGE", "claim.lines[0].patient_count"),
    # base, route, mileage
    ("no base", with_lines(replace(BASE, hcpcs="A0398")), "BASE_CODE", "claim.lines"),
    ("two bases", with_lines(BASE, replace(BASE, control_number="L9"), MILEAGE), "BASE_CODE", "claim.lines"),
    ("base one way of two", transport(round_trip_purpose="Test"), "BASE_CODE", "claim.lines"),
    (
        "round trip to elsewhere",
        with_lines(
            BASE,
            replace(BASE, control_number="L9", modifiers=("HN",)),
            transport=replace(CLAIM.transport, round_trip_purpose="Test"),
        ),
        "ROUND_TRIP",
        "claim.lines",
    ),
    ("no route", base(modifiers=()), "ORIGIN_DESTINATION", "claim.lines[0].modifiers"),
    ("route second", base(modifiers=("GM", "RH")), "ORIGIN_DESTINATION", "claim.lines[0].modifiers"),
    ("origin X", base(modifiers=("XH",)), "ORIGIN_DESTINATION", "claim.lines[0].modifiers"),
    ("destination S", base(modifiers=("RS",)), "ORIGIN_DESTINATION", "claim.lines[0].modifiers"),
    ("mileage by another route", mileage(modifiers=("SH",)), "MILEAGE_ROUTE", "claim.lines[1].modifiers"),
    ("mileage alone", with_lines(MILEAGE), "MILEAGE_WITHOUT_BASE", "claim.lines[0].hcpcs"),
    ("air miles on the ground", mileage(hcpcs="A0436"), "MILEAGE_WITHOUT_BASE", "claim.lines[1].hcpcs"),
    ("air on land", base(hcpcs="A0431"), "AIR_PLACE", "claim.lines[0].hcpcs"),
]


@pytest.mark.parametrize(("broken", "code", "path"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_broken_rule_is_refused(broken: ClaimSubmission, code: str, path: str) -> None:
    with pytest.raises(ClaimContentError) as refused:
        render_837p(ENVELOPE, SUBMITTER, RECEIVER, [broken])
    assert (code, f"batch[0].{path}") in [(found.code, found.path) for found in refused.value.problems]


def test_the_valid_claim_has_no_problem() -> None:
    assert batch_problems(ENVELOPE, SUBMITTER, RECEIVER, [SUBMISSION]) == []
    assert submission_problems(SUBMISSION) == []


# The faults of the reference set that no public validator caught, as they would arrive from a caller
UNCAUGHT = {
    "05 NPI check digit": "NPI check digit",
    "07 billing ZIP": "ZIP without +4",
    "11 drop-off missing": "no drop-off",
    "15 pointer to no diagnosis": "pointer to no diagnosis",
    "23 DMG missing for self": "no birth date, self",
    "25 invented ICD": "invented ICD",
    "32 HCPCS": "HCPCS of four digits",
    "33 state": "pick-up state",
    "34 negative miles": "negative miles",
    "38 claim id": "claim id of 21",
}


@pytest.mark.parametrize("mutant", UNCAUGHT)
def test_what_other_validators_let_pass_is_refused_and_nothing_else_is(mutant: str) -> None:
    [broken] = [case[1] for case in REFUSED if case[0] == UNCAUGHT[mutant]]
    codes = {found.code for found in submission_problems(broken)}
    expected = {case[2] for case in REFUSED if case[0] == UNCAUGHT[mutant]}
    assert codes - {"MILES_UNITS", "BASE_CODE", "MILEAGE_WITHOUT_BASE"} == expected


def test_the_eleventh_a_dot_in_a_diagnosis_is_taken_out() -> None:
    text = render_837p(ENVELOPE, SUBMITTER, RECEIVER, [submission(diagnoses=("I63.9", "R47.01"))])
    assert "HI*ABK:I639*ABF:R4701~" in text


def test_all_problems_are_told_at_once() -> None:
    broken = replace(
        provider(npi="1467890120", ein="1"),
        payer=replace(PAYER, id=""),
        claim=replace(CLAIM, drop_off=None, diagnoses=("ZZZ99",), lines=(replace(BASE, modifiers=()), MILEAGE)),
    )
    with pytest.raises(ClaimContentError) as refused:
        render_837p(replace(ENVELOPE, usage_indicator="X"), SUBMITTER, RECEIVER, [SUBMISSION, broken])
    assert [(found.code, found.path) for found in refused.value.problems] == [
        ("CODE", "envelope.usage_indicator"),
        ("CLAIM_ID_REUSED", "batch[0].claim.id"),
        ("NPI_CHECK_DIGIT", "batch[1].billing_provider.npi"),
        ("EIN", "batch[1].billing_provider.ein"),
        ("MISSING", "batch[1].payer.id"),
        ("ICD_SHAPE", "batch[1].claim.diagnoses[0]"),
        ("MISSING", "batch[1].claim.drop_off"),
        ("POINTER", "batch[1].claim.lines[0].diagnosis_pointers"),
        ("ORIGIN_DESTINATION", "batch[1].claim.lines[0].modifiers"),
        ("MILEAGE_ROUTE", "batch[1].claim.lines[1].modifiers"),
        ("CLAIM_ID_REUSED", "batch[1].claim.id"),
    ]


def test_messages_are_sentences_a_biller_can_read() -> None:
    broken = replace(base(hcpcs="A042", diagnosis_pointers=(9,)), subscriber=replace(SUBSCRIBER, birth_date=None))
    messages = [found.message for found in submission_problems(broken)]
    assert messages[:4] == [
        "Service line 1 HCPCS code must be a letter and four digits, or a CPT code.",
        "Subscriber birth date is missing.",
        "Service line 1 diagnosis pointers point to a diagnosis that the claim does not have.",
        "Claim lines must hold exactly one base code.",
    ]


@pytest.mark.parametrize("broken", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_no_value_of_the_claim_stands_in_a_refusal(broken: ClaimSubmission) -> None:
    told = [(found.message, found.path) for found in submission_problems(broken)]
    with pytest.raises(ClaimContentError) as refused:
        render_837p(ENVELOPE, SUBMITTER, RECEIVER, [broken])
    text = f"{told} {refused.value}".upper()
    assert not [value for value in _values(broken) if len(value) > 4 and value.upper() in text]


def _values(record: object) -> list[str]:
    if is_dataclass(record):
        return [value for item in fields(record) for value in _values(getattr(record, item.name))]
    if isinstance(record, tuple):
        return [value for item in record for value in _values(item)]
    return [] if record is None or isinstance(record, bool) else [str(record)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sender_id": "SIXTEEN-LETTERS-"}, "LENGTH"),
        ({"receiver_qualifier": "99"}, "CODE"),
        ({"usage_indicator": "Q"}, "CODE"),
        ({"interchange_control_number": 1_000_000_000}, "RANGE"),
        ({"group_control_number": 0}, "RANGE"),
        ({"transaction_set_control_number": -1}, "RANGE"),
        ({"batch_id": "B" * 31}, "LENGTH"),
        ({"application_receiver_code": "O"}, "LENGTH"),
    ],
)
def test_envelopes_that_cannot_be_read_are_refused(changes: dict[str, Any], code: str) -> None:
    [found] = batch_problems(replace(ENVELOPE, **changes), SUBMITTER, RECEIVER, [SUBMISSION])
    assert (found.code, found.path) == (code, f"envelope.{next(iter(changes))}")


def test_submitter_and_receiver_are_checked() -> None:
    found = batch_problems(
        ENVELOPE,
        replace(SUBMITTER, etin="", contact=replace(CONTACT, name="")),
        replace(RECEIVER, id_qualifier="XX"),
        [SUBMISSION],
    )
    assert [(problem.code, problem.path) for problem in found] == [
        ("MISSING", "submitter.etin"),
        ("MISSING", "submitter.contact.name"),
        ("CODE", "receiver.id_qualifier"),
    ]


def test_a_batch_holds_claims_and_not_too_many() -> None:
    assert [found.code for found in batch_problems(ENVELOPE, SUBMITTER, RECEIVER, [])] == ["BATCH_EMPTY"]
    many = [SUBMISSION] * (MAX_CLAIMS + 1)
    assert "BATCH_SIZE" in {found.code for found in batch_problems(ENVELOPE, SUBMITTER, RECEIVER, many)}


def test_a_service_may_not_lie_in_the_future() -> None:
    tomorrow = ENVELOPE.created_at.date() + timedelta(1)
    broken = with_lines(replace(BASE, service_date=tomorrow), MILEAGE)
    [found] = batch_problems(ENVELOPE, SUBMITTER, RECEIVER, [broken])
    assert (found.code, found.path) == ("SERVICE_DATE_FUTURE", "batch[0].claim.lines[0].service_date")


@pytest.mark.parametrize(
    "accepted",
    [
        street(line1="12 Boxwood Drive"),
        street(line1="4 Poblano St"),
        street(line2="Box Car Lane 3"),
        base(hcpcs="A0433"),
        with_lines(replace(BASE, hcpcs="A0428", modifiers=("QL",))),
        with_lines(replace(BASE, hcpcs="A0998", modifiers=("GY",))),
        with_lines(
            BASE, MILEAGE, replace(BASE, hcpcs="A0999", modifiers=(), description="Bariatric lift", control_number="L3")
        ),
        with_lines(
            BASE,
            replace(MILEAGE, units=Decimal("12.4")),
            replace(MILEAGE, hcpcs="A0888", modifiers=("RH", "GY"), units=Decimal("3.1"), control_number="L3"),
            transport=replace(CLAIM.transport, loaded_miles=Decimal("15.5")),
        ),
        subscriber(name=PersonName(last="Mononymous", first="")),
    ],
    ids=[
        "boxwood",
        "poblano",
        "box car",
        "ALS2",
        "dead at scene",
        "no transport",
        "unlisted",
        "extra miles",
        "one name",
    ],
)
def test_rules_do_not_overreach(accepted: ClaimSubmission) -> None:
    assert submission_problems(accepted) == []


def test_a_dependents_claim_does_not_need_the_subscribers_own_particulars() -> None:
    plain = replace(SUBSCRIBER, address=None, birth_date=None, sex=None)
    assert submission_problems(replace(SUBMISSION, subscriber=plain, patient=CHILD)) == []
