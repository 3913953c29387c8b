"""Hostile and mistaken values, field by field: 422 with the field's name, never 500, never an echo, never a row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ems.charts import (
    CREW,
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

CANARY = "Zebulon Quackenbush 4711"
HUGE = 10**300
NO_TEXT: list[Any] = [1, 1.5, True, [], {}, ["x"], "a\x00b", "a\x07b", "a\ufffeb", "\ud800", CANARY * 600]
NO_NUMBER: list[Any] = [-1, HUGE, 1.5, True, "80", CANARY, [], {}, float("nan"), float("inf")]
NO_DECIMAL: list[Any] = [
    1e300, float("nan"), float("-inf"), True, "NaN", "Infinity", "1e300", "1E+1", "3_7", " 37", "\u0663\u0667", "37.55",
    36.65, "37.00", "-1", HUGE, CANARY, [], {}, "",
]  # fmt: skip
NO_INSTANT: list[Any] = [
    0, 1700000000, "1700000000", "0", "2026-03-01", "2026-03-01T10:00:00", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1949-12-31T23:59:59Z", "2050-01-01T00:00:01Z",
    "2026-02-30T10:00:00Z", "2026-03-01T10:00:00+99:00", "2026-03-01 10:00:00Z", "20260301T100000Z", True, CANARY, "",
]  # fmt: skip
NO_DATE: list[Any] = [
    0, "0", "86400", "1980-02-30", "1980-2-1", "19800201", "0001-01-01", "1899-12-31", "2100-01-01",
    "1980-02-01T00:00:00Z", 1980, True, CANARY, "",
]  # fmt: skip
NO_ID: list[Any] = [1, "", CANARY, "0", None, {}]

FIELDS: list[tuple[Kind, str, list[Any]]] = [
    (INCIDENT, "incident_number", [*NO_TEXT, None, "ab", "x" * 51]),
    (INCIDENT, "dispatch_time", NO_INSTANT),
    (INCIDENT, "cleared_time", NO_INSTANT),
    (INCIDENT, "location_type", [*NO_TEXT, "home", "Y92"]),
    (INCIDENT, "location_street", [*NO_TEXT, "x" * 256]),
    (INCIDENT, "location_city", [*NO_TEXT, "x", "x" * 31]),
    (INCIDENT, "location_state", [*NO_TEXT, "XX", "Illinois", "17"]),
    (INCIDENT, "location_zip", [*NO_TEXT, "6270", "62701-10"]),
    (INCIDENT, "location_latitude", [*NO_DECIMAL[:11], "90.000001", "-91"]),
    (INCIDENT, "location_longitude", ["180.000001", "-181", "NaN", 180.5]),
    (INCIDENT, "disposition", [*NO_TEXT, "4227999"]),
    (INCIDENT, "primary_impression", [*NO_TEXT, "I219", "chest pain"]),
    (INCIDENT, "id", NO_ID[:4]),
    (PATIENT, "last_name", [*NO_TEXT, "x" * 61]),
    (PATIENT, "date_of_birth", [*NO_DATE, "2099-01-01"]),
    (PATIENT, "age", [*NO_NUMBER, 0, 121]),
    (PATIENT, "age_unit", ["fortnights", "Years", 1, ""]),
    (PATIENT, "gender", ["F", "9919001", 1, "", True]),
    (PATIENT, "home_zip", [*NO_TEXT, "1"]),
    (PATIENT, "home_county", [*NO_TEXT, "1716", "Sangamon"]),
    (VITAL, "taken_at", NO_INSTANT),
    (VITAL, "patient_id", NO_ID),
    (VITAL, "heart_rate", [*NO_NUMBER, 501]),
    (VITAL, "systolic_bp", [*NO_NUMBER, 501]),
    (VITAL, "respiratory_rate", [*NO_NUMBER, 301]),
    (VITAL, "spo2", [*NO_NUMBER, 101]),
    (VITAL, "gcs_eye", [*NO_NUMBER, 0, 5]),
    (VITAL, "gcs_total", [*NO_NUMBER, 2, 16]),
    (VITAL, "pain_score", [*NO_NUMBER, 11]),
    (VITAL, "temperature_c", [*NO_DECIMAL, "50.1"]),
    (VITAL, "etco2", [*NO_DECIMAL, "760.1"]),
    (VITAL, "etco2_unit", ["mmhg", "", 1]),
    (INTERVENTION, "type", ["surgery", "", None, 1]),
    (INTERVENTION, "procedure_code", [*NO_TEXT, "splint", "1"]),
    (INTERVENTION, "performed_at", NO_INSTANT),
    (INTERVENTION, "outcome", ["better", "", 1]),
    (INTERVENTION, "patient_id", NO_ID),
    (NARRATIVE, "narrative_text", [*NO_TEXT, "x" * 10_001]),
    (NARRATIVE, "patient_id", NO_ID),
    (NARRATIVE, "structured_json", [
        1, "x", [], {"a": {}}, {"a": [[]]}, {"a": "\ud800"}, {"\ud800": 1}, {"a": "\x00"}, {"\x00": 1}, {"a": HUGE},
        {"a": float("nan")}, {"a": float("-inf")}, {"a": 1e308}, {"a": 2**53}, {str(n): n for n in range(201)},
    ]),
    (ELEMENT_GROUP, "group_name", [*NO_TEXT, "eNothing.Group", "eVitals.VitalGroup", "eCrew.CrewGroup", "eExam"]),
    (ELEMENT_GROUP, "correlation_id", [*NO_TEXT, "x"]),
    (ELEMENT_GROUP, "attributes", [1, [], {"a": 1}, {"a": "\ud800"}, {"NoSuch": "x"}, {"a": {"b": "c"}}]),
    (ELEMENT_GROUP, "patient_id", NO_ID[:4]),
    (ELEMENT_GROUP, "parent_id", NO_ID[:4]),
    (CREW, "personnel_id", NO_ID),
    (CREW, "response_roles", [1, "2403001", [], {}, [1], ["2403002"], ["Quackenbush"], [None], ["2403001"] * 21]),
    (CREW, "correlation_id", [*NO_TEXT, "x"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "field", "values"), FIELDS, ids=[f"{kind.noun}.{name}" for kind, name, _ in FIELDS])
async def test_bad_values(chart: Chart, evidence: Evidence, kind: Kind, field: str, values: list[Any]) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    url = INCIDENTS if kind is INCIDENT else chart.at(kind)
    for value in values:
        body = json.dumps(chart.body(kind, **{field: value}))
        answer = await chart.writer.post(url, content=body, headers={"Content-Type": "application/json"})
        case = f"{field}={value!r:.60}: {answer.status_code} {answer.text}"
        assert answer.status_code == 422, case
        error = answer.json()["error"]
        assert error["code"] == "VALIDATION_FAILED", case
        fields = [problem["field"] for problem in error["details"]["problems"]]
        assert "\\u0000" in body or any(field in name for name in fields), case
        assert "Quackenbush" not in answer.text, case
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("depth", [10, 100, 400, 700, 950, 2000, 50_000])
async def test_deep_nesting_is_refused_and_breaks_nothing(chart: Chart, depth: int) -> None:
    deep = "[" * depth + "1" + "]" * depth
    body = f'{{"patient_id": "{chart.patient["id"]}", "structured_json": {{"a": {deep}}}}}'
    answer = await chart.writer.post(chart.at(NARRATIVE), content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["code"] in ("MALFORMED_REQUEST", "VALIDATION_FAILED")


@pytest.mark.parametrize("place", ["value", "key", "unknown field", "element id", "attribute", "enumeration"])
async def test_what_was_submitted_is_not_repeated(chart: Chart, place: str) -> None:
    """A patient's name may stand in any text that a client gets wrong, names of fields included."""
    places: dict[str, Any] = {
        "value": {"elements": {"eVitals.26": [{"value": CANARY}]}},
        "key": {"elements": {"eVitals.26": [{CANARY: "x"}]}},
        "unknown field": {CANARY: 1},
        "element id": {"elements": {CANARY: [{"value": "x"}]}},
        "attribute": {"elements": {"eVitals.26": [{"value": "x", "attributes": {CANARY: CANARY}}]}},
        "enumeration": {"etco2_unit": CANARY},
    }
    refused = await chart.writer.post(chart.at(VITAL), json=chart.body(VITAL, **places[place]))
    assert refused.status_code == 422
    assert "Quackenbush" not in refused.text
    url = chart.at(VITAL)
    for answer in (
        await chart.writer.post(url, content=f'{{"{CANARY}', headers={"Content-Type": "application/json"}),
        await chart.writer.get(f"{url}/{CANARY}"),
        await chart.writer.get(url, params={"sort": CANARY, "limit": CANARY, "cursor": CANARY}),
        await chart.writer.get(f"{INCIDENTS}?status={CANARY}&created_by={CANARY}"),
        await chart.writer.post(url, json=chart.body(VITAL), headers={"Idempotency-Key": CANARY}),
    ):
        assert answer.status_code in (400, 422), answer.text
        assert "Quackenbush" not in answer.text
