"""NEMSIS's part of the readiness: what is judged again, and what the document says for want of a word by the crew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.ems.elements import NOT_APPLICABLE, NOT_RECORDED, TARGET_BUILD, load_dictionary
from app.nemsis import readiness as source
from app.nemsis.places import REPORT, holder_of
from app.nemsis.validation import ValidatedDocument, validate_chart
from tests.ems.charts import CHILDREN, ELEMENT_GROUP, PATIENT, VITAL, Chart
from tests.ems.findings import charted, findings, readiness
from tests.support.actors import Agency


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ValidatedDocument]]:
    """The documents that were judged, with nothing remembered from before."""
    documents: list[ValidatedDocument] = []

    async def noting(*given: object) -> ValidatedDocument:
        documents.append(await validate_chart(*given))  # type: ignore[arg-type]
        return documents[-1]

    monkeypatch.setattr(source, "validate_chart", noting)
    source._verdicts.clear()
    yield documents
    source._verdicts.clear()


async def test_a_document_is_judged_once_and_again_after_any_change(
    agency: Agency, judged: list[ValidatedDocument]
) -> None:
    chart = await charted(agency)
    first = await readiness(agency.medic, chart.id)
    assert await readiness(agency.supervisor, chart.id) and len(judged) == 1
    chart.head = await chart.writer.expect(
        200, "PATCH", chart.url, json={"version": chart.version, "cleared_time": None}
    )
    assert findings(await readiness(agency.medic, chart.id), rule="eTimes.13", severity="blocking")
    saved = {"version": chart.version, "cleared_time": "2026-11-20T10:05:00-06:00"}
    await chart.writer.expect(200, "PATCH", chart.url, json=saved)
    assert [found["code"] for found in (await readiness(agency.medic, chart.id))["findings"]] == [
        found["code"] for found in first["findings"]
    ]
    vital = await chart.add(VITAL)
    await readiness(agency.medic, chart.id)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 1})
    await readiness(agency.medic, chart.id)
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": tenant["version"], "agency_number": "TEST-02"}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)
    await readiness(agency.medic, chart.id)
    assert len(judged) == 5, "the chart without the deleted vital sign is the one before it, and known"
    assert len({document.sha256 for document in judged}) == 4


async def test_each_kind_of_entry_is_judged_when_it_comes_and_when_it_changes(
    agency: Agency, judged: list[ValidatedDocument]
) -> None:
    """A verdict is remembered by all that a document shows."""
    chart = await Chart.open(agency)
    for count, kind in enumerate(CHILDREN[1:]):
        entry = await chart.add(kind)
        await readiness(chart.writer, chart.id)
        assert len(judged) == 2 * count + 1, kind.noun
        await chart.revise(kind, entry, **kind.change)
        await readiness(chart.writer, chart.id)
        assert len(judged) == 2 * count + 2, kind.noun


async def test_only_so_many_verdicts_are_remembered(
    agency: Agency, judged: list[ValidatedDocument], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "REMEMBERED", 2)
    charts = [await Chart.open(agency) for _ in range(3)]
    for chart in (*charts, charts[2], charts[1], charts[0]):
        await readiness(agency.medic, chart.id)
    assert len(judged) == 4 and len(source._verdicts) == 2, "the oldest one was forgotten"


async def test_blanks_are_what_the_document_says_by_itself(agency: Agency, judged: list[ValidatedDocument]) -> None:
    """Not Recorded outside repeating groups; not what a crew marked so, nor what does not apply."""
    chart = await Chart.open(
        agency, elements={"eResponse.08": [{"not_value": NOT_RECORDED}], "eScene.07": [{"value": "9923001"}]}
    )
    await chart.add(VITAL)
    await chart.revise(PATIENT, chart.patient, elements={"eArrest.01": [{"value": "3001001"}]})
    answer = await readiness(agency.medic, chart.id)
    blanks = {found["rule"] for found in findings(answer, code="not_recorded")}
    dictionary = load_dictionary(TARGET_BUILD)
    assert {holder_of(element_id, dictionary) for element_id in blanks} == {REPORT}
    assert {"eResponse.09", "ePatient.25", "eArrest.01"} - blanks == {"eArrest.01"}
    assert not blanks & {"eResponse.08", "eScene.07", "eScene.08", "eArrest.02", "eVitals.10", "ePatient.02"}
    document = judged[-1].content.decode()
    assert f'<eScene.08 xsi:nil="true" NV="{NOT_APPLICABLE}"/>' in document
    assert all(f"<{element_id} " in document for element_id in blanks)


async def test_marking_a_blank_changes_no_document(agency: Agency, judged: list[ValidatedDocument]) -> None:
    """The crew says what was said for them: nothing is invented."""
    chart = await Chart.open(agency)
    for rule in ("ePatient.25", "eTimes.05"):
        [found] = findings(await readiness(agency.medic, chart.id), rule=rule, code="not_recorded")
        await agency.medic.expect(200, found["fix"]["method"], found["fix"]["path"], json=found["fix"]["body"])
    await readiness(agency.medic, chart.id)
    assert (len(judged), len({document.sha256 for document in judged})) == (3, 1)


async def test_what_the_incident_leaves_blank_is_said_only_if_it_is_blank_for_every_patient(agency: Agency) -> None:
    """Transport times do not apply to one of them: marking them Not Recorded would speak for both."""
    chart = await Chart.open(agency)
    assert findings(await readiness(agency.medic, chart.id), rule="eTimes.12", code="not_recorded")
    await chart.add(PATIENT, elements={"eDisposition.30": [{"value": "4230013"}]})
    answer = await readiness(agency.medic, chart.id)
    [blank] = findings(answer, rule="eTimes.12", code="not_recorded")
    assert (blank["entity"], blank["entity_id"]) == ("patient", chart.patient["id"]), "it is said of the one it is of"
    assert len(findings(answer, rule="eTimes.05", code="not_recorded")) == 1
    assert len(findings(answer, rule="ePatient.25", code="not_recorded")) == 2


async def test_a_finding_in_a_group_leads_to_its_row(agency: Agency) -> None:
    """A result of a custom element that the agency does not have: the group's mandatory id is missing."""
    chart = await Chart.open(agency)
    group = await chart.add(ELEMENT_GROUP, group_name="eCustomResults.ResultsGroup", elements={}, status=201)
    answer = await readiness(agency.medic, chart.id)
    found = findings(answer, entity="element_group", severity="blocking")
    assert {(each["entity_id"], each["patient_id"]) for each in found} == {(group["id"], chart.patient["id"])}
    assert "elements.eCustomResults.02" in {each["field"] for each in found}


async def test_a_blank_leads_to_the_field_where_its_value_goes(agency: Agency) -> None:
    """A column where there is one; filled there, the finding is gone."""
    chart = await Chart.open(agency)
    expected = {
        "eTimes.05": ("incident", "enroute_time", "2026-03-01T16:00:00Z"),
        "eSituation.11": ("incident", "primary_impression", "I21.9"),
        "ePatient.25": ("patient", "gender", "female"),
        "eResponse.10": ("incident", "elements.eResponse.10", None),
    }
    answer = await readiness(agency.medic, chart.id)
    for rule, (entity, field, _) in expected.items():
        [found] = findings(answer, rule=rule, code="not_recorded")
        assert (found["entity"], found["field"]) == (entity, field)
    columns = {field: value for entity, field, value in expected.values() if entity == "incident" and value}
    chart.head = await chart.writer.expect(200, "PATCH", chart.url, json={"version": chart.version, **columns})
    await chart.revise(PATIENT, chart.patient, gender="female")
    answer = await readiness(agency.medic, chart.id)
    assert [rule for rule in expected if findings(answer, rule=rule)] == ["eResponse.10"]
