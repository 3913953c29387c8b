"""What only the service can judge: one value against another, and against the rest of the chart."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from tests.ems.charts import (
    CHILDREN,
    ELEMENT_GROUP,
    INCIDENT,
    INCIDENTS,
    INTERVENTION,
    NARRATIVE,
    PATIENT,
    VITAL,
    Chart,
    Kind,
)
from tests.ems.evidence import Evidence

MEDICATION: dict[str, Any] = {"type": "medication", "procedure_code": None}


def problems(refused: Any) -> list[tuple[str, str]]:
    return [(problem["field"], problem["code"]) for problem in refused["error"]["details"]["problems"]]


@pytest.mark.parametrize(
    ("kind", "fields", "problem"),
    [
        (VITAL, {"systolic_bp": 80, "diastolic_bp": 120}, ("diastolic_bp", "above_systolic")),
        (VITAL, {"etco2": "100.1", "etco2_unit": "percent"}, ("etco2", "impossible")),
        (VITAL, {"etco2": "101.4", "etco2_unit": "kPa"}, ("etco2", "impossible")),
        (VITAL, {"gcs_eye": 4, "gcs_verbal": 5, "gcs_motor": 6, "gcs_total": 14}, ("gcs_total", "not_the_sum")),
        (INTERVENTION, {"dose": "1.5"}, ("dose", "not_of_this_type")),
        (INTERVENTION, {"route": "9927001"}, ("route", "not_of_this_type")),
        (INTERVENTION, {"rxcui": "1191"}, ("rxcui", "not_of_this_type")),
        (INTERVENTION, {"dose_unit": "3706021"}, ("dose_unit", "not_of_this_type")),
        (INTERVENTION, {"type": "medication"}, ("procedure_code", "not_of_this_type")),
        (ELEMENT_GROUP, {"patient_id": None}, ("patient_id", "missing")),
        (ELEMENT_GROUP, {"group_name": "eExam.ChestGroup", "elements": {}}, ("parent_id", "wrong_place")),
    ],
)
async def test_values_that_do_not_fit_together(
    chart: Chart, evidence: Evidence, kind: Kind, fields: dict[str, Any], problem: tuple[str, str]
) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    assert problem in problems(await chart.add(kind, status=422, **fields))
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_patch_is_judged_with_what_is_stored(chart: Chart) -> None:
    vital = await chart.add(VITAL, etco2="35.0", etco2_unit="mmHg", gcs_eye=4, gcs_verbal=5, gcs_motor=6)
    for fields in ({"etco2": "102", "etco2_unit": "kPa"}, {"gcs_total": 3}):
        await chart.revise(VITAL, vital, status=422, **fields)
    medication = await chart.add(INTERVENTION, **MEDICATION, rxcui="1191", dose="324", dose_unit="3706021")
    await chart.revise(INTERVENTION, medication, status=422, procedure_code="392230005")
    await chart.revise(INTERVENTION, medication, status=422, type="procedure")
    bare = await chart.revise(VITAL, vital, etco2_unit=None)
    assert [(warning["field"], warning["code"]) for warning in bare["warnings"]] == [("etco2_unit", "unit_missing")]
    assert (await chart.revise(VITAL, bare, etco2=None))["warnings"] == []


async def test_times_before_birth(chart: Chart) -> None:
    """With a day of grace: the birth's date is local, the time is UTC."""
    chart.patient = await chart.revise(PATIENT, chart.patient, date_of_birth="2026-03-01")
    early: dict[str, Any]
    late: dict[str, Any]
    for kind, field in ((VITAL, "taken_at"), (INTERVENTION, "performed_at")):
        early, late = {field: "2026-02-27T23:59:59Z"}, {field: "2026-02-28T12:00:00Z"}
        refused = await chart.add(kind, status=422, **early)
        assert problems(refused) == [(field, "before_birth")]
        entry = await chart.add(kind, **late)
        await chart.revise(kind, entry, status=422, **early)


async def test_a_birth_today_in_any_time_zone_is_not_in_the_future(
    chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guam is ahead of UTC: a child born there in the morning has tomorrow's date."""
    monkeypatch.setattr("app.ems.entries.patients.utcnow", lambda: dt.datetime(2026, 3, 1, 19, tzinfo=dt.UTC))
    for date in ("2026-03-03", "2026-04-01"):
        refused = await chart.revise(PATIENT, chart.patient, status=422, date_of_birth=date)
        assert problems(refused) == [("date_of_birth", "in_the_future")]
    born = await chart.revise(PATIENT, chart.patient, date_of_birth="2026-03-02")
    assert born["date_of_birth"] == "2026-03-02"


@pytest.mark.parametrize("kind", (VITAL, INTERVENTION, NARRATIVE, ELEMENT_GROUP), ids=lambda kind: kind.noun)
async def test_whose_entry_it_is(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    """Only a live patient of this very incident; other patients answer like ones that do not exist."""
    second = await Chart.open(chart.agency)
    deleted = await chart.add(PATIENT)
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, deleted), params={"version": 1})
    before = await evidence.digest(chart.agency.tenant_id)
    answers = []
    for stranger in (second.patient["id"], deleted["id"], chart.id, str(uuid.uuid4())):
        error = (await chart.add(kind, status=422, patient_id=stranger))["error"]
        assert problems({"error": error}) == [("patient_id", "unknown_patient")]
        error.pop("trace_id")
        answers.append(error)
    assert all(answer == answers[0] for answer in answers)
    if kind is not ELEMENT_GROUP:
        body = {name: value for name, value in chart.body(kind).items() if name != "patient_id"}
        await chart.writer.expect(422, "POST", chart.at(kind), json=body)
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_an_entry_is_found_under_its_own_incident_only(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await chart.add(kind)
    second = await Chart.open(chart.agency)
    before = await evidence.digest(chart.agency.tenant_id)
    wrong = second.at(kind, entry)
    for method, url, body in (
        ("GET", wrong, None),
        ("PATCH", wrong, {"version": 1, **kind.change}),
        ("DELETE", f"{wrong}?version=1", None),
        ("POST", f"{wrong}/restore", {"version": 1}),
        ("GET", f"{INCIDENTS}/{entry['id']}", None),
    ):
        missing = await chart.agency.admin.expect(404, method, url, json=body)
        assert missing["error"]["code"] == "NOT_FOUND"
    listed = await chart.writer.expect(200, "GET", second.at(kind))
    assert entry["id"] not in [item["id"] for item in listed["items"]]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_nesting_of_groups(chart: Chart) -> None:
    other_patient = await chart.add(PATIENT)
    exam = await chart.add(ELEMENT_GROUP, group_name="eExam.AssessmentGroup", elements={})
    protocol = await chart.add(ELEMENT_GROUP)
    chest: dict[str, Any] = {"group_name": "eExam.ChestGroup", "elements": {}}
    nested = await chart.add(ELEMENT_GROUP, **chest, parent_id=exam["id"])
    for fields in (
        {"parent_id": protocol["id"]},
        {"parent_id": nested["id"]},
        {"parent_id": str(uuid.uuid4())},
        {"parent_id": exam["id"], "patient_id": other_patient["id"]},
    ):
        refused = await chart.add(ELEMENT_GROUP, status=422, **{**chest, **fields})
        assert problems(refused) == [("parent_id", "unknown_parent")]
    refused = await chart.add(ELEMENT_GROUP, status=422, parent_id=exam["id"])
    assert problems(refused) == [("parent_id", "wrong_place")]
    second = await Chart.open(chart.agency)
    await second.add(ELEMENT_GROUP, status=422, **chest, parent_id=exam["id"])


@pytest.mark.parametrize(
    ("kind", "fields", "stored"),
    [
        (VITAL, {"temperature_c": "37", "etco2": 35, "etco2_unit": "mmHg"}, {"temperature_c": "37", "etco2": "35"}),
        (
            VITAL,
            {"temperature_c": "37.0", "etco2": 35.5, "etco2_unit": "mmHg"},
            {"temperature_c": "37.0", "etco2": "35.5"},
        ),
        (VITAL, {"temperature_c": "-0"}, {"temperature_c": "0"}),
        (INTERVENTION, {**MEDICATION, "dose": "+0324.50"}, {"dose": "324.50"}),
        (
            INCIDENT,
            {"location_latitude": "39.8", "location_longitude": "-89"},
            {"location_latitude": "39.8", "location_longitude": "-89"},
        ),
        (VITAL, {"taken_at": "2026-03-01T10:00:00.123456-06:00"}, {"taken_at": "2026-03-01T16:00:00.123456Z"}),
        (PATIENT, {"destination_zip": "K1A 0B1", "home_zip": "K1A 0B1"}, {"destination_zip": "K1A 0B1"}),
        (PATIENT, {"last_name": "  Øst\tby\u2028\U0001f691 "}, {"last_name": "Øst\tby\u2028\U0001f691"}),
        (NARRATIVE, {"structured_json": {"b": [1, 2.5, True, None, "x"], "a": ""}}, {}),
    ],
)
async def test_the_answer_to_a_write_is_what_is_read_later(
    chart: Chart, kind: Kind, fields: dict[str, Any], stored: dict[str, str]
) -> None:
    url = INCIDENTS if kind is INCIDENT else chart.at(kind)
    created = await chart.writer.expect(201, "POST", url, json=chart.body(kind, **fields))
    assert await chart.writer.expect(200, "GET", f"{url}/{created['id']}") == created
    assert {name: created[name] for name in stored} == stored
    again = {name: value for name, value in fields.items() if name != "type"}
    same = await chart.writer.expect(200, "PATCH", f"{url}/{created['id']}", json={"version": 1, **again})
    assert same == created
