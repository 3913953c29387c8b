"""Autosave (directive 1.6, 5.3): what a PATCH takes, what it writes, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.evidence import DIGESTED
from tests.ems.charts import INCIDENT, KINDS, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence

BAD_VERSIONS: list[Any] = [None, 0, -1, 2**31, 2**63, 10**300, True, False, "1", 1.0, 1.5, [1], {}]


async def entry_of(chart: Chart, kind: Kind) -> dict[str, Any]:
    """An entry of `kind` to be revised."""
    return chart.head if kind is INCIDENT else await chart.add(kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_what_is_no_patch(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await entry_of(chart, kind)
    url, version = chart.at(kind, entry), entry["version"]
    before = await evidence.digest(chart.agency.tenant_id)
    bodies: list[Any] = [{"version": bad, **kind.change} for bad in BAD_VERSIONS]
    bodies += [
        dict(kind.change),
        {"version": version},
        {"version": version, "reason": "Nothing else."},
        {"version": version, **kind.change, "id": entry["id"]},
        {"version": version, **kind.change, "tenant_id": str(chart.agency.tenant_id)},
        {"version": version, **kind.change, "incident_id": chart.id},
        {"version": version, **kind.change, "deleted_at": None},
        {"version": version, **kind.change, "updated_at": "2026-01-01T00:00:00Z"},
        {"version": version, **kind.change, "no_such_field": 1},
        {"version": version, "elements": None},
        {"version": version, "elements": []},
        [],
        "text",
        1,
        None,
    ]
    for body in bodies:
        refused = await chart.writer.patch(url, json=body)
        assert refused.status_code == 422, f"{body}: {refused.text}"
        assert refused.json()["error"]["code"] == "VALIDATION_FAILED"
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_a_stale_version_is_told_what_the_server_has(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await entry_of(chart, kind)
    url = chart.at(kind, entry)
    now = await chart.revise(kind, entry, **kind.change)
    assert now["version"] == entry["version"] + 1
    before = await evidence.digest(chart.agency.tenant_id)
    for version in (entry["version"], now["version"] + 1, 2**31 - 1):
        refused = await chart.agency.partner.expect(409, "PATCH", url, json={"version": version, **kind.change})
        assert refused["error"]["code"] == "CONFLICT"
        details = refused["error"]["details"]
        assert set(details) == {"server_version", "updated_at"}
        assert details["server_version"] == now["version"]
        assert details["updated_at"][:26] == now["updated_at"][:26]
    await chart.writer.expect(409, "DELETE", url, params={"version": entry["version"], "reason": "Test."})
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_a_patch_that_changes_nothing_writes_nothing(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    """The first save may create what the second repeats; every stored field sent back is no change either."""
    entry = await chart.revise(kind, await entry_of(chart, kind), **kind.change)
    before = await evidence.digest(chart.agency.tenant_id)
    assert await chart.revise(kind, entry, **kind.change) == entry
    assert await chart.revise(kind, entry, elements={}) == entry
    assert await chart.revise(kind, entry, elements={"eVitals.26": None}) == entry
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_only_what_changed_is_audited_and_the_rest_stays(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await entry_of(chart, kind)
    after = await chart.revise(kind, entry, **kind.change)
    moved = {name for name in after if after[name] != entry[name]} - {"version", "updated_at"}
    assert moved == set(kind.change)
    audit = (await evidence.records(entry["id"])).audit[-1]
    assert {name.partition(".")[0] for name in audit["changed_fields_json"]} == moved
    assert after == await chart.writer.expect(200, "GET", chart.at(kind, entry))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (INCIDENT, {"incident_number": None}),
        (INCIDENT, {"incident_number": ""}),
        (PATIENT, {"gender": ""}),
        (VITAL, {"patient_id": None}),
        (VITAL, {"elements": {"eVitals.26": []}}),
        (NARRATIVE, {"ai_score": "0.5"}),
        (NARRATIVE, {"ai_suggestions_json": {}}),
    ],
)
async def test_what_cannot_be_emptied_or_set(chart: Chart, evidence: Evidence, kind: Kind, fields: Any) -> None:
    entry = await entry_of(chart, kind)
    before = await evidence.digest(chart.agency.tenant_id)
    await chart.revise(kind, entry, status=422, **fields)
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_null_empties_a_field(chart: Chart, evidence: Evidence) -> None:
    patient = await chart.revise(PATIENT, chart.patient, date_of_birth="1980-02-29", gender="female", age=46)
    emptied = await chart.revise(PATIENT, patient, date_of_birth=None, gender=None)
    assert (emptied["date_of_birth"], emptied["gender"], emptied["age"]) == (None, None, 46)
    audit = (await evidence.records(patient["id"])).audit[-1]
    assert audit["changed_fields_json"] == {
        "date_of_birth": [DIGESTED, None],
        "gender": [DIGESTED, None],
    }


async def test_elements_merge_by_id_and_null_removes(chart: Chart, evidence: Evidence) -> None:
    delay, mode = {"eResponse.08": [{"value": "2208013"}]}, {"eResponse.23": [{"value": "2223001"}]}
    unit = {"eResponse.13": [{"value": "MEDIC 9"}]}
    first = await chart.revise(INCIDENT, chart.head, elements={**delay, **unit})
    second = await chart.revise(INCIDENT, first, elements=mode)
    assert second["elements"] == {**delay, **unit, **mode}
    third = await chart.revise(INCIDENT, second, elements={"eResponse.08": None, "eResponse.13": [{"value": "M10"}]})
    assert third["elements"] == {**mode, "eResponse.13": [{"value": "M10"}]}
    audit = (await evidence.records(chart.id)).audit[-1]
    assert audit["changed_fields_json"] == {
        "elements.eResponse.08": [delay["eResponse.08"], None],  # a delay of the unit identifies nobody
        "elements.eResponse.13": [DIGESTED, DIGESTED],
    }


async def test_a_refused_element_keeps_the_whole_patch_from_being_stored(chart: Chart, evidence: Evidence) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    elements = {"eResponse.08": [{"value": "2208013"}], "eResponse.23": [{"value": "1"}]}
    refused = await chart.revise(INCIDENT, chart.head, status=422, location_street="1 Main St", elements=elements)
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == [
        "elements.eResponse.23[0].value"
    ]
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [(1, True), (0, False), (True, 1), ("1", 1), ([], ""), ([1], [True]), (None, False), ("a", "a "), (1.5, "1.5")],
)
async def test_a_changed_type_is_a_change(chart: Chart, old: object, new: object) -> None:
    """Python holds 1 and true for equal; a chart does not."""
    narrative = await chart.add(NARRATIVE, structured_json={"alert": old})
    changed = await chart.revise(NARRATIVE, narrative, structured_json={"alert": new})
    stored = await chart.writer.expect(200, "GET", chart.at(NARRATIVE, narrative))
    assert changed == stored
    assert (stored["version"], repr(stored["structured_json"]["alert"])) == (2, repr(new))
