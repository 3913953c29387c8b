"""Files leave by outbound attempts: into a directory, or to the clearinghouse, whose claims are then submitted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.billing.exports.delivering import DELIVERIES
from app.core.jobs.queue import run_job
from app.core.outbound.service import Attempts, job_of
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.billing.delivery.server import PASSWORD, USERNAME, Running, clearinghouse_server
from tests.billing.support.claims import CLAIMS, EXPORTS, approved_claim, export, fire
from tests.billing.support.evidence import Evidence
from tests.core.reference.records import CLEARINGHOUSE
from tests.support.actors import Agency

SECRETS = "tenants/current/secrets"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Running]:
    async with clearinghouse_server(tmp_path / "house") as running:
        yield running


async def connect(agency: Agency, house: Running, **changes: Any) -> Any:
    """The agency's clearinghouse is this server, and its login is set."""
    login = json.dumps({"username": USERNAME, "password": PASSWORD})
    await agency.admin.expect(201, "POST", SECRETS, json={"name": "clearinghouse_sftp", "value": login})
    server = {"sftp_host": "127.0.0.1", "sftp_port": house.port, "sftp_host_key": house.public_key}
    return await CLEARINGHOUSE.add(agency.admin, delivery="sftp", **{**server, **changes})


async def run_deliveries(admin: asyncpg.Connection, runtime: Runtime) -> int:
    """Runs the waiting attempts as the runner would, those of later too; how many there were."""
    waiting = await admin.fetch("SELECT * FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", DELIVERIES.name)
    for row in waiting:
        await admin.execute("DELETE FROM pgqueuer WHERE id = $1", row["id"])
        await run_job(runtime, job_of(DELIVERIES), row["payload"])
    return len(waiting)


async def deliveries_of(agency: Agency, made: dict[str, Any]) -> list[dict[str, Any]]:
    shown = await agency.biller.expect(200, "GET", f"{EXPORTS}/{made['id']}")
    assert shown in (await agency.biller.expect(200, "GET", EXPORTS))["items"]
    return [file["delivery"] for file in shown["files"]]


async def status_of(agency: Agency, claim: dict[str, Any]) -> str:
    return str((await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}"))["status"])


async def test_by_default_a_file_is_put_into_the_agencys_directory(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    claim = await approved_claim(agency)
    made = await export(agency, claim)
    [waiting] = [file["delivery"] for file in made["files"]]
    assert (waiting["channel"], waiting["status"], waiting["attempts"]) == ("directory", "queued", 0)
    await run_deliveries(admin_connection, runtime)
    [delivered] = await deliveries_of(agency, made)
    assert (delivered["status"], delivered["attempts"], delivered["failure_code"]) == ("succeeded", 1, None)
    path = runtime.settings.data_dir / "claims" / str(agency.tenant_id) / made["files"][0]["file_name"]
    artifact = await agency.biller.get(f"{EXPORTS}/{made['id']}/artifact")
    assert path.read_bytes() == artifact.content
    assert await status_of(agency, claim) == "exported", "a biller sends it, and says so"


async def test_a_delivered_file_submits_its_claims(
    agency: Agency, runtime: Runtime, house: Running, evidence: Evidence, admin_connection: asyncpg.Connection
) -> None:
    await connect(agency, house)
    claims = [await approved_claim(agency) for _ in range(2)]
    made = await export(agency, *claims)
    assert [await status_of(agency, claim) for claim in claims] == ["exported"] * 2
    await run_deliveries(admin_connection, runtime)
    [delivered] = await deliveries_of(agency, made)
    assert (delivered["channel"], delivered["status"]) == ("sftp", "succeeded")
    assert house.names() == [made["files"][0]["file_name"]]
    artifact = await agency.biller.get(f"{EXPORTS}/{made['id']}/artifact")
    assert house.content(house.names()[0]) == artifact.content
    for claim in claims:
        shown = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")
        assert (shown["status"], shown["submitted_at"]) == ("submitted", delivered["delivered_at"])
        moved = (await evidence.audit(claim["id"]))[-1]
        assert (moved["action"], moved["actor_user_id"]) == ("claim.submitted", None)
        assert (await evidence.outbox(claim["id"]))[-1]["payload"]["status"] == "submitted"
    told = await evidence.audit(delivered["id"])
    assert [event["action"].partition(".")[2] for event in told] == ["queued", "started", "disclosed", "succeeded"]
    assert told[2]["metadata_json"]["incident_ids"] == sorted(claim["incident_id"] for claim in claims)
    records = await evidence.records(agency.tenant_id)
    assert PASSWORD not in records and house.public_key.split()[1] not in records


async def test_paper_is_never_sent_to_the_clearinghouse(
    agency: Agency, runtime: Runtime, house: Running, admin_connection: asyncpg.Connection
) -> None:
    await connect(agency, house)
    claim = await approved_claim(agency)
    body = {"claim_ids": [claim["id"]], "format": "CMS-1500"}
    made = await agency.biller.expect(201, "POST", EXPORTS, json=body)
    await run_deliveries(admin_connection, runtime)
    [delivered] = await deliveries_of(agency, made)
    assert (delivered["channel"], delivered["status"]) == ("directory", "succeeded")
    assert house.names() == []
    assert await status_of(agency, claim) == "exported"


async def test_what_is_not_delivered_submits_nothing(
    agency: Agency, runtime: Runtime, house: Running, evidence: Evidence, admin_connection: asyncpg.Connection
) -> None:
    """A refusal is final and says why; a server that is away is tried again, by the login and address of that day."""
    clearinghouse = await connect(agency, house, sftp_directory="/nowhere")
    claim = await approved_claim(agency)
    made = await export(agency, claim)
    await run_deliveries(admin_connection, runtime)
    [failed] = await deliveries_of(agency, made)
    assert (failed["status"], failed["failure_code"]) == ("failed", "DIRECTORY_REFUSED")
    assert await run_deliveries(admin_connection, runtime) == 0
    assert await status_of(agency, claim) == "exported"

    path = f"{CLEARINGHOUSE.path}/{clearinghouse['id']}"
    away = {"version": 1, "sftp_directory": "/inbound", "sftp_port": 1}
    await agency.admin.expect(200, "PATCH", path, json=away)
    other = await approved_claim(agency)
    made = await export(agency, other)
    await run_deliveries(admin_connection, runtime)
    [waiting] = await deliveries_of(agency, made)
    assert (waiting["status"], waiting["failure_code"], waiting["attempts"]) == ("queued", "UNAVAILABLE", 1)
    await agency.admin.expect(200, "PATCH", path, json={"version": 2, "sftp_port": house.port})
    await run_deliveries(admin_connection, runtime)
    [delivered] = await deliveries_of(agency, made)
    assert (delivered["status"], delivered["failure_code"], delivered["attempts"]) == ("succeeded", None, 2)
    assert [await status_of(agency, one) for one in (claim, other)] == ["exported", "submitted"]


async def test_a_failed_delivery_is_repeated_on_demand(
    agency: Agency, runtime: Runtime, house: Running, evidence: Evidence, admin_connection: asyncpg.Connection
) -> None:
    clearinghouse = await connect(agency, house, sftp_directory="/nowhere")
    claim = await approved_claim(agency)
    made = await export(agency, claim)
    path, body = f"{EXPORTS}/{made['id']}/deliveries", {"file_number": 1}
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(409, "POST", path, json=body)
    assert refused["error"]["code"] == "DELIVERY_NOT_FAILED"
    assert refused["error"]["details"] == {"status": "queued"}
    await agency.biller.expect(404, "POST", path, json={"file_number": 2})
    await agency.biller.expect(404, "POST", f"{EXPORTS}/{claim['id']}/deliveries", json=body)
    await agency.founder.expect(403, "POST", path, json=body)
    assert await evidence.digest(agency.tenant_id) == before
    await run_deliveries(admin_connection, runtime)
    corrected = {"version": 1, "sftp_directory": "/inbound"}
    await agency.admin.expect(200, "PATCH", f"{CLEARINGHOUSE.path}/{clearinghouse['id']}", json=corrected)
    answers = await asyncio.gather(*(agency.biller.post(path, json=body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    await run_deliveries(admin_connection, runtime)
    [delivered] = await deliveries_of(agency, made)
    assert (delivered["status"], delivered["attempts"]) == ("succeeded", 1)
    assert house.names() == [made["files"][0]["file_name"]]
    assert await status_of(agency, claim) == "submitted"


async def test_without_a_login_nothing_is_sent(
    agency: Agency, runtime: Runtime, house: Running, admin_connection: asyncpg.Connection
) -> None:
    await connect(agency, house)
    secret = (await agency.admin.expect(200, "GET", SECRETS))["items"][0]
    await agency.admin.expect(204, "DELETE", f"{SECRETS}/clearinghouse_sftp?version={secret['version']}")
    made = await export(agency, await approved_claim(agency))
    await run_deliveries(admin_connection, runtime)
    [failed] = await deliveries_of(agency, made)
    assert (failed["status"], failed["failure_code"]) == ("failed", "LOGIN_MISSING")
    assert house.faults.logins == []


async def test_other_bytes_than_were_exported_do_not_leave(
    agency: Agency, runtime: Runtime, house: Running, admin_connection: asyncpg.Connection
) -> None:
    await connect(agency, house)
    changed, gone = [await export(agency, await approved_claim(agency)) for _ in range(2)]
    await runtime.objects.put(changed["files"][0]["artifact_key"], b"ISA", "application/edi-x12")
    await runtime.objects.delete(gone["files"][0]["artifact_key"])
    await run_deliveries(admin_connection, runtime)
    for made in (changed, gone):
        [failed] = await deliveries_of(agency, made)
        assert (failed["status"], failed["failure_code"]) == ("failed", "FILE_CHANGED")
    assert house.names() == []


async def test_a_death_before_the_record_delivers_once(
    agency: Agency, runtime: Runtime, house: Running, admin_connection: asyncpg.Connection
) -> None:
    """The file is there and nobody knows: the sweep queues the delivery again, and the next attempt finds the file."""
    await connect(agency, house)
    claim = await approved_claim(agency)
    made = await export(agency, claim)
    [waiting] = await deliveries_of(agency, made)
    system = Principal.system(agency.tenant_id)
    async with runtime.unit_of_work(system) as uow:
        held = await Attempts(uow, DELIVERIES).hold(waiting["id"])
    assert held is not None
    await DELIVERIES.call(runtime, held)
    written = house.faults.written
    query = "UPDATE claim_deliveries SET lease_until = now() - interval '1 s' WHERE id = $1::text::uuid"
    await admin_connection.execute(query, waiting["id"])
    async with runtime.unit_of_work(system) as uow:
        await Attempts(uow, DELIVERIES).take_up(waiting["id"])
    assert await status_of(agency, claim) == "exported"
    await run_deliveries(admin_connection, runtime)
    assert await status_of(agency, claim) == "submitted"
    assert house.faults.written == written
    assert house.names() == [made["files"][0]["file_name"]]


async def test_a_claim_that_went_out_again_is_submitted_by_its_last_file_only(
    agency: Agency, runtime: Runtime, house: Running, admin_connection: asyncpg.Connection
) -> None:
    clearinghouse = await connect(agency, house, sftp_port=1)
    claim, steady = await approved_claim(agency), await approved_claim(agency)
    first = await export(agency, claim, steady)
    await run_deliveries(admin_connection, runtime)
    rejected = await fire(agency, {**claim, "version": claim["version"] + 1}, "reject")
    body = {"claim_ids": [(await fire(agency, rejected, "approve"))["id"]], "format": "CSV"}
    await agency.biller.expect(201, "POST", EXPORTS, json=body)
    path = f"{CLEARINGHOUSE.path}/{clearinghouse['id']}"
    await agency.admin.expect(200, "PATCH", path, json={"version": 1, "sftp_port": house.port})
    await run_deliveries(admin_connection, runtime)
    assert [delivery["status"] for delivery in await deliveries_of(agency, first)] == ["succeeded"]
    assert [await status_of(agency, one) for one in (claim, steady)] == ["exported", "submitted"]


async def test_a_server_without_a_pinned_key_is_refused(agency: Agency, house: Running) -> None:
    server = {"delivery": "sftp", "sftp_host": "127.0.0.1", "sftp_port": house.port}
    for given, field in (
        ({}, "sftp_host_key"),
        ({"sftp_host_key": ""}, "sftp_host_key"),
        ({"sftp_host_key": "ssh-ed25519 AAAA"}, "sftp_host_key"),
        ({"sftp_host_key": house.public_key, "sftp_host": None}, "sftp_host"),
    ):
        body = CLEARINGHOUSE.fresh(**{**server, **given})
        refused = await agency.admin.expect(422, "POST", CLEARINGHOUSE.path, json=body)
        assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == [field]
    assert (await agency.admin.expect(200, "GET", CLEARINGHOUSE.path))["items"] == []
    for actor in (agency.medic, agency.founder):
        await actor.expect(403, "GET", CLEARINGHOUSE.path)
    await agency.biller.expect(403, "POST", CLEARINGHOUSE.path, json=CLEARINGHOUSE.fresh())


async def test_the_forms_of_a_paper_file_can_be_read(agency: Agency, evidence: Evidence) -> None:
    claim, other = await approved_claim(agency), await approved_claim(agency)
    body = {"claim_ids": [claim["id"]], "format": "CMS-1500"}
    made = await agency.biller.expect(201, "POST", EXPORTS, json=body)
    path = f"{EXPORTS}/{made['id']}/forms.pdf"
    first, second = [await agency.biller.get(path) for _ in range(2)]
    assert first.status_code == 200 and first.content.startswith(b"%PDF-")
    assert first.content == second.content
    name = made["files"][0]["file_name"].replace(".txt", ".pdf")
    assert first.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert (await evidence.audit(made["id"]))[-1]["action"] == "claim_export.downloaded"
    electronic = await export(agency, other)
    refused = await agency.biller.expect(422, "GET", f"{EXPORTS}/{electronic['id']}/forms.pdf")
    assert refused["error"]["details"]["problems"][0]["code"] == "not_on_paper"
    await agency.founder.expect(403, "GET", path)
