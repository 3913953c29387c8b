"""Another agency's chart: every route answers for it exactly as for one that does not exist, and nothing moves."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.ems.charts import CHILDREN, ELEMENT_GROUP, INCIDENT, INCIDENTS, KINDS, PATIENT, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.uploads import PATHS, SIGNED, at, declare, declared, fire
from tests.support.actors import Agency
from tests.support.media import SVG

Call = tuple[str, str, dict[str, Any]]
VIEWS = (
    "chart", "timeline", "history", "amendments", "review", "review-comments", "readiness", "deleted-entries",
    "late-entries",
)  # fmt: skip
PEOPLE = ("admin", "medic", "supervisor", "biller")


def change(entry_id: str) -> dict[str, Any]:
    return {"kind": "vital", "op": "delete", "id": entry_id, "version": 1}


def move(entry_id: str, patient_id: str) -> dict[str, Any]:
    return {"patient_id": patient_id, "entries": [{"entity": "vital", "id": entry_id, "version": 1}]}


def calls(kind: Kind, incident_id: str, entry_id: str, patient_id: str) -> list[Call]:
    """Every call of a kind's routes that names something: (method, address, options)."""
    body = dict(kind.body) | ({"patient_id": patient_id} if kind.needs_patient else {})
    url = f"{INCIDENTS}/{incident_id}"
    named = url if kind is INCIDENT else f"{url}/{kind.path}/{entry_id}"
    made: list[Call] = [
        ("GET", named, {}),
        ("PATCH", named, {"json": {"version": 1, **kind.change}}),
        ("PATCH", named, {"json": {"version": 1, **kind.change, "reason": "why"}}),
        ("DELETE", named, {"params": {"version": 1}}),
        ("POST", f"{named}/restore", {"json": {"version": 1}}),
    ]
    if kind is INCIDENT:
        return [
            *made,
            ("POST", f"{url}/transitions", {"json": {"action": "start", "version": 1}}),
            *((("GET", f"{url}/{view}", {})) for view in VIEWS),
            ("GET", f"{url}/report.pdf", {}),
            ("GET", f"{url}/history", {"params": {"as_of": "2099-12-31T00:00:00Z"}}),
            ("POST", f"{url}/sync", {"json": {"changes": [change(entry_id)]}}),
            ("POST", f"{url}/moves", {"json": move(entry_id, patient_id)}),
            ("POST", f"{url}/late-entries/{entry_id}/transitions", {"json": {"action": "admit", "version": 1}}),
            ("PATCH", f"{url}/review", {"json": {"version": 1, "reviewer_id": None}}),
            ("POST", f"{url}/review-comments/{entry_id}/transitions", {"json": {"action": "resolve", "version": 1}}),
        ]
    collection = f"{url}/{kind.path}"
    if kind is PATIENT:
        made.append(("GET", f"{named}/social-security-number", {}))
    return [
        *made,
        ("GET", collection, {}),
        ("GET", collection, {"params": {"include_deleted": True}}),
        ("POST", collection, {"json": body}),
    ]


def calls_of_upload(path: str, incident_id: str, entry_id: str, patient_id: str) -> list[Call]:
    """Every call of the routes of attachments or signatures."""
    collection = f"{INCIDENTS}/{incident_id}/{path}"
    named = f"{collection}/{entry_id}"
    body = declared(SVG, "image/png") | {"patient_id": patient_id} | (SIGNED if path == "signatures" else {})
    return [
        ("GET", named, {}),
        ("GET", f"{named}/download", {}),
        ("DELETE", named, {"params": {"version": 1}}),
        ("POST", f"{named}/restore", {"json": {"version": 1}}),
        ("POST", f"{named}/transitions", {"json": {"action": "complete", "version": 1}}),
        ("GET", collection, {}),
        ("GET", collection, {"params": {"include_deleted": True}}),
        ("POST", collection, {"json": body}),
    ]


def test_no_route_is_forgotten(app: FastAPI) -> None:
    """The calls above touch every ems route but the three that name nothing. The search has a test of its own."""
    places = [call for kind in KINDS for call in calls(kind, "E1", "E2", "E3")]
    places += [call for path in PATHS for call in calls_of_upload(path, "E1", "E2", "E3")]
    made = {
        (
            method,
            "/api/v1/"
            + url.replace("E1", "{incident_id}")
            .replace("-comments/E2", "-comments/{comment_id}")
            .replace("late-entries/E2", "late-entries/{late_entry_id}")
            .replace("E2", "{child_id}"),
        )
        for method, url, _ in places
    }
    routes = {
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        for method in getattr(route, "methods", None) or ()
        if str(getattr(route, "path", "")).startswith(f"/api/v1/{INCIDENTS}")
    }
    assert routes - made == {
        ("GET", f"/api/v1/{INCIDENTS}"),
        ("POST", f"/api/v1/{INCIDENTS}"),
        ("POST", f"/api/v1/{INCIDENTS}/search"),
    }
    assert made <= routes


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_foreign_ids_answer_like_random_ones(
    chart: Chart, found: Callable[[], Awaitable[Agency]], evidence: Evidence, kind: Kind
) -> None:
    entry = chart.head if kind is INCIDENT else await chart.add(kind)
    foreign = calls(kind, chart.id, str(entry["id"]), str(chart.patient["id"]))
    random = calls(kind, str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4()))
    await check_alike(chart, await found(), evidence, foreign, random)


@pytest.mark.parametrize("path", PATHS)
async def test_foreign_uploads_answer_like_random_ones(
    chart: Chart, found: Callable[[], Awaitable[Agency]], evidence: Evidence, path: str
) -> None:
    entry = await declare(chart, path)
    foreign = calls_of_upload(path, chart.id, entry["id"], chart.patient["id"])
    random = calls_of_upload(path, str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4()))
    await check_alike(chart, await found(), evidence, foreign, random)


async def check_alike(
    chart: Chart, intruders: Agency, evidence: Evidence, foreign: list[Call], random: list[Call]
) -> None:
    before = await evidence.digest(chart.agency.tenant_id), await evidence.digest(intruders.tenant_id)
    for who in PEOPLE:
        for (method, url, options), (_, nowhere, same) in zip(foreign, random, strict=True):
            answers = [
                await intruders.actors[who].request(method, url, **options),
                await intruders.actors[who].request(method, nowhere, **same),
            ]
            bodies = [answer.json() for answer in answers]
            for body in bodies:
                body["error"].pop("trace_id")
            assert bodies[0] == bodies[1]
            assert answers[0].status_code == answers[1].status_code in (403, 404), f"{who} {method} {url}"
            assert set(answers[0].headers) == set(answers[1].headers)
    assert (await evidence.digest(chart.agency.tenant_id), await evidence.digest(intruders.tenant_id)) == before


async def test_foreign_things_inside_ones_own_chart(
    chart: Chart, found: Callable[[], Awaitable[Agency]], evidence: Evidence
) -> None:
    """Their patient in a body of mine, their entry below my incident, their group as my group's parent."""
    mine = await Chart.open(await found())
    exam = await chart.add(ELEMENT_GROUP, group_name="eExam.AssessmentGroup", elements={})
    before = await evidence.digest(chart.agency.tenant_id), await evidence.digest(mine.agency.tenant_id)
    for kind in CHILDREN:
        entry = exam if kind is ELEMENT_GROUP else chart.patient if kind is PATIENT else await chart.add(kind)
        before = await evidence.digest(chart.agency.tenant_id), before[1]
        await mine.agency.admin.expect(404, "GET", mine.at(kind, entry))
        await mine.agency.admin.expect(404, "PATCH", mine.at(kind, entry), json={"version": 1, **kind.change})
        await mine.agency.admin.expect(404, "DELETE", mine.at(kind, entry), params={"version": 1})
        if kind.needs_patient:
            refused = await mine.add(kind, status=422, patient_id=chart.patient["id"])
            assert refused["error"]["details"]["problems"][0]["code"] == "unknown_patient"
    theirs = [await declare(chart, path) for path in PATHS]
    before = await evidence.digest(chart.agency.tenant_id), before[1]
    for path, upload in zip(PATHS, theirs, strict=True):
        refused = await declare(mine, path, status=422, patient_id=chart.patient["id"])
        assert refused["error"]["details"]["problems"][0]["code"] == "unknown_patient"
        await fire(mine, path, upload, status=404)
        await mine.agency.admin.expect(404, "GET", f"{at(mine, path, upload)}/download")
        await mine.agency.admin.expect(404, "DELETE", at(mine, path, upload), params={"version": 1})
    changes = [
        change(str(chart.patient["id"])) | {"kind": "patient"},
        {"kind": "patient", "op": "patch", "id": chart.patient["id"], "version": 1, "data": {"last_name": "Brooks"}},
        {"kind": "incident", "op": "patch", "id": chart.id, "version": 1, "data": {"location_street": "1 Main St"}},
    ]
    synced = await mine.agency.admin.expect(200, "POST", f"{mine.url}/sync", json={"changes": changes})
    assert [result["status"] for result in synced["results"]] == [404, 404, 404]
    chest: dict[str, Any] = {"group_name": "eExam.ChestGroup", "elements": {}, "parent_id": exam["id"]}
    refused = await mine.add(ELEMENT_GROUP, status=422, **chest)
    assert refused["error"]["details"]["problems"][0]["code"] == "unknown_parent"
    assert (await evidence.digest(chart.agency.tenant_id), await evidence.digest(mine.agency.tenant_id)) == before


async def test_lists_and_filters_show_ones_own(chart: Chart, found: Callable[[], Awaitable[Agency]]) -> None:
    other = await found()
    for query in ({}, {"created_by": chart.head["created_by"]}, {"incident_number": chart.head["incident_number"]}):
        listed = await other.admin.expect(200, "GET", INCIDENTS, params={**query, "include_deleted": True})
        assert listed == {"items": [], "next_cursor": None}


async def test_the_tenant_is_the_tokens_whatever_is_sent(chart: Chart, found: Callable[[], Awaitable[Agency]]) -> None:
    other = await found()
    mine = str(chart.agency.tenant_id)
    body = {**INCIDENT.body, "tenant_id": mine}
    await other.medic.expect(422, "POST", INCIDENTS, json=body)
    await other.medic.expect(422, "POST", f"{INCIDENTS}?tenant_id={mine}", json=INCIDENT.body)
    made = await other.medic.expect(201, "POST", INCIDENTS, json=INCIDENT.body, headers={"X-Tenant-ID": mine})
    await chart.writer.expect(404, "GET", f"{INCIDENTS}/{made['id']}")
    await other.medic.expect(200, "GET", f"{INCIDENTS}/{made['id']}")


async def test_a_foreign_id_is_not_made_a_second_time(
    chart: Chart, found: Callable[[], Awaitable[Agency]], evidence: Evidence
) -> None:
    """An id is one thing in the whole database: the answer is a conflict that says nothing about whose it is."""
    other = await found()
    before = await evidence.digest(chart.agency.tenant_id), await evidence.digest(other.tenant_id)
    refused = await other.medic.expect(409, "POST", INCIDENTS, json={**INCIDENT.body, "id": chart.id})
    assert (refused["error"]["code"], refused["error"]["details"]) == ("ID_TAKEN", {})
    assert str(chart.agency.tenant_id) not in str(refused)
    assert (await evidence.digest(chart.agency.tenant_id), await evidence.digest(other.tenant_id)) == before
