"""Doubts about whole charts: each rule speaks of what is wrong, by field, and is silent about what is right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ems.charts import INCIDENT, INTERVENTION, PATIENT, VITAL, Chart
from tests.ems.findings import findings, readiness
from tests.support.actors import Agency

Body = dict[str, Any]
TIMES: Body = {
    "dispatch_time": "2026-03-01T09:50:00-06:00",
    "arrival_time": "2026-03-01T10:00:00-06:00",
    "cleared_time": "2026-03-01T11:00:00-06:00",
}
AT = "2026-03-01T10:10:00-06:00"
DRUG: Body = {"type": "medication", "procedure_code": None, "performed_at": AT, "rxcui": "1191"}
GIVEN: Body = {**DRUG, "dose": "324", "dose_unit": "3706021", "route": "9927035"}
NEGATIVE = {"eMedications.03": [{"pertinent_negative": "8801001"}]}
PRIOR = {"eMedications.02": [{"value": "9923003"}]}
CODES = {
    "missing", "empty_entry", "in_the_future", "wrong_day", "outside_call", "dose_of_nothing", "zero_dose",
    "not_transported", "age_contradicts", "age_impossible", "born_after_call", "time_order", "no_driver",
}  # fmt: skip


async def said(chart: Chart) -> set[tuple[str, str, str]]:
    """(field, code, severity) of what is implausible."""
    answer = await readiness(chart.writer, chart.id)
    found = [each for each in findings(answer, stage="review") if each["code"] in CODES]
    return {(each["field"], each["code"], each["severity"]) for each in found}


def without(body: Body, *names: str) -> Body:
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (GIVEN, set()),
        (without(GIVEN, "rxcui"), {("rxcui", "missing", "blocking")}),
        ({"type": "medication", "procedure_code": None}, {("rxcui", "empty_entry", "blocking")}),
        ({"procedure_code": None}, {("procedure_code", "empty_entry", "blocking")}),
        (without(GIVEN, "dose_unit"), {("dose_unit", "missing", "blocking")}),
        (without(GIVEN, "dose", "dose_unit"), {("dose", "missing", "warning")}),
        (without(GIVEN, "route"), {("route", "missing", "warning")}),
        (without(GIVEN, "performed_at"), {("performed_at", "missing", "warning")}),
        ({**GIVEN, "dose": "0"}, {("dose", "zero_dose", "warning")}),
        ({**GIVEN, "performed_at": "2031-03-01T10:10:00-06:00"}, {("performed_at", "in_the_future", "blocking")}),
        ({**GIVEN, "performed_at": "2026-02-28T10:10:00-06:00"}, {("performed_at", "wrong_day", "blocking")}),
        ({**GIVEN, "performed_at": "2026-03-01T09:10:00-06:00"}, {("performed_at", "outside_call", "warning")}),
        ({**GIVEN, "performed_at": "2026-03-01T12:10:00-06:00"}, {("performed_at", "outside_call", "warning")}),
        ({**DRUG, "performed_at": "2026-02-28T10:10:00-06:00", "elements": PRIOR}, set()),
        ({**DRUG, "elements": NEGATIVE}, set()),
        ({**GIVEN, "elements": NEGATIVE}, {("dose", "dose_of_nothing", "warning")}),
        ({**without(GIVEN, "route"), "elements": {"eMedications.04": [{"not_value": "7701003"}]}}, set()),
    ],
)
async def test_interventions(agency: Agency, body: Body, expected: set[tuple[str, str, str]]) -> None:
    chart = await Chart.open(agency, **TIMES)
    await chart.add(INTERVENTION, **body)
    assert await said(chart) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"taken_at": AT}, set()),
        ({"taken_at": AT, "heart_rate": None}, {("taken_at", "empty_entry", "warning")}),
        ({"taken_at": None}, {("taken_at", "missing", "warning")}),
        ({"taken_at": "2036-03-01T10:10:00-06:00"}, {("taken_at", "in_the_future", "blocking")}),
        ({"taken_at": "2026-03-02T10:10:00-06:00"}, {("taken_at", "wrong_day", "blocking")}),
    ],
)
async def test_vital_signs(agency: Agency, body: Body, expected: set[tuple[str, str, str]]) -> None:
    chart = await Chart.open(agency, **TIMES)
    await chart.add(VITAL, **body)
    assert {each for each in await said(chart) if each[1] != "outside_call"} == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"date_of_birth": "1950-02-01", "age": 76, "age_unit": "years"}, set()),
        ({"date_of_birth": "1950-02-01", "age": 67, "age_unit": "years"}, {("age", "age_contradicts", "warning")}),
        ({"date_of_birth": "2026-02-20", "age": 9, "age_unit": "days"}, set()),
        ({"date_of_birth": "2026-02-20", "age": 9, "age_unit": "months"}, {("age", "age_contradicts", "warning")}),
        ({"age": 40}, {("age_unit", "missing", "blocking")}),
        ({"date_of_birth": "1905-02-01"}, {("date_of_birth", "age_impossible", "blocking")}),
        ({"date_of_birth": "2026-03-02"}, {("date_of_birth", "born_after_call", "warning")}),
        ({"last_name": None}, {("last_name", "empty_entry", "warning")}),
    ],
)
async def test_patients(agency: Agency, body: Body, expected: set[tuple[str, str, str]]) -> None:
    chart = await Chart.open(agency, **TIMES)
    await chart.revise(PATIENT, chart.patient, **body)
    assert await said(chart) == expected


async def test_a_wrong_clock_stops_the_chart_until_it_is_corrected(agency: Agency) -> None:
    """Charted in 2036: saved as it came, shown, and refused where it would leave the house."""
    tablet: Body = {name: text.replace("2026", "2036") for name, text in TIMES.items()}
    chart = await Chart.open(agency, **tablet, elements={"eTimes.07": [{"value": "2036-03-01T10:05:00-06:00"}]})
    assert await said(chart) == {(field, "in_the_future", "blocking") for field in (*TIMES, "elements.eTimes.07")}
    await chart.advance("ready_for_review")
    refusal = await chart.fire("complete", "supervisor", status=409)
    [guard] = refusal["error"]["details"]["failed_guards"]
    assert guard["name"] == "plausible"
    assert {problem["field"] for problem in guard["problems"]} == {
        *(f"incident.{name}" for name in TIMES), "incident.elements.eTimes.07",
    }  # fmt: skip
    assert (await chart.reload())["status"] == "ready_for_review"
    await chart.fire("return_for_correction", "supervisor", reason="The dates are wrong.")
    await chart.revise(INCIDENT, chart.head, **TIMES, elements={"eTimes.07": None})
    await chart.reload()
    await chart.advance("completed")
    assert chart.head["status"] == "completed"


async def test_a_time_on_another_day_than_the_dispatch(agency: Agency) -> None:
    chart = await Chart.open(agency, **{**TIMES, "cleared_time": "2026-04-01T11:00:00-05:00"})
    assert await said(chart) == {("cleared_time", "wrong_day", "blocking")}


async def test_an_arrival_of_nobody_is_asked_about(agency: Agency) -> None:
    chart = await Chart.open(agency, **TIMES, arrived_destination_time="2026-03-01T10:40:00-06:00")
    assert await said(chart) == set()
    await chart.revise(PATIENT, chart.patient, elements={"eDisposition.30": [{"value": "4230013"}]})
    assert await said(chart) == {("arrived_destination_time", "not_transported", "warning")}


async def test_what_is_doubted_is_saved(agency: Agency) -> None:
    chart = await Chart.open(agency, **TIMES)
    made = await chart.add(INTERVENTION, **{**GIVEN, "performed_at": "2031-03-01T10:10:00-06:00"})
    read = await chart.writer.expect(200, "GET", chart.at(INTERVENTION, made))
    assert read["performed_at"] == "2031-03-01T16:10:00Z"
