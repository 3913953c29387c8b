"""A change that is sent again because its answer was lost is saved once; one that comes too late is told why."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.ems.charts import CHILDREN, INCIDENT, KINDS, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.uploads import PATHS, at, declare
from tests.support.actors import Agency


async def entry_of(chart: Chart, kind: Kind) -> dict[str, Any]:
    return chart.head if kind is INCIDENT else await chart.add(kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_a_patch_sent_again_answers_as_before(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await entry_of(chart, kind)
    first = await chart.revise(kind, entry, **kind.change)
    before = await evidence.digest(chart.agency.tenant_id)
    assert await chart.revise(kind, entry, **kind.change) == first
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_somebody_elses_same_patch_is_a_conflict(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await entry_of(chart, kind)
    body = {"version": entry["version"], **kind.change}
    await chart.agency.partner.expect(200, "PATCH", chart.at(kind, entry), json=body)
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await chart.revise(kind, entry, status=409, **kind.change)
    assert refused["error"]["code"] == "CONFLICT"
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_what_was_saved_since_stays_and_is_shown(chart: Chart, evidence: Evidence) -> None:
    """Both of the person's own patches are sent again, the older one after a partner's."""
    vital = await chart.add(VITAL)
    second = await chart.revise(VITAL, vital, heart_rate=96, temperature_c="37.0")
    third = await chart.revise(VITAL, second, elements={"eVitals.26": [{"not_value": "7701003"}]})
    body = {"version": 3, "heart_rate": 61}
    now = await chart.agency.partner.expect(200, "PATCH", chart.at(VITAL, vital), json=body)
    before = await evidence.digest(chart.agency.tenant_id)
    assert await chart.revise(VITAL, vital, heart_rate=96, temperature_c="37.0") == now
    assert await chart.revise(VITAL, second, elements={"eVitals.26": [{"not_value": "7701003"}]}) == now
    for entry, fields in (
        (vital, {"heart_rate": 97}),
        (vital, {"temperature_c": "37"}),
        (second, {"elements": {"eVitals.26": [{"not_value": "7701001"}]}}),
        (third, {"heart_rate": 61}),
    ):
        refused = await chart.revise(VITAL, entry, status=409, **fields)
        assert refused["error"]["details"]["server_version"] == 4
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_patch_sent_again_after_the_chart_was_closed(agency: Agency, evidence: Evidence) -> None:
    """It was saved, so it is not refused as a change of a closed chart."""
    chart = await Chart.open(agency)
    first = await chart.revise(PATIENT, chart.patient, first_name="Ana")
    await chart.advance("ready_for_review")
    before = await evidence.digest(agency.tenant_id)
    assert await chart.revise(PATIENT, chart.patient, first_name="Ana") == first
    refused = await chart.revise(PATIENT, chart.patient, status=409, first_name="Bea")
    assert refused["error"]["code"] == "CHART_NOT_EDITABLE"
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_amendment_sent_again_is_recorded_once(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "completed")
    url = chart.at(PATIENT, chart.patient)
    body = {"version": 1, "first_name": "Ana", "reason": "Typed into the wrong chart."}
    first = await agency.admin.expect(200, "PATCH", url, json=body)
    assert await agency.admin.expect(200, "PATCH", url, json=body) == first
    assert len(await evidence.amendments(chart.patient["id"])) == 1


async def test_a_repetition_is_asked_for_only_when_the_version_is_old(chart: Chart, runtime: Runtime) -> None:
    vital = await chart.add(VITAL)
    await chart.revise(VITAL, vital, heart_rate=90)
    sent = []
    for version, rate, status in ((2, 91, 200), (2, 91, 200), (2, 92, 409)):
        async with counted(runtime.database) as statements:
            await chart.revise(VITAL, vital | {"version": version}, status=status, heart_rate=rate)
        sent.append(sum("FROM audit_events" in statement for statement in statements))
    assert sent == [0, 1, 1]


async def test_a_patch_sent_twice_at_once_is_saved_once(chart: Chart, evidence: Evidence) -> None:
    """Of two equal requests in flight the later one may be told of a conflict; sent again, it is answered."""
    vital = await chart.add(VITAL)
    body = {"version": 1, "heart_rate": 96}
    answers = await asyncio.gather(*(chart.writer.patch(chart.at(VITAL, vital), json=body) for _ in range(4)))
    assert 200 in {answer.status_code for answer in answers} <= {200, 409}
    again = await chart.revise(VITAL, vital, heart_rate=96)
    assert (again["version"], again["heart_rate"]) == (2, 96)
    assert (await evidence.records(vital["id"])).counts() == (2, 2, 2)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_what_a_partner_deleted_is_a_conflict(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry, agency = await chart.add(kind), chart.agency
    url = chart.at(kind, entry)
    await agency.partner.expect(204, "DELETE", url, params={"version": 1})
    [event] = (await evidence.records(entry["id"])).audit[1:]
    before = await evidence.digest(agency.tenant_id)
    for method, options in (("PATCH", {"json": {"version": 1, **kind.change}}), ("DELETE", {"params": {"version": 1}})):
        refused = await chart.writer.expect(409, method, url, **options)
        details = refused["error"]["details"]
        assert (refused["error"]["code"], details["server_version"]) == ("CONFLICT", 2)
        assert details["deleted_by"] == str(event["actor_user_id"])
        assert details["deleted_at"] == details["updated_at"] == event["created_at"].isoformat()
    assert await evidence.digest(agency.tenant_id) == before
    await agency.admin.expect(200, "POST", f"{url}/restore", json={"version": details["server_version"]})
    await chart.revise(kind, entry | {"version": 3}, **kind.change)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_a_deletion_sent_again_is_done(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await chart.add(kind)
    url = chart.at(kind, entry)
    await chart.writer.expect(204, "DELETE", url, params={"version": 1})
    before = await evidence.digest(chart.agency.tenant_id)
    await chart.writer.expect(204, "DELETE", url, params={"version": 1})
    for who, version in (("partner", 1), ("medic", 2)):
        refused = await chart.agency.actors[who].expect(409, "DELETE", url, params={"version": version})
        assert refused["error"]["code"] == "CONFLICT"
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_for_uploads(chart: Chart, evidence: Evidence, path: str) -> None:
    entry = await declare(chart, path)
    url = at(chart, path, entry)
    await chart.writer.expect(204, "DELETE", url, params={"version": 1})
    before = await evidence.digest(chart.agency.tenant_id)
    await chart.writer.expect(204, "DELETE", url, params={"version": 1})
    refused = await chart.agency.partner.expect(409, "DELETE", url, params={"version": 1})
    assert set(refused["error"]["details"]) == {"server_version", "updated_at", "deleted_at", "deleted_by"}
    body = {"action": "complete", "version": 1}
    refused = await chart.agency.partner.expect(409, "POST", f"{url}/transitions", json=body)
    assert refused["error"]["code"] == "CONFLICT"
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_deleted_entry_of_another_chart_or_agency_is_unknown(
    chart: Chart, evidence: Evidence, found: Any
) -> None:
    vital = await chart.add(VITAL)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 1})
    sibling, foreign = await Chart.open(chart.agency), await Chart.open(await found())
    before = await evidence.digest(chart.agency.tenant_id)
    for other in (sibling, foreign):
        for method, options in (
            ("PATCH", {"json": {"version": 1, "heart_rate": 9}}),
            ("DELETE", {"params": {"version": 1}}),
        ):
            refused = await other.writer.expect(404, method, other.at(VITAL, vital), **options)
            unknown = await other.writer.expect(404, method, other.at(VITAL, {"id": uuid.uuid4()}), **options)
            assert refused["error"] | {"trace_id": ""} == unknown["error"] | {"trace_id": ""}
    assert await evidence.digest(chart.agency.tenant_id) == before
