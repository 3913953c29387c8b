"""Each declared disclosure, made over HTTP: the logs say who was given what, of which charts, and for which purpose."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from app import registry
from app.billing.exports.service import FILE
from app.core.audit.disclosures import Disclosure
from app.core.audit.service import LOG_EXPORT
from app.core.runtime import Runtime
from app.core.storage.gateway import OBJECT_STORE
from app.ems.entries.attachments import ATTACHMENT_LINK
from app.ems.entries.signatures import SIGNATURE_LINK
from app.ems.report.service import PATIENT_CARE_REPORT
from app.ems.search.service import SEARCH
from app.nemsis.exports.service import DOCUMENT
from scripts.demo_call import PEOPLE, Player
from scripts.demo_chart import CALL
from tests.billing.support.claims import approved_claim, export
from tests.ems.charts import PATIENT, Chart
from tests.ems.uploads import at, attach, sign
from tests.support.actors import Actor, Agency
from tests.support.media import SAMPLES

MARK = "Quackenbush"


@dataclass(frozen=True)
class Made:
    """What is there to be disclosed: where, to whom, of which entity, and the charts inside."""

    path: str
    actor: Actor
    role: str
    entity_id: str
    charts: set[str]
    purpose: str | None
    body: dict[str, Any] | None = None
    elsewhere: int = 404

    async def ask(self, actor: Actor, **options: Any) -> httpx.Response:
        """What `actor` is answered, who may be somebody else. `elsewhere` is the status for another agency."""
        if self.body is None:
            return await actor.get(self.path, **options)
        return await actor.post(self.path, json=self.body, **options)


async def opened(agency: Agency) -> Chart:
    head = await agency.medic.expect(201, "POST", "ems/incidents", json=CALL.incident)
    chart = Chart(agency, "medic", head)
    chart.patient = await chart.add(PATIENT, **CALL.patient)
    return chart


async def attachment(agency: Agency) -> Made:
    chart = await opened(agency)
    stored = await attach(chart, SAMPLES["image/jpeg"], "image/jpeg", description=MARK)
    path = f"{at(chart, 'attachments', stored)}/download"
    return Made(path, agency.biller, "billing", stored["id"], {chart.id}, "payment")


async def signature(agency: Agency) -> Made:
    chart = await opened(agency)
    signed = await sign(chart, signer_name=MARK)
    path = f"{at(chart, 'signatures', signed)}/download"
    return Made(path, agency.supervisor, "ems", signed["id"], {chart.id}, "treatment")


async def document(agency: Agency) -> Made:
    player = Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)
    incident, _ = await player.chart(CALL)
    incident = await player.review(incident)
    body = {"incident_id": incident["id"]}
    made = await agency.admin.expect(201, "POST", "nemsis/exports", json=body)
    for action in ("validate", "export"):
        move = {"action": action, "version": made["version"]}
        made = await agency.admin.expect(200, "POST", f"nemsis/exports/{made['id']}/transitions", json=move)
    path = f"nemsis/exports/{made['id']}/artifact"
    return Made(path, agency.admin, "admin", made["id"], {incident["id"]}, "public_health")


async def claim_file(agency: Agency) -> Made:
    claims = [await approved_claim(agency) for _ in range(3)]
    made = await export(agency, *claims)
    path = f"billing/exports/{made['id']}/artifact"
    return Made(path, agency.admin, "admin", made["id"], {claim["incident_id"] for claim in claims}, "payment")


async def report(agency: Agency) -> Made:
    chart = await opened(agency)
    path = f"{chart.url}/report.pdf"
    return Made(path, agency.supervisor, "ems", chart.patient["id"], {chart.id}, "treatment")


async def search(agency: Agency) -> Made:
    charts = [await opened(agency) for _ in range(2)]
    found, agency_id = {chart.id for chart in charts}, str(agency.tenant_id)
    body = {"last_name": str(CALL.patient["last_name"])[:3]}
    return Made("ems/incidents/search", agency.biller, "billing", agency_id, found, "payment", body, 200)


async def log(agency: Agency) -> Made:
    return Made("audit/access-log/export", agency.admin, "admin", str(agency.tenant_id), set(), None)


MAKING: dict[Disclosure, Callable[[Agency], Awaitable[Made]]] = {
    ATTACHMENT_LINK: attachment,
    SIGNATURE_LINK: signature,
    PATIENT_CARE_REPORT: report,
    DOCUMENT: document,
    FILE: claim_file,
    SEARCH: search,
    LOG_EXPORT: log,
}
STORED = (DOCUMENT, FILE)


async def entries(connection: asyncpg.Connection, request_id: str) -> list[Any]:
    return list(await connection.fetch("SELECT * FROM access_log WHERE request_id = $1::text::uuid", request_id))


async def events(connection: asyncpg.Connection, made: Made, action: str) -> list[Any]:
    query = "SELECT * FROM audit_events WHERE entity_id = $1::text::uuid AND action = $2"
    return list(await connection.fetch(query, made.entity_id, action))


async def ask(made: Made) -> tuple[httpx.Response, str]:
    request_id = str(uuid.uuid4())
    return await made.ask(made.actor, headers={"X-Request-ID": request_id}), request_id


def test_every_declared_disclosure_is_made_below() -> None:
    """What an outbound kind sends is nobody's request: tests of the kind look for its record."""
    sent = {kind.disclosure for kind in registry.OUTBOUND if kind.disclosure is not None}
    assert set(MAKING) == set(registry.DISCLOSURES) - sent


@pytest.mark.parametrize("disclosure", MAKING, ids=lambda disclosure: disclosure.action)
async def test_both_logs_tell_of_it(
    agency: Agency, admin_connection: asyncpg.Connection, disclosure: Disclosure
) -> None:
    made = await MAKING[disclosure](agency)
    me = (await made.actor.expect(200, "GET", "auth/me"))["id"]
    answer, request_id = await ask(made)
    assert answer.status_code == 200, answer.text
    [event] = await events(admin_connection, made, disclosure.action)
    assert (str(event["actor_user_id"]), str(event["request_id"])) == (me, request_id)
    assert f'"what": "{disclosure.what}"' in event["metadata_json"]
    for chart in made.charts:
        assert chart in event["metadata_json"]
    found = await entries(admin_connection, request_id)
    if not made.charts:
        assert found == []
        return
    [entry] = found
    assert {str(chart) for chart in entry["incident_ids"] or [entry["incident_id"]]} == made.charts
    assert (str(entry["actor_user_id"]), entry["actor_role"], entry["purpose"]) == (me, made.role, made.purpose)
    assert disclosure.what in entry["categories"]
    assert MARK not in str([dict(event), dict(entry)])


@pytest.mark.parametrize("disclosure", MAKING, ids=lambda disclosure: disclosure.action)
@pytest.mark.parametrize("log", ["audit_events", "access_log"])
async def test_without_its_record_nothing_leaves(
    agency: Agency, admin_connection: asyncpg.Connection, disclosure: Disclosure, log: str
) -> None:
    made = await MAKING[disclosure](agency)
    await admin_connection.execute(f"REVOKE INSERT ON {log} FROM fusionems_app")
    try:
        answer, request_id = await ask(made)
    finally:
        await admin_connection.execute(f"GRANT INSERT ON {log} TO fusionems_app")
    if log == "access_log" and not made.charts:
        assert answer.status_code == 200  # no chart is inside, so that log has no entry to make
        return
    assert answer.status_code >= 500
    assert set(answer.json()) == {"error"}
    assert await events(admin_connection, made, disclosure.action) == []
    assert await entries(admin_connection, request_id) == []


@pytest.mark.parametrize("disclosure", MAKING, ids=lambda disclosure: disclosure.action)
async def test_what_was_refused_was_not_disclosed(
    agency: Agency, found: Callable[[], Awaitable[Agency]], admin_connection: asyncpg.Connection, disclosure: Disclosure
) -> None:
    made = await MAKING[disclosure](agency)
    before = len(await events(admin_connection, made, disclosure.action))
    stranger = await found()
    for actor in (agency.founder, stranger.founder):
        answer = await made.ask(actor)
        assert answer.status_code == 403, answer.text
    if made.charts:
        answer = await made.ask(stranger.admin)
        assert answer.status_code == made.elsewhere
        assert answer.status_code == 404 or answer.json()["items"] == []
    assert len(await events(admin_connection, made, disclosure.action)) == before


@pytest.mark.parametrize("disclosure", STORED, ids=lambda disclosure: disclosure.action)
async def test_an_object_that_is_gone_was_not_disclosed(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, disclosure: Disclosure
) -> None:
    made = await MAKING[disclosure](agency)
    [key] = await admin_connection.fetch(
        "SELECT DISTINCT key FROM (SELECT s3_key AS key, id FROM nemsis_exports"
        " UNION ALL SELECT artifact_key, export_id FROM claim_exports) AS stored WHERE id = $1::text::uuid",
        made.entity_id,
    )
    await runtime.gateways.get(OBJECT_STORE).delete(key[0])
    answer, request_id = await ask(made)
    assert answer.status_code == 404
    assert await events(admin_connection, made, disclosure.action) == []
    assert await entries(admin_connection, request_id) == []
