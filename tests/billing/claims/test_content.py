"""From chart, claim and agency to the writer's records, and every problem in the API's own words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest

from app.billing.claims.content import FIELDS, api_field, draft_submission
from app.billing.claims.models import Claim
from app.billing.claims.schemas import ClaimRead, LineRead
from app.billing.claims.submission import service_date, transmission
from app.billing.exports.documents import CLAIM_DOCUMENTS
from app.billing.x12.parties import Address, CanadianAddress, Envelope, ForeignAddress, Receiver, Submitter
from app.billing.x12.professional_claim import ClaimSubmission
from app.billing.x12.writer_837p import render_837p
from app.core.tenants.schemas import TenantPatch
from app.ems.public import IncidentRead, PatientChart, PatientRead
from tests.billing.support.claims import BASE_LINE, MILEAGE_LINE
from tests.billing.support.drafts import AT, agency_profile, claim_with_lines, patient_chart
from tests.billing.x12.judge import judge_837p

PARENT = {
    "relationship": "19",
    "last_name": "Muster",
    "first_name": "Ann",
    "middle_name": None,
    "name_suffix": None,
    "date_of_birth": "1988-05-05",
    "sex": "F",
    "street": "1 Elsewhere",
    "unit": None,
    "city": "Chicago",
    "state": "IL",
    "zip": "60601",
    "country": None,
}
"""The subscriber of a child, as a claim copies it from the coverage."""
NOT_SENT = (  # parts of the writer's records that nothing in the chart or claim fills yet
    "application_sender_code",
    "application_receiver_code",
    "acknowledgment_requested",
    "batch_id",
    "control_number",
    "usage_indicator",
    "created_at",
    "id_qualifier",
    "billing_provider.contact",
    "billing_provider.address.line2",
    "pay_to_address.line2",
    "subscriber.address.line2",
    "patient.address.line2",
    "drop_off.address.line2",
    "payer.address",
    "claim.signature_on_file",
    "assignment",
    "benefits_assigned",
    "release_of_information",
    "signed_by_provider",
    "patient_amount_paid",
    "medical_record_number",
    "_provider.name",
    "referring_provider",
    "rendering_provider",
    "supervising_provider",
    "certifications.applies",
    "lines.service_date",
    "lines.emergency",
)


def leaves(record: Any, path: str = "") -> Iterator[str]:
    """Every field of a tree of writer's records, as its problems name it, without indexes."""
    hints = get_type_hints(record)
    for item in fields(record):
        at = f"{path}.{item.name}".lstrip(".")
        inner = [kind for kind in _kinds(hints[item.name]) if is_dataclass(kind)]
        yield from leaves(inner[0], at) if inner else iter([at])


def _kinds(hint: Any) -> list[Any]:
    arguments = get_args(hint)
    return [kind for argument in arguments for kind in _kinds(argument)] if arguments else [hint]


def api_names() -> set[str]:
    claim = set(ClaimRead.model_fields) | {column.key for column in Claim.__table__.c}
    line = {f"lines.{name}" for name in LineRead.model_fields}
    accident = {f"accident.{name}" for name in ("causes", "state", "occurred_on")}
    return (
        claim
        | line
        | accident
        | {f"tenant.{name}" for name in TenantPatch.model_fields}
        | {f"incident.{name}" for name in IncidentRead.model_fields}
        | {f"patient.{name}" for name in PatientRead.model_fields}
        | {f"subscriber.{name}" for name in PARENT}
    )


def test_every_field_that_is_sent_has_a_name_in_the_api() -> None:
    roots: dict[str, Any] = {"envelope": Envelope, "submitter": Submitter, "receiver": Receiver, "": ClaimSubmission}
    found = [leaf for root, record in roots.items() for leaf in leaves(record, root)]
    sent = [leaf for leaf in found if not any(part in f"{leaf}." for part in NOT_SENT)]
    assert len(sent) > 40
    assert {leaf: api_field(leaf) for leaf in sent if api_field(leaf) not in api_names()} == {}
    assert {name for name in FIELDS.values() if name not in api_names()} == set()


def test_indexes_stay_where_the_api_has_lists() -> None:
    assert api_field("batch[0].claim.lines[3].hcpcs") == "lines[3].hcpcs"
    assert api_field("batch[7].claim.diagnoses[2]") == "diagnoses[2]"
    assert api_field("batch[0].claim.certifications[1].codes[0]") == "certifications"
    assert api_field("batch[0].claim.accident.occurred_on") == "accident.occurred_on"


class _Watched:
    """A chart that remembers which of its lists were read."""

    def __init__(self, chart: PatientChart) -> None:
        self.chart = chart
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self.chart, name)


def test_amendments_outdate_a_claim_by_exactly_what_it_reads_of_the_chart() -> None:
    claim, lines = claim_with_lines()
    watched: Any = _Watched(patient_chart())
    draft_submission(agency_profile(), watched, claim, lines, AT)
    assert watched.read - {"alone"} == CLAIM_DOCUMENTS.shows


def test_a_complete_claim_has_no_problems() -> None:
    claim, lines = claim_with_lines()
    draft = draft_submission(agency_profile(), patient_chart(), claim, lines, AT)
    assert draft.problems == ()
    sent = draft.submission
    assert (sent.patient, sent.subscriber.payer_sequence, sent.subscriber.sex) == (None, "P", "F")
    assert [line.control_number for line in sent.claim.lines] == ["C000000042-1", "C000000042-2"]
    assert all(line.emergency and line.service_date == dt.date(2026, 11, 1) for line in sent.claim.lines)
    assert (sent.claim.total_charge, sent.claim.assignment) == (Decimal("1015.60"), "A")
    assert [(c.applies, c.codes) for c in sent.claim.certifications] == [(True, ("06", "09")), (False, ("12",))]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"signature_on_file": False}, ("N", "I")),
        ({"signature_on_file": True}, ("Y", "Y")),
    ],
)
def test_the_signature_assigns_and_permits(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    claim, lines = claim_with_lines(accepts_assignment=False, **changes)
    sent = draft_submission(agency_profile(), patient_chart(), claim, lines, AT).submission.claim
    assert (sent.benefits_assigned, sent.release_of_information, sent.assignment) == (*expected, "C")
    assert sent.signature_on_file is changes["signature_on_file"]


def test_what_is_not_certified_as_an_emergency_is_none() -> None:
    claim, lines = claim_with_lines(certifications={"no": ["06"]}, patient_count=2, accident={"causes": ["OA"]})
    sent = draft_submission(agency_profile(), patient_chart(), claim, lines, AT).submission.claim
    assert not any(line.emergency for line in sent.lines)
    assert [line.patient_count for line in sent.lines] == [2, 2]
    assert [(c.applies, c.codes) for c in sent.certifications] == [(False, ("06",))]
    assert sent.accident is not None
    assert (sent.accident.causes, sent.accident.occurred_on) == (("OA",), None)


@pytest.mark.parametrize(
    ("time_zone", "departed", "day"),
    [
        ("America/Chicago", "2026-11-02T05:30:00+00:00", dt.date(2026, 11, 1)),
        ("America/New_York", "2026-11-02T05:30:00+00:00", dt.date(2026, 11, 2)),
        ("Pacific/Guam", "2026-11-01T15:00:00+00:00", dt.date(2026, 11, 2)),
        ("America/Chicago", "2026-07-02T04:59:59+00:00", dt.date(2026, 7, 1)),
        ("America/Chicago", "2026-07-02T05:00:00+00:00", dt.date(2026, 7, 2)),
    ],
)
def test_the_day_of_service_is_the_agencys(time_zone: str, departed: str, day: dt.date) -> None:
    _, lines = claim_with_lines()
    chart = patient_chart(depart_scene_time=departed)
    assert service_date(agency_profile(time_zone=time_zone), chart, lines) == day


def test_of_the_dead_it_is_the_day_of_the_dispatch() -> None:
    _, lines = claim_with_lines(lines=[{**BASE_LINE, "modifiers": ["QL"]}])
    chart = patient_chart(dispatch_time="2026-10-31T23:00:00-05:00", depart_scene_time=None)
    assert service_date(agency_profile(), chart, lines) == dt.date(2026, 10, 31)


def _of_patient(*, alone: bool, transport: str, **own: Any) -> PatientChart:
    chart = patient_chart()
    patient = chart.patient.model_copy(update={"elements": {"eDisposition.30": [{"value": transport}]}, **own})
    return chart.model_copy(update={"patient": patient, "alone": alone})


def test_the_day_of_a_patients_own_departure_is_the_day_of_service() -> None:
    _, lines = claim_with_lines()
    departed = dt.datetime(2026, 11, 3, 18, tzinfo=dt.UTC)
    chart = _of_patient(alone=False, transport="4230001", depart_scene_time=departed)
    assert service_date(agency_profile(), chart, lines) == dt.date(2026, 11, 3)


@pytest.mark.parametrize("alone", [True, False])
def test_who_was_not_transported_has_no_transport_to_claim(alone: bool) -> None:
    claim, lines = claim_with_lines()
    chart = _of_patient(alone=alone, transport="4230009")
    problems = draft_submission(agency_profile(), chart, claim, lines, AT).problems
    assert [(problem.field, problem.code) for problem in problems] == [
        ("patient.elements.eDisposition.30", "not_transported")
    ]


def test_who_went_with_another_unit_takes_no_departure_from_this_one() -> None:
    claim, lines = claim_with_lines()
    chart = _of_patient(alone=False, transport="4230005")
    problems = draft_submission(agency_profile(), chart, claim, lines, AT).problems
    assert [(problem.field, problem.code) for problem in problems] == [("patient.depart_scene_time", "missing")]


def test_the_envelope_keeps_the_agencys_clock() -> None:
    sent = transmission(agency_profile(time_zone="America/Denver"), 77, "P", AT)
    assert sent.envelope.created_at.isoformat() == "2026-11-20T11:00:00-07:00"
    assert (sent.envelope.interchange_control_number, sent.envelope.group_control_number) == (77, 77)
    assert (sent.envelope.batch_id, sent.envelope.usage_indicator) == ("77", "P")
    other = transmission(agency_profile(submitter_qualifier="30", receiver_qualifier="01"), 1, "T", AT).envelope
    assert (other.sender_qualifier, other.receiver_qualifier) == ("30", "01")


TENANT = ("npi", "ein", "taxonomy", "street", "city", "zip", "phone", "billing_contact_name", "submitter_id")
PLACE = ("street", "city", "state", "zip")


@pytest.mark.parametrize(
    "field",
    [
        *(f"tenant.{name}" for name in (*TENANT, "receiver_name", "receiver_id")),
        *(f"incident.location_{name}" for name in PLACE),
        "incident.depart_scene_time",
        *(f"patient.home_{name}" for name in PLACE),
        *(f"patient.destination_{name}" for name in PLACE),
        "patient.last_name",
        "patient.date_of_birth",
        "patient.gender",
        "signature_on_file",
    ],
)
def test_whatever_is_missing_is_named(field: str) -> None:
    owner, _, name = field.rpartition(".")
    absent = {name: None}
    claim, lines = claim_with_lines(**({} if owner else absent))
    draft = draft_submission(
        agency_profile(**(absent if owner == "tenant" else {})),
        patient_chart(**(absent if owner == "incident" else {}), patient=absent if owner == "patient" else None),
        claim,
        lines,
        AT,
    )
    assert [(problem.field, problem.code) for problem in draft.problems] == [(field, "missing")]


@pytest.mark.parametrize(
    ("chart", "claim_changes", "expected"),
    [
        ({"depart_scene_time": "2026-12-01T10:00:00-06:00"}, {}, ("incident.depart_scene_time", "service_date_future")),
        ({"patient": {"date_of_birth": "2026-11-02"}}, {}, ("incident.depart_scene_time", "before_birth")),
        ({"patient": {"last_name": "\U0001f691"}}, {}, ("patient.last_name", "unspellable")),
        ({"patient": {"home_zip": "M5V 2T6"}}, {}, ("patient.home_zip", "zip")),
        ({}, {"charge_amount": Decimal("1.00")}, ("charge_amount", "charge_sum")),
        ({}, {"loaded_miles": "9.9"}, ("loaded_miles", "miles_units")),
        ({}, {"accident": {"causes": ["AA"], "occurred_on": "2026-10-01"}}, ("accident.state", "missing")),
        ({}, {"accident": {"causes": ["OA"]}}, ("accident.occurred_on", "missing")),
        ({}, {"diagnoses": ["I63.9", "I639"]}, ("diagnoses", "duplicate")),
        ({}, {"lines": [BASE_LINE, BASE_LINE, MILEAGE_LINE]}, ("lines", "base_code")),
        ({}, {"lines": [BASE_LINE, {**MILEAGE_LINE, "modifiers": ["SH"]}]}, ("lines[1].modifiers", "mileage_route")),
        ({}, {"round_trip_purpose": "Dialysis"}, ("lines", "base_code")),
        ({"location_street": "x" * 56}, {}, ("incident.location_street", "too_long")),
    ],
)
def test_what_does_not_fit_is_named(
    chart: dict[str, Any], claim_changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    claim, lines = claim_with_lines(**claim_changes)
    draft = draft_submission(agency_profile(), patient_chart(**chart), claim, lines, AT)
    assert [(problem.field, problem.code) for problem in draft.problems] == [expected]
    assert draft.problems[0].message.endswith(".")


ABROAD = {"home_city": "Nogales", "home_state": "SON", "home_zip": "84000", "home_country": "MX"}
CANADA = {"home_city": "Ottawa", "home_state": "ON", "home_zip": "K1M 1M4", "home_country": "CA"}


@pytest.mark.parametrize(
    ("home", "kind"),
    [
        ({}, Address),
        ({"home_country": "US"}, Address),
        ({"home_city": "FPO", "home_state": "AP", "home_zip": "96349"}, Address),
        (CANADA, CanadianAddress),
        (ABROAD, ForeignAddress),
        ({**ABROAD, "home_state": None, "home_zip": None}, ForeignAddress),
    ],
)
def test_a_patient_from_abroad_is_billable(home: dict[str, Any], kind: type[Any]) -> None:
    claim, lines = claim_with_lines()
    draft = draft_submission(agency_profile(), patient_chart(patient=home), claim, lines, AT)
    assert draft.problems == ()
    assert type(draft.submission.subscriber.address) is kind


@pytest.mark.parametrize(
    ("home", "problem"),
    [
        ({**CANADA, "home_state": None}, ("patient.home_state", "missing")),
        ({**CANADA, "home_zip": None}, ("patient.home_zip", "missing")),
        ({**ABROAD, "home_city": None}, ("patient.home_city", "missing")),
        ({"home_state": None}, ("patient.home_state", "missing")),
    ],
)
def test_what_an_address_lacks_where_it_is(home: dict[str, Any], problem: tuple[str, str]) -> None:
    claim, lines = claim_with_lines()
    draft = draft_submission(agency_profile(), patient_chart(patient=home), claim, lines, AT)
    assert [(found.field, found.code) for found in draft.problems] == [problem]


PAY_TO = {"pay_to_street": "PO Box 7", "pay_to_city": "Chicago", "pay_to_state": "IL", "pay_to_zip": "60601-0007"}
SAME = {"pay_to_street": "1 station road", "pay_to_city": "Springfield", "pay_to_state": "IL"}


def test_a_pay_to_address_of_its_own_is_sent() -> None:
    claim, lines = claim_with_lines()
    draft = draft_submission(agency_profile(**PAY_TO), patient_chart(), claim, lines, AT)
    assert draft.problems == ()
    pay_to = draft.submission.billing_provider.pay_to_address
    assert pay_to is not None
    assert (pay_to.line1, pay_to.city, pay_to.state, pay_to.zip_code) == ("PO Box 7", "Chicago", "IL", "60601-0007")


@pytest.mark.parametrize("changes", [{}, {**SAME, "pay_to_zip": "62701-1000"}], ids=["none", "the same"])
def test_no_pay_to_address_is_sent_that_says_nothing_new(changes: dict[str, str]) -> None:
    claim, lines = claim_with_lines()
    draft = draft_submission(agency_profile(**changes), patient_chart(), claim, lines, AT)
    assert (draft.problems, draft.submission.billing_provider.pay_to_address) == ((), None)


def test_a_pay_to_address_that_cannot_be_sent_is_named() -> None:
    claim, lines = claim_with_lines()
    draft = draft_submission(agency_profile(**PAY_TO | {"pay_to_city": "X"}), patient_chart(), claim, lines, AT)
    assert [(problem.field, problem.code) for problem in draft.problems] == [("tenant.pay_to_city", "too_short")]


def test_a_dependent_stands_below_the_subscriber() -> None:
    """2000C and 2010CA with the charted patient; 2010BA names the subscriber of the claim's copy."""
    claim, lines = claim_with_lines(subscriber=PARENT, insurance_type="43", payer_sequence="S")
    drafted = draft_submission(agency_profile(), patient_chart(), claim, lines, AT)
    assert drafted.problems == ()
    sent = drafted.submission
    assert sent.patient is not None
    assert (sent.patient.relationship, sent.patient.birth_date) == ("19", patient_chart().patient.date_of_birth)
    assert (sent.subscriber.name.last, sent.subscriber.name.first) == ("Muster", "Ann")
    text = render_837p(*transmission(agency_profile(), 7, "T", AT), [sent])
    assert judge_837p(text) == []
    told = text.split("HL*2*")[1].split("NM1*PR*")[0]
    assert "SBR*S****43****MB~" in told and "NM1*IL*1*MUSTER*ANN" in told
    assert "N3*" not in told and "DMG*" not in told, "only the patient has an address and a birth date"
    assert "PAT*19~" in text


def test_what_a_dependent_lacks_is_named_in_the_apis_words() -> None:
    claim, lines = claim_with_lines(subscriber={**PARENT, "relationship": "18", "last_name": None})
    chart = patient_chart(patient={"date_of_birth": None, "gender": None, "home_zip": None, "last_name": None})
    found = {problem.field for problem in draft_submission(agency_profile(), chart, claim, lines, AT).problems}
    assert found == {
        "patient.date_of_birth",
        "patient.gender",
        "patient.home_zip",
        "patient.last_name",
        "subscriber.last_name",
        "subscriber.relationship",
    }


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_a_replacement_and_a_void_name_the_payers_claim(frequency: str) -> None:
    own = {"frequency": frequency, "delay_reason": "7", "note": "Corrected mileage"}
    claim, lines = claim_with_lines(**own, payer_claim_control_number="ICN 2026-1")
    drafted = draft_submission(agency_profile(), patient_chart(), claim, lines, AT)
    text = render_837p(*transmission(agency_profile(), 7, "T", AT), [drafted.submission])
    assert judge_837p(text) == []
    assert f":B:{frequency}*" in text and "REF*F8*ICN 2026-1~" in text and "NTE*ADD*CORRECTED MILEAGE~" in text
    assert next(line for line in text.splitlines() if line.startswith("CLM*")).endswith("*7~")
    nameless, lines = claim_with_lines(frequency=frequency)
    [problem] = draft_submission(agency_profile(), patient_chart(), nameless, lines, AT).problems
    assert (problem.field, problem.code) == ("payer_claim_control_number", "missing")


def test_an_original_does_not_name_the_payers_claim() -> None:
    """A claim that was rejected keeps the number that the payer gave it; the new original is sent without it."""
    claim, lines = claim_with_lines(payer_claim_control_number="ICN1")
    drafted = draft_submission(agency_profile(), patient_chart(), claim, lines, AT)
    assert drafted.problems == ()
    assert drafted.submission.claim.payer_claim_control_number is None
