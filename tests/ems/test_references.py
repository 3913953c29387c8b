"""Names inside a chart, as they are saved: CorrelationIDs stand once in a document, results name a custom element."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.ems.custom_elements.schemas import EXAMPLE
from tests.ems.charts import CREW, ELEMENT_GROUP, INTERVENTION, PATIENT, VITAL, Chart
from tests.ems.evidence import Evidence

PLACES: list[tuple[str, dict[str, Any]]] = [
    ("correlation_id", {"correlation_id": "the-one"}),
    ("elements.eVitals.03[1].correlation_id", {
        "elements": {"eVitals.03": [{"value": "9901047"}, {"value": "9901047", "correlation_id": "the-one"}]}
    }),
]  # fmt: skip
OTHERS: list[tuple[Any, dict[str, Any]]] = [
    (VITAL, {"correlation_id": "the-one"}),
    (INTERVENTION, {"correlation_id": "the-one"}),
    (ELEMENT_GROUP, {"correlation_id": "the-one"}),
    (CREW, {"correlation_id": "the-one"}),
    (VITAL, {"elements": {"eVitals.03": [{"value": "9901047", "correlation_id": "the-one"}]}}),
]


@pytest.fixture
async def chart(agency: Any) -> Chart:
    return await Chart.open(agency)


def problems(refused: Any) -> list[tuple[str, str]]:
    return [(each["field"], each["code"]) for each in refused["error"]["details"]["problems"]]


@pytest.mark.parametrize(("field", "given"), PLACES)
async def test_a_correlation_id_is_refused_the_second_time(
    chart: Chart, evidence: Evidence, field: str, given: dict[str, Any]
) -> None:
    for kind, first in OTHERS:
        await chart.ready(kind)
        taken = await chart.add(kind, **first)
        later = await chart.add(VITAL)
        before = await evidence.digest(chart.agency.tenant_id)
        assert problems(await chart.add(VITAL, status=422, **given)) == [(field, "correlation_id_repeated")]
        assert problems(await chart.revise(VITAL, later, status=422, **given)) == [(field, "correlation_id_repeated")]
        assert await evidence.digest(chart.agency.tenant_id) == before
        place = chart.at(kind, taken)
        await chart.writer.expect(204, "DELETE", place, params={"version": taken["version"]})
        kept = await chart.add(VITAL, **given)
        restore = {"version": taken["version"] + 1}
        refused = await chart.agency.admin.expect(422, "POST", f"{place}/restore", json=restore)
        assert [code for _, code in problems(refused)] == ["correlation_id_repeated"]
        await chart.writer.expect(204, "DELETE", chart.at(VITAL, kept), params={"version": 1})


async def test_one_entry_gives_it_once(chart: Chart) -> None:
    rhythm = {"eVitals.03": [{"value": "9901047", "correlation_id": "x1"}] * 2}
    refused = await chart.add(VITAL, status=422, correlation_id="x1", elements=rhythm)
    assert problems(refused) == [
        ("elements.eVitals.03[0].correlation_id", "correlation_id_repeated"),
        ("elements.eVitals.03[1].correlation_id", "correlation_id_repeated"),
    ]


async def test_an_entry_keeps_its_own(chart: Chart) -> None:
    vital = await chart.add(VITAL, correlation_id="x1")
    assert (await chart.revise(VITAL, vital, heart_rate=90, correlation_id="x1"))["correlation_id"] == "x1"


async def test_patients_have_documents_of_their_own(chart: Chart) -> None:
    """Two patients' entries may share one; what stands in both documents may not."""
    other = await chart.add(PATIENT)
    await chart.add(VITAL, correlation_id="x1")
    await chart.add(VITAL, patient_id=other["id"], correlation_id="x1")
    delays = {"eResponse.08": [{"value": "2208001", "correlation_id": "x1"}]}
    refused = await chart.writer.expect(422, "PATCH", chart.url, json={"version": chart.version, "elements": delays})
    assert problems(refused) == [("elements.eResponse.08[0].correlation_id", "correlation_id_repeated")]


async def test_two_entries_written_at_once(chart: Chart) -> None:
    answers = await asyncio.gather(
        *(chart.writer.post(chart.at(VITAL), json=chart.body(VITAL, correlation_id="x1")) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]


async def test_a_result_names_a_custom_element_of_the_agency(chart: Chart, evidence: Evidence) -> None:
    elements = {"eCustomResults.01": [{"value": "true"}], "eCustomResults.02": [{"value": "dog"}]}
    body: dict[str, Any] = {"group_name": "eCustomResults.ResultsGroup", "elements": elements}
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await chart.add(ELEMENT_GROUP, status=422, **body)
    assert problems(refused) == [("elements.eCustomResults.02[0].value", "unknown_custom_element")]
    assert await evidence.digest(chart.agency.tenant_id) == before
    definition = {"custom_element_id": "dog", "elements": EXAMPLE}
    await chart.agency.admin.expect(201, "POST", "tenants/current/custom-elements", json=definition)
    await chart.add(ELEMENT_GROUP, **body)
