"""Validation and export of charts over HTTP: who may, in which state, and what is left behind."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from functools import partial
from typing import Any, cast

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.core.errors import ServiceUnavailable
from app.core.outbox.relay import OutboxRelay
from app.core.runtime import Runtime
from app.core.storage.gateway import OBJECT_STORE, ObjectStore
from app.ems.entries.children import ChildService
from app.ems.entries.vitals import VITALS
from app.ems.public import PatientChart
from app.ems.vitals.schemas import VitalPatch
from app.nemsis.exports import service
from app.nemsis.validation import validate_chart
from scripts.demo_call import PEOPLE, Player
from scripts.demo_chart import CALL
from tests.ems.test_races import until_somebody_waits
from tests.support.actors import Actor, Agency

Body = dict[str, Any]


@pytest.fixture
def replaced() -> Iterator[ExitStack]:
    """Gateways that are replaced until the test ends."""
    with ExitStack() as stack:
        yield stack


def _player(agency: Agency) -> Player:
    return Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)


async def _export(agency: Agency, incident: Body, **more: Any) -> Body:
    return dict(await agency.medic.expect(201, "POST", "nemsis/exports", json={"incident_id": incident["id"], **more}))


async def _ask(actor: Actor, export: Body, action: str, status: int = 200) -> Body:
    body = {"action": action, "version": export["version"]}
    return dict(await actor.expect(status, "POST", f"nemsis/exports/{export['id']}/transitions", json=body))


async def _read(actor: Actor, export: Body) -> Body:
    return dict(await actor.expect(200, "GET", f"nemsis/exports/{export['id']}"))


async def _invalid_chart(agency: Agency) -> tuple[Body, Body]:
    incident = await agency.medic.expect(201, "POST", "ems/incidents", json={"incident_number": "26-0007"})
    patient = await agency.medic.expect(201, "POST", f"ems/incidents/{incident['id']}/patients", json={})
    return incident, patient


async def test_findings_lead_to_the_field_of_the_chart(agency: Agency) -> None:
    incident, patient = await _invalid_chart(agency)
    vital = await agency.medic.expect(
        201, "POST", f"ems/incidents/{incident['id']}/vitals", json={"patient_id": patient["id"], "heart_rate": 80}
    )
    answer = await agency.medic.expect(200, "GET", f"nemsis/incidents/{incident['id']}/validation")
    (of_patient,) = answer["patients"]
    assert (answer["valid"], of_patient["valid"], of_patient["patient_id"]) == (False, False, patient["id"])
    found = {finding["element_id"]: finding["internal_path"] for finding in of_patient["findings"]}
    assert found["eTimes.03"] == "incident.dispatch_time"
    assert found["eResponse.05"] == "incident.elements.eResponse.05"
    assert found["eDisposition.27"] == "incident.disposition"
    assert vital["id"] not in str(found), "a vital sign without a time is not recorded, not wrong"


async def test_an_invalid_chart_fails_and_cannot_be_exported(agency: Agency) -> None:
    incident, _ = await _invalid_chart(agency)
    export = await _export(agency, incident)
    failed = await _ask(agency.medic, export, "validate")
    assert (failed["status"], failed["allowed_actions"]) == ("validation_failed", ["validate"])
    assert "eTimes.03" in {finding["element_id"] for finding in failed["validation_errors_json"]}
    refusal = await _ask(agency.admin, failed, "export", 409)
    assert refusal["error"]["code"] == "INVALID_TRANSITION"
    assert refusal["error"]["details"]["state"] == "validation_failed"
    again = await _ask(agency.medic, failed, "validate")
    assert (again["status"], again["version"]) == ("validation_failed", failed["version"] + 2)
    assert (await agency.admin.get(f"nemsis/exports/{export['id']}/artifact")).status_code == 404


async def test_a_palpated_pressure_reaches_the_document(agency: Agency) -> None:
    first, *others = CALL.vitals
    palpated = {name: value for name, value in first.items() if name != "diastolic_bp"}
    palpated["elements"] = {**palpated["elements"], "eVitals.07": [{"value": "P"}]}
    player = _player(agency)
    incident, _ = await player.chart(replace(CALL, vitals=[palpated, *others]))
    _, document = await player.export(await player.review(incident))
    assert b"<eVitals.07>P</eVitals.07>" in document


async def test_an_open_chart_is_valid_but_not_exported(agency: Agency) -> None:
    incident, _ = await _player(agency).chart(CALL)
    ready = await _ask(agency.medic, await _export(agency, incident), "validate")
    assert ready["status"] == "ready_for_export"
    refusal = await _ask(agency.admin, ready, "export", 409)
    assert [guard["name"] for guard in refusal["error"]["details"]["failed_guards"]] == ["chart_closed"]
    assert (await _read(agency.medic, ready))["version"] == ready["version"]


async def test_a_moved_vital_makes_every_ready_document_pending(agency: Agency, relay: OutboxRelay) -> None:
    incident, patient = await _player(agency).chart(CALL)
    url = f"ems/incidents/{incident['id']}"
    second = await agency.medic.expect(201, "POST", f"{url}/patients", json=dict(CALL.patient))
    vital = (await agency.medic.expect(200, "GET", f"{url}/vitals"))["items"][0]
    ready = []
    for one in (patient, second):
        body = {"incident_id": incident["id"], "patient_id": one["id"]}
        export = await agency.admin.expect(201, "POST", "nemsis/exports", json=body)
        ready.append(await _ask(agency.medic, export, "validate"))
    await relay.drain()
    states = [(await _read(agency.medic, export))["status"] for export in ready]
    assert states[0] == "ready_for_export"
    entry = {"entity": "vital", "id": vital["id"], "version": vital["version"]}
    await agency.medic.expect(200, "POST", f"{url}/moves", json={"patient_id": second["id"], "entries": [entry]})
    await relay.drain()
    for export, before in zip(ready, states, strict=True):
        after = (await _read(agency.medic, export))["status"]
        assert after == ("pending_validation" if before == "ready_for_export" else before)


async def test_validity_outlives_the_lock_but_not_a_change(agency: Agency, relay: OutboxRelay) -> None:
    player = _player(agency)
    incident, _ = await player.chart(CALL)
    ready = await _ask(agency.medic, await _export(agency, incident), "validate")
    changed = {"version": incident["version"], "location_zip": "62704"}
    await agency.medic.expect(200, "PATCH", f"ems/incidents/{incident['id']}", json=changed)
    refusal = await _ask(agency.admin, ready, "export", 409)
    assert "chart_unchanged" in [guard["name"] for guard in refusal["error"]["details"]["failed_guards"]]
    await relay.drain()
    pending = await _read(agency.medic, ready)
    assert (pending["status"], pending["version"]) == ("pending_validation", ready["version"] + 1)

    ready = await _ask(agency.medic, pending, "validate")
    incident = await agency.medic.expect(200, "GET", f"ems/incidents/{incident['id']}")
    await player.review(incident)
    await relay.drain()
    assert (await _read(agency.medic, ready))["status"] == "ready_for_export"
    exported = await _ask(agency.admin, ready, "export")
    assert (exported["status"], exported["allowed_actions"]) == ("exported", [])
    document = await agency.admin.get(f"nemsis/exports/{exported['id']}/artifact")
    assert document.headers["content-type"] == "application/xml"
    assert exported["s3_key"].endswith(f"/{incident['id']}/{exported['patient_id']}/{exported['id']}.xml")


@pytest.mark.parametrize(
    ("who", "statuses"),
    [
        ("medic", (200, 403, 403)),
        ("supervisor", (200, 200, 200)),
        ("admin", (200, 200, 200)),
        ("biller", (403, 403, 403)),
        ("founder", (403, 403, 403)),
    ],
)
async def test_who_may_read_export_and_download(agency: Agency, who: str, statuses: tuple[int, int, int]) -> None:
    player = _player(agency)
    incident, _ = await player.chart(CALL)
    await player.review(incident)
    ready = await _ask(agency.medic, await _export(agency, incident), "validate")
    actor = agency.actors[who]
    body = {"action": "export", "version": ready["version"]}
    got = (
        (await actor.get(f"nemsis/exports/{ready['id']}")).status_code,
        (await actor.post(f"nemsis/exports/{ready['id']}/transitions", json=body)).status_code,
        (await actor.get(f"nemsis/exports/{ready['id']}/artifact")).status_code,
    )
    assert got == statuses


async def test_two_exports_at_once_one_wins(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    player = _player(agency)
    incident, _ = await player.chart(CALL)
    await player.review(incident)
    ready = await _ask(agency.medic, await _export(agency, incident), "validate")
    body = {"action": "export", "version": ready["version"]}
    path = f"nemsis/exports/{ready['id']}/transitions"
    answers = await asyncio.gather(*(agency.admin.post(path, json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    fired = await admin_connection.fetchval(
        "SELECT count(*) FROM audit_events WHERE entity_id = $1::uuid AND action = $2",
        ready["id"],
        "nemsis_export.exported",
    )
    assert fired == 1


async def test_a_store_that_is_away_changes_nothing(
    agency: Agency, runtime: Runtime, app: FastAPI, replaced: ExitStack
) -> None:
    player = _player(agency)
    incident, _ = await player.chart(CALL)
    await player.review(incident)
    ready = await _ask(agency.medic, await _export(agency, incident), "validate")

    class Away:
        async def put(self, key: str, content: bytes, content_type: str) -> None:
            raise ServiceUnavailable

    replaced.enter_context(runtime.gateways.replace(OBJECT_STORE, cast("ObjectStore", Away())))
    assert (await _ask(agency.admin, ready, "export", 503))["error"]["code"] == "SERVICE_UNAVAILABLE"
    replaced.close()
    unchanged = await _read(agency.medic, ready)
    assert (unchanged["status"], unchanged["version"]) == ("ready_for_export", ready["version"])
    assert (await _ask(agency.admin, ready, "export"))["status"] == "exported"


class Interrupted:
    """An object store during whose `put` something else happens."""

    def __init__(self, store: Any, meanwhile: Callable[[], Awaitable[Any]]) -> None:
        self._store, self._meanwhile = store, meanwhile

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        await self._store.put(key, content, content_type)
        await self._meanwhile()


def interrupted(runtime: Runtime, meanwhile: Callable[[], Awaitable[Any]]) -> ObjectStore:
    return cast("ObjectStore", Interrupted(runtime.objects, meanwhile))


async def _completed(agency: Agency) -> tuple[Body, Body]:
    """A completed chart that is not locked, and its export that is ready."""
    incident, _ = await _player(agency).chart(CALL)
    for who, action in (("medic", "submit_for_review"), ("supervisor", "complete")):
        body = {"action": action, "version": incident["version"]}
        path = f"ems/incidents/{incident['id']}/transitions"
        incident = await agency.actors[who].expect(200, "POST", path, json=body)
    return incident, await _ask(agency.medic, await _export(agency, incident), "validate")


async def test_a_chart_is_kept_while_an_exported_document_stands_on_it(agency: Agency) -> None:
    incident, ready = await _completed(agency)
    path = f"ems/incidents/{incident['id']}"
    exported = await _ask(agency.admin, ready, "export")
    params = {"version": incident["version"], "reason": "The wrong call."}
    refused = await agency.admin.expect(409, "DELETE", path, params=params)
    assert (refused["error"]["code"], refused["error"]["details"]) == ("CHART_IN_USE", {"used_by": ["nemsis_export"]})
    assert (await agency.admin.expect(200, "GET", path))["version"] == incident["version"]
    assert (await _read(agency.admin, exported))["status"] == "exported"


async def test_an_export_that_was_not_made_keeps_no_chart(agency: Agency) -> None:
    incident, _ = await _completed(agency)
    params = {"version": incident["version"], "reason": "The wrong call."}
    await agency.admin.expect(204, "DELETE", f"ems/incidents/{incident['id']}", params=params)


async def _amendment(agency: Agency, incident: Body) -> tuple[str, Body]:
    """The path and the body of a PATCH that the document shows, of an entry: the incident's version stays."""
    path = f"ems/incidents/{incident['id']}/vitals"
    first = (await agency.admin.expect(200, "GET", path))["items"][0]
    return f"{path}/{first['id']}", {"version": first["version"], "heart_rate": 61, "reason": "Misread."}


def _exporting(agency: Agency, ready: Body) -> Coroutine[Any, Any, httpx.Response]:
    body = {"action": "export", "version": ready["version"]}
    return agency.admin.post(f"nemsis/exports/{ready['id']}/transitions", json=body)


async def expect_outdated(agency: Agency, ready: Body, answer: httpx.Response) -> None:
    assert answer.status_code == 409
    refusal = answer.json()
    assert [guard["name"] for guard in refusal["error"]["details"]["failed_guards"]] == ["chart_unchanged"]
    after = await _read(agency.medic, ready)
    assert (after["status"], after["version"], after["s3_key"]) == ("ready_for_export", ready["version"], None)


async def test_a_chart_amended_while_its_document_is_put_is_not_exported(
    agency: Agency, runtime: Runtime, app: FastAPI, replaced: ExitStack
) -> None:
    incident, ready = await _completed(agency)
    path, body = await _amendment(agency, incident)
    amend = partial(agency.admin.expect, 200, "PATCH", path, json=body)
    replaced.enter_context(runtime.gateways.replace(OBJECT_STORE, interrupted(runtime, amend)))
    await expect_outdated(agency, ready, await _exporting(agency, ready))


async def test_an_export_waits_for_an_amendment_in_flight(
    agency: Agency,
    runtime: Runtime,
    app: FastAPI,
    admin_connection: asyncpg.Connection,
    replaced: ExitStack,
) -> None:
    """The amendment is written, but commits only when the export is about to be recorded."""
    incident, ready = await _completed(agency)
    path, body = await _amendment(agency, incident)
    vital_id = uuid.UUID(path.rpartition("/")[2])
    async with AsyncExitStack() as stack:

        async def begin() -> None:
            principal = runtime.tokens.verify(agency.admin.token or "")
            uow = await stack.enter_async_context(runtime.unit_of_work(principal))
            patch = VitalPatch.model_validate(body)
            await ChildService(uow, VITALS).revise(uuid.UUID(incident["id"]), vital_id, patch)

        replaced.enter_context(runtime.gateways.replace(OBJECT_STORE, interrupted(runtime, begin)))
        exporting = asyncio.create_task(_exporting(agency, ready))
        await until_somebody_waits(admin_connection, exporting)
    await expect_outdated(agency, ready, await exporting)


async def test_a_chart_locked_while_its_document_is_put_is_exported(
    agency: Agency, runtime: Runtime, app: FastAPI, replaced: ExitStack
) -> None:
    """The document does not show the lock."""
    incident, ready = await _completed(agency)
    body = {"action": "lock", "version": incident["version"]}
    lock = partial(agency.admin.expect, 200, "POST", f"ems/incidents/{incident['id']}/transitions", json=body)
    replaced.enter_context(runtime.gateways.replace(OBJECT_STORE, interrupted(runtime, lock)))
    assert (await _ask(agency.admin, ready, "export"))["status"] == "exported"


async def test_only_the_patient_asked_for_is_judged(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    incident, _ = await _invalid_chart(agency)
    second = await agency.medic.expect(201, "POST", f"ems/incidents/{incident['id']}/patients", json={})
    export = await _export(agency, incident, patient_id=second["id"])
    judged = []

    async def judge(agency: Any, chart: PatientChart, ordinal: int, count: int, schema: Any) -> Any:
        judged.append((str(chart.patient.id), ordinal, count))
        return await validate_chart(agency, chart, ordinal, count, schema)

    monkeypatch.setattr(service, "validate_chart", judge)
    await _ask(agency.medic, export, "validate")
    assert judged == [(second["id"], 2, 2)]


async def test_which_patient(agency: Agency) -> None:
    incident, first = await _invalid_chart(agency)
    sole = await _export(agency, incident)
    assert sole["patient_id"] == first["id"]
    second = await agency.medic.expect(201, "POST", f"ems/incidents/{incident['id']}/patients", json={})
    await agency.medic.expect(422, "POST", "nemsis/exports", json={"incident_id": incident["id"]})
    assert (await _export(agency, incident, patient_id=second["id"]))["patient_id"] == second["id"]
    _, stranger = await _invalid_chart(agency)
    body = {"incident_id": incident["id"], "patient_id": stranger["id"]}
    await agency.medic.expect(422, "POST", "nemsis/exports", json=body)
    listed = await agency.medic.expect(200, "GET", f"nemsis/exports?incident_id={incident['id']}")
    assert len(listed["items"]) == 2


async def test_a_stale_version_and_another_agency(agency: Agency, found: Callable[[], Awaitable[Agency]]) -> None:
    incident, _ = await _invalid_chart(agency)
    export = await _export(agency, incident)
    stale = await _ask(agency.medic, export | {"version": 7}, "validate", 409)
    assert stale["error"]["details"]["server_version"] == 1
    other = await found()
    await other.admin.expect(404, "GET", f"nemsis/exports/{export['id']}")
    await other.admin.expect(404, "GET", f"nemsis/incidents/{incident['id']}/validation")
    await other.admin.expect(404, "POST", "nemsis/exports", json={"incident_id": incident["id"]})
    await _ask(other.admin, export, "validate", 404)
