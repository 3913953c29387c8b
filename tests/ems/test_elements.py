"""NEMSIS values of a chart over HTTP: where they may stand, in which form, and how they go with columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from app.ems.elements import TARGET_BUILD, load_dictionary
from app.ems.public import (
    INCIDENT_COLUMNS,
    MEDICATION_COLUMNS,
    NARRATIVE_COLUMNS,
    PATIENT_COLUMNS,
    PROCEDURE_COLUMNS,
    VITAL_COLUMNS,
)
from tests.ems.charts import ELEMENT_GROUP, INCIDENT, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence

NOT_APPLICABLE, NOT_RECORDED, NOT_REPORTING = "7701001", "7701003", "7701005"
REFUSED, UNABLE, APPROXIMATE = "8801019", "8801023", "8801029"
MEDICATION = Kind("intervention", "interventions", {"type": "medication"}, {"route": "9927001"})
SNOMED, RXNORM = {"CodeType": "9924005"}, {"CodeType": "9924003"}

REFUSALS: list[tuple[Kind, dict[str, Any], str, str]] = [
    (VITAL, {"eVitals.99": [{"value": "1"}]}, "eVitals.99", "unknown_element"),
    (VITAL, {"John Doe": [{"value": "1"}]}, "unknown", "unknown_element"),
    (VITAL, {"": [{"value": "1"}]}, "unknown", "unknown_element"),
    (VITAL, {"evitals.26": [{"value": "3326001"}]}, "evitals.26", "unknown_element"),
    (VITAL, {"eVitals.26": []}, "eVitals.26", "empty_list"),
    (VITAL, {"eVitals.26": [{}]}, "eVitals.26[0]", "nothing_given"),
    (VITAL, {"eVitals.26": [{"correlation_id": "abc"}]}, "eVitals.26[0]", "nothing_given"),
    (VITAL, {"eVitals.26": [{"value": "9999999"}]}, "eVitals.26[0].value", "not_in_list"),
    (VITAL, {"eVitals.26": [{"value": ""}]}, "eVitals.26[0]", "nothing_given"),
    (VITAL, {"eVitals.26": [{"value": "3326001"}] * 2}, "eVitals.26", "too_many"),
    (VITAL, {"eVitals.26": [{"value": "3326001", "not_value": NOT_RECORDED}]}, "eVitals.26[0].not_value",
     "not_value_not_alone"),
    (VITAL, {"eVitals.26": [{"not_value": NOT_REPORTING}]}, "eVitals.26[0].not_value", "not_value_not_permitted"),
    (VITAL, {"eVitals.26": [{"not_value": "yes"}]}, "eVitals.26[0].not_value", "not_value_not_permitted"),
    (VITAL, {"eVitals.26": [{"pertinent_negative": REFUSED}]}, "eVitals.26[0].pertinent_negative",
     "pertinent_negative_not_permitted"),
    (VITAL, {"eVitals.18": [{"value": "110", "pertinent_negative": REFUSED}]}, "eVitals.18[0].pertinent_negative",
     "pertinent_negative_excludes_value"),
    (VITAL, {"eVitals.18": [{"value": "2001"}]}, "eVitals.18[0].value", "wrong_form"),
    (VITAL, {"eVitals.10": [{"value": "80"}]}, "eVitals.10[0].value", "value_has_a_field"),
    (VITAL, {"eVitals.03": [{"value": "9901047", "correlation_id": "a" * 256}]}, "eVitals.03[0].correlation_id",
     "wrong_length"),
    (VITAL, {"eVitals.26": [{"value": "3326001", "correlation_id": "abc"}]}, "eVitals.26[0].correlation_id",
     "correlation_id_not_permitted"),
    (VITAL, {"eVitals.26": [{"value": "3326001", "attributes": {"CodeType": "x"}}]}, "eVitals.26[0].attributes",
     "attribute_unknown"),
    (VITAL, {"eVitals.16": [{"attributes": {"ETCO2Type": "bar"}}]}, "eVitals.16[0].attributes.ETCO2Type",
     "not_in_list"),
    (VITAL, {"ePatient.14": [{"value": "2514001"}]}, "ePatient.14", "wrong_owner"),
    (VITAL, {"eProtocols.01": [{"not_value": NOT_APPLICABLE}]}, "eProtocols.01", "wrong_owner"),
    (PATIENT, {"eScene.01": [{"value": "9923003"}]}, "eScene.01", "wrong_owner"),
    (PATIENT, {"eRecord.02": [{"value": "Other software"}]}, "eRecord.02", "wrong_owner"),
    (INCIDENT, {"eScene.08": [{"value": "2708001"}]}, "eScene.08", "wrong_owner"),
    (INCIDENT, {"eResponse.05": [{"not_value": NOT_RECORDED}]}, "eResponse.05[0].not_value",
     "not_value_not_permitted"),
    (INCIDENT, {"eTimes.01": [{"value": "2026-03-01T10:00:00Z"}]}, "eTimes.01[0].value", "wrong_form"),
    (INCIDENT, {"eTimes.01": [{"value": "2051-03-01T10:00:00-06:00"}]}, "eTimes.01[0].value", "out_of_range"),
    (NARRATIVE, {"eNarrative.01": [{"value": "Story"}]}, "eNarrative.01[0].value", "value_has_a_field"),
    (INTERVENTION, {"eMedications.02": [{"value": "9923001"}]}, "eMedications.02", "wrong_owner"),
    (MEDICATION, {"eProcedures.02": [{"value": "9923001"}]}, "eProcedures.02", "wrong_owner"),
    (MEDICATION, {"eMedications.03": [{"value": "1191", "attributes": RXNORM}]}, "eMedications.03[0].value",
     "value_has_a_field"),
    (MEDICATION, {"eMedications.03": [{"value": "387458008", "attributes": SNOMED}]}, "eMedications.03[0].value",
     "national_rule"),
    (ELEMENT_GROUP, {"eExam.04": [{"value": "3504001"}]}, "eExam.04", "wrong_owner"),
    (PATIENT, {"ePatient.15": [{"pertinent_negative": APPROXIMATE}]}, "age", "value_missing"),
    (VITAL, {"eVitals.16": [{"attributes": {"ETCO2Type": "3340001"}}]}, "etco2", "value_missing"),
    (MEDICATION, {"eMedications.03": [{"attributes": RXNORM}]}, "rxcui", "value_missing"),
    (PATIENT, {"ePatient.05": [{"attributes": {"StreetAddress2": "Apt 2"}}]}, "home_street", "value_missing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "elements", "path", "code"), REFUSALS, ids=[f"{code}-{path}" for _, _, path, code in REFUSALS]
)
async def test_refusals(
    chart: Chart, evidence: Evidence, kind: Kind, elements: dict[str, Any], path: str, code: str
) -> None:
    """The same for create and PATCH, with the place of the entry, and nothing stored."""
    entry = chart.head if kind is INCIDENT else await chart.add(kind)
    before = await evidence.digest(chart.agency.tenant_id)
    answers = [await chart.revise(kind, entry, status=422, elements=elements)]
    if kind is INCIDENT:
        body = {**INCIDENT.body, "elements": elements}
        answers.append(await chart.writer.expect(422, "POST", "ems/incidents", json=body))
    else:
        answers.append(await chart.add(kind, status=422, elements=elements))
    for refused in answers:
        found = [(problem["field"], problem["code"]) for problem in refused["error"]["details"]["problems"]]
        assert (path if code == "value_missing" else f"elements.{path}", code) in found
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_every_problem_is_reported_at_once(chart: Chart) -> None:
    elements = {"eVitals.26": [{"value": "1"}], "eVitals.99": [{"value": "1"}], "eVitals.02": [{}]}
    refused = await chart.add(VITAL, status=422, elements=elements)
    assert len(refused["error"]["details"]["problems"]) == 3


@pytest.mark.parametrize(
    "elements", [1, "x", [], {"eVitals.26": "3326001"}, {"eVitals.26": {"value": "3326001"}}, {"eVitals.26": [1]},
                 {"eVitals.26": [{"value": 3326001}]}, {"eVitals.26": [{"value": "3326001", "note": "x"}]},
                 {"eVitals.26": [{"value": True}]}, {"eVitals.26": [{"attributes": {"a": 1}}]}, {"eVitals.26": [None]},
                 {"eVitals.26": [{"value": "\ud800"}]}],
)  # fmt: skip
async def test_the_shape_is_fixed(chart: Chart, elements: Any) -> None:
    for refused in (
        await chart.writer.request("POST", chart.at(VITAL), **_json(chart.body(VITAL, elements=elements))),
        await chart.writer.request("PATCH", chart.url, **_json({"version": 1, "elements": elements})),
    ):
        assert refused.status_code == 422, refused.text


def _json(body: Any) -> dict[str, Any]:
    """httpx would refuse to send a lone surrogate; clients in other languages do not."""
    return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}


COLUMNS: list[tuple[Kind, Mapping[str, str]]] = [
    (INCIDENT, INCIDENT_COLUMNS),
    (PATIENT, PATIENT_COLUMNS),
    (VITAL, VITAL_COLUMNS),
    (NARRATIVE, NARRATIVE_COLUMNS),
    (MEDICATION, MEDICATION_COLUMNS),
    (INTERVENTION, PROCEDURE_COLUMNS),
]
SAMPLES: dict[str, Any] = {
    "location_type": "Y92.009", "location_street": "1 Main St", "location_unit": "2B", "location_state": "IL",
    "location_zip": "62701", "location_county": "17167", "location_latitude": "39.8", "location_longitude": "-89.6",
    "home_state": "IL", "home_zip": "62701", "home_county": "17167", "destination_state": "IL",
    "destination_zip": "62701", "destination_county": "17167", "age": 46, "age_unit": "years",
    "date_of_birth": "1980-02-29", "gender": "female", "outcome": "improved", "route": "9927001",
    "dose": "324", "dose_unit": "3706021", "rxcui": "1191", "procedure_code": "392230005", "temperature_c": "37.0",
    "gcs_total": 9, "etco2_unit": "mmHg", "location_country": "US", "home_country": "US", "destination_country": "US",
}  # fmt: skip


# Columns that are recorded and removed together.
COMPANIONS = {
    "etco2": ("etco2_unit",),
    "location_latitude": ("location_longitude",),
    "location_longitude": ("location_latitude",),
}


def sample(column: str) -> Any:
    if column in SAMPLES:
        return SAMPLES[column]
    if column.endswith(("_time", "_at")):
        return "2026-03-01T16:00:00Z"
    return 3 if column.startswith("gcs") else 10 if column in _NUMBERS else "Sample"


_NUMBERS = {"systolic_bp", "diastolic_bp", "heart_rate", "respiratory_rate", "spo2", "pain_score", "etco2"}


@pytest.mark.parametrize(("kind", "columns"), COLUMNS, ids=["incident", "patient", "vital", "narrative", "medication",
                                                            "procedure"])  # fmt: skip
async def test_a_column_and_its_element_do_not_contradict(chart: Chart, kind: Kind, columns: Mapping[str, str]) -> None:
    """A NOT value or an empty-only pertinent negative excludes the column's value, whichever comes first."""
    entry = chart.head if kind is INCIDENT else await chart.add(kind)
    for column, element_id in columns.items():
        value: dict[str, Any] = {name: sample(name) for name in (column, *COMPANIONS.get(column, ()))}
        entry = await chart.revise(kind, entry, **value)
        definition = load_dictionary(TARGET_BUILD).elements[element_id]
        assert definition.max_occurs == 1
        marks = [{"not_value": code} for code in definition.not_values] + [
            {"pertinent_negative": code}
            for code in definition.pertinent_negatives
            if not definition.pertinent_negative_needs_value(code)
        ]
        for mark in marks:
            marked: dict[str, Any] = {"elements": {element_id: [mark]}}
            refused = await chart.revise(kind, entry, status=422, **marked)
            [problem] = refused["error"]["details"]["problems"]
            assert (problem["field"], problem["code"]) == (column, "value_and_reason")
            if column == "incident_number":  # the one that may not be emptied
                continue
            entry = await chart.revise(kind, entry, **{**marked, column: None})
            assert (entry[column], entry["elements"][element_id]) == (None, [mark])
            await chart.revise(kind, entry, status=422, **value)
            entry = await chart.revise(kind, entry, **value, elements={element_id: None})
            assert element_id not in entry["elements"]


@pytest.mark.parametrize(
    ("kind", "column", "element_id", "code"),
    [
        (PATIENT, "age", "ePatient.15", APPROXIMATE),
        (MEDICATION, "rxcui", "eMedications.03", REFUSED),
        (INTERVENTION, "procedure_code", "eProcedures.03", UNABLE),
    ],
)
async def test_a_pertinent_negative_beside_the_columns_value(
    chart: Chart, kind: Kind, column: str, element_id: str, code: str
) -> None:
    marked: dict[str, Any] = {"elements": {element_id: [{"pertinent_negative": code}]}}
    entry = await chart.add(kind, **{**marked, column: sample(column)})
    emptied: dict[str, Any] = {column: None}
    refused = await chart.revise(kind, entry, status=422, **emptied)
    assert refused["error"]["details"]["problems"][0]["code"] == "value_missing"
    assert (await chart.revise(kind, entry, **emptied, elements={element_id: None}))[column] is None


async def test_a_snomed_medication_stands_in_elements_without_rxcui(chart: Chart) -> None:
    snomed: dict[str, Any] = {"eMedications.03": [{"value": "116762002", "attributes": SNOMED}]}
    given = await chart.add(MEDICATION, elements=snomed)
    assert (given["rxcui"], given["elements"]) == (None, snomed)
    await chart.revise(MEDICATION, given, status=422, rxcui="1191")
    await chart.add(MEDICATION, status=422, rxcui="1191", elements=snomed)
    refused: dict[str, Any] = {"eMedications.03": [{**snomed["eMedications.03"][0], "pertinent_negative": REFUSED}]}
    assert (await chart.revise(MEDICATION, given, elements=refused))["elements"] == refused
    changed = await chart.revise(MEDICATION, {**given, "version": 2}, rxcui="1191", elements={"eMedications.03": None})
    assert (changed["rxcui"], changed["elements"]) == ("1191", {})


async def test_a_palpated_pressure_stands_in_elements_without_a_diastolic_one(chart: Chart) -> None:
    palpated: dict[str, Any] = {"eVitals.07": [{"value": "P"}]}
    given = await chart.add(VITAL, systolic_bp=90, elements=palpated)
    assert (given["diastolic_bp"], given["elements"]) == (None, palpated)
    await chart.revise(VITAL, given, status=422, diastolic_bp=60)
    await chart.add(VITAL, status=422, elements={"eVitals.07": [{"value": "60"}]})
    changed = await chart.revise(VITAL, given, diastolic_bp=60, elements={"eVitals.07": None})
    assert (changed["diastolic_bp"], changed["elements"]) == (60, {})


async def test_a_place_is_both_its_coordinates(chart: Chart) -> None:
    for half, other in (("location_latitude", "location_longitude"), ("location_longitude", "location_latitude")):
        refused = await chart.revise(INCIDENT, chart.head, status=422, **{half: "39.5"})
        assert refused["error"]["details"]["problems"][0]["field"] == other
    placed = await chart.revise(INCIDENT, chart.head, location_latitude="39.5", location_longitude="-89.5")
    await chart.revise(INCIDENT, placed, status=422, location_latitude=None)
    emptied = await chart.revise(INCIDENT, placed, location_latitude=None, location_longitude=None)
    assert (emptied["location_latitude"], emptied["location_longitude"]) == (None, None)


async def test_order_repeats_attributes_and_correlation_ids_are_kept(chart: Chart) -> None:
    elements: dict[str, Any] = {
        "eVitals.03": [
            {"value": "9901047", "correlation_id": "rhythm-1"},
            {"value": "9901001"},
            {"value": "9901047"},
            {"pertinent_negative": UNABLE, "correlation_id": "rhythm-2"},
        ],
        "eVitals.16": [{"attributes": {"ETCO2Type": "3340001"}}],
    }
    vital = await chart.add(VITAL, etco2="35.0", etco2_unit="mmHg", elements=elements)
    assert vital["elements"] == elements
    read = await chart.writer.expect(200, "GET", chart.at(VITAL, vital))
    assert read["elements"] == elements
