"""Soft delete and restore (directive 2.2): what is deleted is hidden everywhere, and comes back as it was."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from app.core.runtime import Runtime
from app.ems.entries import checks
from app.ems.public import get_patient_charts
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
from tests.ems.uploads import declare
from tests.support.actors import Agency

ABOUT_PATIENTS = (VITAL, INTERVENTION, NARRATIVE, ELEMENT_GROUP)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_a_deleted_entry_is_hidden_and_restored_as_it_was(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await chart.add(kind)
    url, admin = chart.at(kind, entry), chart.agency.admin
    await chart.writer.expect(204, "DELETE", url, params={"version": 1})
    before = await evidence.digest(chart.agency.tenant_id)
    await admin.expect(404, "GET", url)
    await admin.expect(409, "PATCH", url, json={"version": 2, **kind.change})
    await admin.expect(409, "DELETE", url, params={"version": 2})
    assert await evidence.digest(chart.agency.tenant_id) == before
    listed = await chart.writer.expect(200, "GET", chart.at(kind))
    assert entry["id"] not in [item["id"] for item in listed["items"]]
    shown = await admin.expect(200, "GET", chart.at(kind), params={"include_deleted": True})
    [deleted] = [item for item in shown["items"] if item["id"] == entry["id"]]
    assert (deleted["version"], deleted["deleted_at"] is not None) == (2, True)
    await admin.expect(409, "POST", f"{url}/restore", json={"version": 1})
    restored = await admin.expect(200, "POST", f"{url}/restore", json={"version": 2})
    moved = {name for name in entry if entry[name] != restored[name]}
    assert (restored["version"], moved) == (3, {"version", "updated_at"})
    assert await chart.writer.expect(200, "GET", url) == restored
    records = await evidence.records(entry["id"])
    assert [row["action"].partition(".")[2] for row in records.audit] == ["created", "deleted", "restored"]
    assert [name for row in records.audit[1:] for name in row["changed_fields_json"]] == ["deleted_at"] * 2


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_restoring_what_is_not_deleted_changes_nothing(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await chart.add(kind)
    before = await evidence.digest(chart.agency.tenant_id)
    url = f"{chart.at(kind, entry)}/restore"
    assert await chart.agency.admin.expect(200, "POST", url, json={"version": 1}) == entry
    for body in ({}, {"version": 0}, {"version": "1"}, {"version": 1, "status": "x"}, {"version": True}):
        await chart.agency.admin.expect(422, "POST", url, json=body)
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_deleted_chart_hides_everything_in_it(chart: Chart, evidence: Evidence) -> None:
    entries = [(kind, await chart.add(kind)) for kind in CHILDREN]
    await chart.writer.expect(204, "DELETE", chart.url, params={"version": chart.version, "reason": "Test call."})
    before = await evidence.digest(chart.agency.tenant_id)
    admin = chart.agency.admin
    await admin.expect(404, "GET", chart.url)
    await admin.expect(404, "PATCH", chart.url, json={"version": 2, **INCIDENT.change})
    await admin.expect(404, "POST", f"{chart.url}/transitions", json={"version": 2, "action": "start"})
    assert (await chart.writer.expect(200, "GET", INCIDENTS))["items"] == []
    for kind, entry in entries:
        url = chart.at(kind, entry)
        await admin.expect(404, "GET", chart.at(kind))
        await admin.expect(404, "GET", chart.at(kind), params={"include_deleted": True})
        await admin.expect(404, "POST", chart.at(kind), json=chart.body(kind))
        await admin.expect(404, "GET", url)
        await admin.expect(404, "PATCH", url, json={"version": 1, **kind.change})
        await admin.expect(404, "DELETE", url, params={"version": 1})
        await admin.expect(404, "POST", f"{url}/restore", json={"version": 1})
    assert await evidence.digest(chart.agency.tenant_id) == before
    for who in ("medic", "supervisor", "biller"):
        await chart.agency.actors[who].expect(403, "POST", f"{chart.url}/restore", json={"version": 2})
        await chart.agency.actors[who].expect(403, "GET", INCIDENTS, params={"include_deleted": True})
    restored = await admin.expect(200, "POST", f"{chart.url}/restore", json={"version": 2})
    assert (restored["version"], restored["deleted_at"]) == (3, None)
    for kind, entry in entries:
        assert await chart.writer.expect(200, "GET", chart.at(kind, entry)) == entry


@pytest.mark.parametrize("version", ["0", "-1", "x", "", "1.5", "2147483648", "9223372036854775808", "true"])
async def test_delete_needs_a_version(chart: Chart, evidence: Evidence, version: str) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    for url in (chart.url, chart.at(PATIENT, chart.patient)):
        await chart.writer.expect(422, "DELETE", url)
        await chart.writer.expect(422, "DELETE", url, params={"version": version})
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", ABOUT_PATIENTS, ids=lambda kind: kind.noun)
async def test_a_patient_is_not_deleted_from_under_an_entry(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    """Its vitals would be nobody's: still listed, and left out of every export."""
    entry = await chart.add(kind)
    before = await evidence.digest(chart.agency.tenant_id)
    url = chart.at(PATIENT, chart.patient)
    refused = await chart.writer.expect(409, "DELETE", url, params={"version": 1})
    assert (refused["error"]["code"], refused["error"]["details"]) == ("ENTRY_IN_USE", {"used_by": kind.path})
    assert await evidence.digest(chart.agency.tenant_id) == before
    await chart.writer.expect(204, "DELETE", chart.at(kind, entry), params={"version": 1})
    await chart.writer.expect(204, "DELETE", url, params={"version": 1})


@pytest.mark.parametrize("kind", ABOUT_PATIENTS, ids=lambda kind: kind.noun)
async def test_nothing_is_written_about_a_deleted_patient(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await chart.add(kind)
    await chart.writer.expect(204, "DELETE", chart.at(kind, entry), params={"version": 1})
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, chart.patient), params={"version": 1})
    before = await evidence.digest(chart.agency.tenant_id)
    added = await chart.add(kind, status=422)
    url = f"{chart.at(kind, entry)}/restore"
    restored = await chart.agency.admin.expect(422, "POST", url, json={"version": 2})
    for refused in (added, restored):
        assert refused["error"]["details"]["problems"][0]["code"] == "unknown_patient"
    assert await evidence.digest(chart.agency.tenant_id) == before
    patient_url = f"{chart.at(PATIENT, chart.patient)}/restore"
    await chart.agency.admin.expect(200, "POST", patient_url, json={"version": 2})
    await chart.agency.admin.expect(200, "POST", url, json={"version": 2})


async def test_a_group_is_not_deleted_from_under_the_groups_nested_in_it(chart: Chart, evidence: Evidence) -> None:
    parent = await chart.add(ELEMENT_GROUP, group_name="eExam.AssessmentGroup", elements={})
    nested = await chart.add(ELEMENT_GROUP, group_name="eExam.ChestGroup", elements={}, parent_id=parent["id"])
    before = await evidence.digest(chart.agency.tenant_id)
    parent_url, nested_url = chart.at(ELEMENT_GROUP, parent), chart.at(ELEMENT_GROUP, nested)
    refused = await chart.writer.expect(409, "DELETE", parent_url, params={"version": 1})
    assert refused["error"]["code"] == "ENTRY_IN_USE"
    assert await evidence.digest(chart.agency.tenant_id) == before
    await chart.writer.expect(204, "DELETE", nested_url, params={"version": 1})
    await chart.writer.expect(204, "DELETE", parent_url, params={"version": 1})
    orphan = await chart.agency.admin.expect(422, "POST", f"{nested_url}/restore", json={"version": 2})
    assert orphan["error"]["details"]["problems"][0]["code"] == "unknown_parent"


async def test_a_vital_and_the_deletion_of_its_patient_do_not_both_succeed(agency: Agency) -> None:
    for _ in range(5):
        chart = await Chart.open(agency)
        created, deleted = await asyncio.gather(
            chart.writer.post(chart.at(VITAL), json=chart.body(VITAL)),
            agency.partner.delete(chart.at(PATIENT, chart.patient), params={"version": 1}),
        )
        assert (created.status_code, deleted.status_code) in {(201, 409), (422, 204)}


async def test_other_domains_read_the_chart_without_what_is_deleted(chart: Chart, runtime: Runtime) -> None:
    kept = [await chart.add(kind) for kind in ABOUT_PATIENTS]
    for kind in ABOUT_PATIENTS:
        entry = await chart.add(kind)
        await chart.writer.expect(204, "DELETE", chart.at(kind, entry), params={"version": 1})
    other = await chart.add(PATIENT)
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, other), params={"version": 1})
    principal = runtime.tokens.verify(chart.agency.biller.token or "")
    async with runtime.read_unit_of_work(principal) as uow:
        [read] = await get_patient_charts(uow, uuid.UUID(chart.id))
    entries = [*read.vitals, *read.interventions, *read.narratives, *read.element_groups]
    assert [str(entry.id) for entry in entries] == [entry["id"] for entry in kept]
    assert str(read.patient.id) == chart.patient["id"]


async def test_a_chart_has_a_bounded_number_of_entries_of_a_kind(
    chart: Chart, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is deleted does not count, and comes back only where there is room; other kinds have bounds of their own."""
    monkeypatch.setattr(checks, "MOST_ENTRIES", 2)
    first, _ = await chart.add(VITAL), await chart.add(VITAL)
    await chart.add(NARRATIVE)
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await chart.add(VITAL, status=409)
    assert refused["error"]["code"] == "LIMIT_REACHED"
    assert await evidence.digest(chart.agency.tenant_id) == before
    for _ in range(2):
        await declare(chart)
    assert (await declare(chart, status=409))["error"]["code"] == "LIMIT_REACHED"
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, first), params={"version": 1})
    await chart.add(VITAL)
    restored = await chart.agency.admin.expect(409, "POST", f"{chart.at(VITAL, first)}/restore", json={"version": 2})
    assert restored["error"]["code"] == "LIMIT_REACHED"
