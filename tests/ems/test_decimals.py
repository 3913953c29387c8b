"""Numbers read back as they were charted: in every answer, at every version, and in the document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.ems.elements import TARGET_BUILD, load_dictionary
from app.nemsis.mapping import FIELDS
from tests.ems.charts import INCIDENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, coverage, sign
from tests.support.actors import Agency

MEDICATION = Kind("intervention", "interventions", {"type": "medication", "rxcui": "1191"}, {})
SPELLINGS: list[tuple[Kind, str, dict[str, Any], tuple[str, ...]]] = [
    (MEDICATION, "dose", {}, ("324", "324.0", "0.5", "0.50", "0.500", "1000", "0", "999999999", "123456.789")),
    (VITAL, "temperature_c", {}, ("37", "37.0", "36.6", "50", "0.0")),
    (VITAL, "etco2", {"etco2_unit": "mmHg"}, ("35", "35.0", "760.0")),
    (INCIDENT, "location_latitude", {"location_longitude": "-89.650"}, ("39.78", "39.780000", "-90", "90.0")),
    (INCIDENT, "location_longitude", {"location_latitude": "39.78"}, ("-180.0", "179.999999", "0")),
]  # fmt: skip


@pytest.fixture
async def chart(agency: Agency) -> Chart:
    return await Chart.open(agency)


def elements() -> set[str]:
    return {
        element_id
        for columns in FIELDS.values()
        for element_id in columns.values()
        if load_dictionary(TARGET_BUILD).elements[element_id].type.base == "decimal"
    }


def test_every_decimal_of_the_chart_is_tried() -> None:
    tried = {FIELDS["medication"].get(field) or FIELDS["vital"].get(field) for _, field, _, _ in SPELLINGS}
    assert elements() | {"eVitals.16"} == tried - {None}


@pytest.mark.parametrize(("kind", "field", "beside", "spellings"), SPELLINGS, ids=[each[1] for each in SPELLINGS])
async def test_each_spelling_reads_back_everywhere(
    chart: Chart, kind: Kind, field: str, beside: dict[str, Any], spellings: tuple[str, ...]
) -> None:
    entry = chart.head if kind is INCIDENT else await chart.add(kind)
    for spelling in spellings:
        given: dict[str, Any] = {field: spelling, **beside}
        entry = await chart.revise(kind, entry, **given)
        read = await chart.writer.expect(200, "GET", chart.at(kind, entry))
        moment = {"as_of": entry["updated_at"]}
        now = await chart.writer.expect(200, "GET", f"{chart.url}/chart")
        then = await chart.writer.expect(200, "GET", f"{chart.url}/history", params=moment)
        shown = [_in(whole, kind, entry)[field] for whole in (now, then)]
        assert [entry[field], read[field], *shown] == [spelling] * 4


def _in(whole: dict[str, Any], kind: Kind, entry: dict[str, Any]) -> dict[str, Any]:
    if kind is INCIDENT:
        return dict(whole["incident"])
    return next(dict(each) for each in whole[kind.path] if each["id"] == entry["id"])


async def test_the_timeline_shows_what_was_charted(chart: Chart) -> None:
    await chart.add(MEDICATION, dose="324", dose_unit="3706021")
    timeline = await chart.writer.expect(200, "GET", f"{chart.url}/timeline")
    assert '"324"' in json.dumps(timeline) and "324.0" not in json.dumps(timeline)


async def test_other_zeros_are_a_change_and_the_same_ones_are_none(chart: Chart) -> None:
    vital = await chart.add(VITAL, temperature_c="37.0")
    same = await chart.revise(VITAL, vital, temperature_c="37.0")
    assert same == vital
    other = await chart.revise(VITAL, vital, temperature_c="37")
    assert (other["temperature_c"], other["version"]) == ("37", 2)


@pytest.mark.parametrize(
    ("number", "read"), [("37.1", "37.1"), ("37", "37"), ("37.0", "37"), ("3.71e1", "37.1"), ("0.1", "0.1")]
)
async def test_a_json_number_is_taken_as_it_is_meant(chart: Chart, number: str, read: str) -> None:
    body = json.dumps(chart.body(VITAL)).removesuffix("}") + f', "temperature_c": {number}}}'
    answer = await chart.writer.request(
        "POST", chart.at(VITAL), content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["temperature_c"]) == (201, read)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "37.11", "0.30000000000000004", "true"])
async def test_what_is_no_such_number_is_refused(chart: Chart, evidence: Evidence, number: str) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    body = json.dumps(chart.body(VITAL)).removesuffix("}") + f', "temperature_c": {number}}}'
    answer = await chart.writer.request(
        "POST", chart.at(VITAL), content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["error"]["details"]["problems"]] == ["temperature_c"]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_signature_covers_a_number_however_its_zeros_are_written(chart: Chart) -> None:
    vital = await chart.add(VITAL, temperature_c="37.0")
    signature = await sign(chart, **ATTESTED)
    assert await coverage(chart, signature) == (True, set())
    vital = await chart.revise(VITAL, vital, temperature_c="37")
    assert await coverage(chart, signature) == (True, set())
    await chart.revise(VITAL, vital, temperature_c="37.5")
    assert await coverage(chart, signature) == (False, {(vital["id"], "changed", ("temperature_c",))})


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("39.78170049", "39.781700"),
        ("39.7817", "39.7817"),
        ("-39.99999951", "-40.000000"),
        (39.781700499, "39.781700"),
        ("-0.00000001", "0.000000"),
    ],
)
async def test_what_a_receiver_measured_is_rounded_to_six_places(chart: Chart, given: Any, stored: str) -> None:
    """The answer, a later read, and the same value sent again agree."""
    answer = await chart.revise(INCIDENT, chart.head, location_latitude=given, location_longitude="-89.65010051")
    assert (answer["location_latitude"], answer["location_longitude"]) == (stored, "-89.650101")
    assert await chart.writer.expect(200, "GET", chart.url) == answer
    assert await chart.revise(INCIDENT, answer, location_latitude=given) == answer


async def test_a_position_outside_the_earth_is_refused_and_not_rounded(chart: Chart, evidence: Evidence) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    for latitude in ("90.00000001", "-90.1"):
        await chart.revise(INCIDENT, chart.head, status=422, location_latitude=latitude, location_longitude="1")
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_position_in_an_element_is_rounded_too(chart: Chart) -> None:
    given = {"eResponse.17": [{"value": "39.78170049,-89.65010051"}], "eResponse.18": [{"value": "18TXL30058488"}]}
    answer = await chart.revise(INCIDENT, chart.head, elements=given)
    assert answer["elements"]["eResponse.17"] == [{"value": "39.781700,-89.650101"}]
    assert answer["elements"]["eResponse.18"] == given["eResponse.18"]
