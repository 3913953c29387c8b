"""The logs over HTTP: what administrators see, filter, page through and export; nobody else sees anything."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.audit.service import EXPORT_BATCH
from app.core.audit.vocabulary import actions_of, entity_types_of
from app.core.ids import new_id
from app.core.spreadsheets import csv_line
from app.registry import AUDIT_ACTIONS
from tests.architecture.scratch import entities as mapped_entities
from tests.core.evidence import DIGESTED, audit_of, checksum, one
from tests.support.actors import Actor, Agency

INCIDENT: dict[str, Any] = {"incident_number": "26-000123", "location_street": "12 Canary Row", "disposition": None}


async def chart(actor: Actor) -> Any:
    return await actor.expect(201, "POST", "ems/incidents", json={**INCIDENT, "incident_number": uuid.uuid4().hex[:12]})


async def events(agency: Agency, **query: Any) -> list[dict[str, Any]]:
    page = await agency.admin.expect(200, "GET", "audit/events", params={"limit": 200, **query})
    items: list[dict[str, Any]] = page["items"]
    return items


async def entries(agency: Agency, **query: Any) -> list[dict[str, Any]]:
    page = await agency.admin.expect(200, "GET", "audit/access-log", params={"limit": 200, **query})
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_events_tell_who_did_what_and_digest_what_is_protected(agency: Agency) -> None:
    made = await chart(agency.medic)
    [event] = await events(agency, entity_id=made["id"])
    assert (event["entity_type"], event["action"]) == ("incident", "incident.created")
    assert event["actor_user_id"] == (await agency.medic.expect(200, "GET", "auth/me"))["id"]
    assert event["changed_fields_json"]["incident_number"] == [None, made["incident_number"]]
    assert event["changed_fields_json"]["location_street"] == [None, DIGESTED]


async def test_digest_shows_that_a_value_came_back_and_nothing_about_other_charts(agency: Agency) -> None:
    first, second = await chart(agency.medic), await chart(agency.medic)
    version = first["version"]
    for street in ("9 Other Road", "12 Canary Row"):
        patch = {"version": version, "location_street": street}
        version = (await agency.medic.expect(200, "PATCH", f"ems/incidents/{first['id']}", json=patch))["version"]
    back, there, made = [
        event["changed_fields_json"]["location_street"] for event in await events(agency, entity_id=first["id"])
    ]
    [[_, elsewhere]] = [
        event["changed_fields_json"]["location_street"] for event in await events(agency, entity_id=second["id"])
    ]
    assert there[0] == made[1] == back[1] and back[0] == there[1] != made[1]
    assert elsewhere == DIGESTED and elsewhere != made[1]


async def test_filters_and_pages_find_each_event_once(agency: Agency) -> None:
    made = [await chart(agency.medic) for _ in range(5)]
    medic = (await agency.medic.expect(200, "GET", "auth/me"))["id"]
    query: dict[str, Any] = {"actor_user_id": medic, "action": "incident.created", "limit": 2}
    for sort, expected in (("-created_at", made[::-1]), ("created_at", made)):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {**query, "sort": sort, **({} if cursor is None else {"cursor": cursor})}
            page = await agency.admin.expect(200, "GET", "audit/events", params=params)
            seen += [item["entity_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == [item["id"] for item in expected]
    assert await events(agency, entity_type="patient") == []
    assert await events(agency, action="incident.deleted") == []


async def test_times_bound_the_search(agency: Agency) -> None:
    made = await chart(agency.medic)
    [event] = await events(agency, entity_id=made["id"])
    at = dt.datetime.fromisoformat(event["created_at"])
    later = (at + dt.timedelta(microseconds=1)).isoformat()
    assert len(await events(agency, entity_id=made["id"], **{"from": at.isoformat(), "to": later})) == 1
    assert await events(agency, entity_id=made["id"], **{"from": later}) == []
    assert await events(agency, entity_id=made["id"], to=at.isoformat()) == []


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"from": "yesterday"},
        {"entity_id": "1"},
        {"incident_id": "1"},
        {"action": "'; --"},
        {"action": "incident.vanished"},
        {"entity_type": "incidents"},
        {"entity_type": "audit_log"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["audit/events", "audit/events/export"])
async def test_senseless_queries_are_refused(
    agency: Agency, admin_connection: asyncpg.Connection, path: str, query: dict[str, str]
) -> None:
    if "cursor" in query and path.endswith("export"):
        query = {"limit": "1"}
    before = await checksum(admin_connection, agency.tenant_id)
    refused = await agency.admin.expect(422, "GET", path, params=query)
    [problem] = refused["error"]["details"]["problems"]
    assert [problem["field"].removeprefix("query.").removesuffix(".0")] == list(query)
    assert await checksum(admin_connection, agency.tenant_id) == before


def test_the_filters_accept_every_value_that_an_event_can_have_and_no_other() -> None:
    actions = {action.value for vocabulary in AUDIT_ACTIONS for action in vocabulary}
    assert {str(value) for value in actions_of(AUDIT_ACTIONS)} == actions
    kinds = {entity.entity_type for entity in mapped_entities()} | {"claim_export"}
    assert {str(value) for value in entity_types_of(AUDIT_ACTIONS)} == kinds


async def test_a_chart_is_found_with_all_its_entries(agency: Agency, found: Any) -> None:
    made, other = await chart(agency.medic), await chart(agency.medic)
    url = f"ems/incidents/{made['id']}"
    patient = await agency.medic.expect(201, "POST", f"{url}/patients", json={"last_name": "Rivers"})
    body = {"patient_id": patient["id"], "taken_at": "2026-03-01T10:00:00Z", "heart_rate": 80}
    vital = await agency.medic.expect(201, "POST", f"{url}/vitals", json=body)
    await agency.medic.expect(204, "DELETE", f"{url}/vitals/{vital['id']}", params={"version": 1})
    start = {"action": "start", "version": 1}
    await agency.medic.expect(200, "POST", f"{url}/transitions", json=start)
    newest_first = [
        ("incident.started", made["id"]),
        ("vital.deleted", vital["id"]),
        ("vital.created", vital["id"]),
        ("patient.created", patient["id"]),
        ("incident.created", made["id"]),
    ]
    of_chart = await events(agency, incident_id=made["id"])
    assert [(event["action"], event["entity_id"]) for event in of_chart] == newest_first
    oldest_first = await events(agency, incident_id=made["id"], sort="created_at")
    assert [event["id"] for event in oldest_first] == [event["id"] for event in of_chart[::-1]]
    assert [event["id"] for event in await events(agency, incident_id=made["id"], entity_type="vital")] == [
        event["id"] for event in of_chart[1:3]
    ]
    assert [event["action"] for event in await events(agency, incident_id=other["id"])] == ["incident.created"]
    assert await events(agency, incident_id=str(uuid.uuid4())) == []
    assert await events(await found(), incident_id=made["id"]) == []
    exported = await agency.admin.get("audit/events/export", params={"incident_id": made["id"]})
    assert [orjson.loads(line)["id"] for line in exported.content.splitlines()] == [
        event["id"] for event in oldest_first
    ]


async def test_pages_of_a_chart_follow_one_another(agency: Agency) -> None:
    made = await chart(agency.medic)
    for number in range(2, 5):
        body = {"version": number - 1, "location_street": f"{number} Main St"}
        await agency.medic.expect(200, "PATCH", f"ems/incidents/{made['id']}", json=body)
    whole = [event["id"] for event in await events(agency, incident_id=made["id"])]
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < len(whole):
        query = {"incident_id": made["id"], "limit": 1, **({} if cursor is None else {"cursor": cursor})}
        page = await agency.admin.expect(200, "GET", "audit/events", params=query)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (whole, None) and len(whole) == 4


async def test_another_agency_sees_none_of_it(agency: Agency, found: Any) -> None:
    made = await chart(agency.medic)
    await agency.medic.expect(200, "GET", f"ems/incidents/{made['id']}")
    other = await found()
    assert await events(other, entity_id=made["id"]) == []
    assert await entries(other, incident_id=made["id"]) == []


async def test_each_read_of_a_chart_is_one_entry(agency: Agency) -> None:
    made = await chart(agency.medic)
    request_id = str(uuid.uuid4())
    await agency.biller.expect(200, "GET", f"ems/incidents/{made['id']}", headers={"X-Request-ID": request_id})
    [entry] = await entries(agency, incident_id=made["id"])
    biller = (await agency.biller.expect(200, "GET", "auth/me"))["id"]
    assert (entry["actor_user_id"], entry["actor_role"], entry["purpose"]) == (biller, "billing", "payment")
    assert (entry["request_id"], entry["categories"]) == (request_id, ["incident"])
    assert entry["route"] == "/ems/incidents/{incident_id}"
    assert entry["incident_ids"] is None


async def test_list_is_one_entry_that_names_every_chart_shown(agency: Agency) -> None:
    made = {(await chart(agency.medic))["id"] for _ in range(3)}
    await agency.supervisor.expect(200, "GET", "ems/incidents", params={"limit": 2})
    [entry] = await entries(agency)
    assert entry["incident_id"] is None and len(entry["incident_ids"]) == 2 and set(entry["incident_ids"]) < made
    assert entry["purpose"] == "treatment"
    for incident_id in made:
        assert len(await entries(agency, incident_id=incident_id)) == (incident_id in entry["incident_ids"])


async def test_changes_are_told_by_the_audit_log_alone(agency: Agency) -> None:
    made = await chart(agency.medic)
    address = f"ems/incidents/{made['id']}"
    await agency.medic.expect(200, "PATCH", address, json={"version": 1, "location_street": "9 Other Road"})
    assert await entries(agency) == []
    await agency.medic.expect(200, "PATCH", address, json={"version": 2, "location_street": "9 Other Road"})
    [unchanged] = await entries(agency)  # nothing was changed, and yet the chart was shown
    assert unchanged["incident_id"] == made["id"]


async def test_refused_and_empty_reads_show_nothing(agency: Agency, found: Any) -> None:
    made = await chart((await found()).medic)
    await agency.medic.expect(404, "GET", f"ems/incidents/{made['id']}")
    await agency.medic.expect(200, "GET", "ems/incidents")
    await agency.founder.expect(403, "GET", "ems/incidents")
    assert await entries(agency) == []


async def test_export_is_the_whole_log_and_is_itself_audited(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    made = [await chart(agency.medic) for _ in range(3)]
    query = {"entity_type": "incident", "format": "ndjson"}
    answer = await agency.admin.get("audit/events/export", params=query)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/x-ndjson"
    lines = [orjson.loads(line) for line in answer.content.splitlines()]
    assert [line["entity_id"] for line in lines] == [item["id"] for item in made]
    assert lines == (await events(agency, entity_type="incident", sort="created_at"))
    [exported] = [
        event for event in await audit_of(admin_connection, agency.tenant_id) if event["action"] == "audit_log.exported"
    ]
    assert exported["metadata_json"] == {
        "means": "export", "what": "audit_log",
        "log": "audit_events", "format": "ndjson", "filters": {"entity_type": "incident"},
    }  # fmt: skip
    assert exported["actor_user_id"] is not None


@pytest.mark.parametrize(("path", "log"), [("audit/events", "audit_events"), ("audit/access-log", "access_log")])
async def test_reading_a_log_is_itself_audited(
    agency: Agency, admin_connection: asyncpg.Connection, path: str, log: str
) -> None:
    incident_id = (await chart(agency.medic))["id"]
    name = "entity_id" if log == "audit_events" else "incident_id"
    await agency.biller.expect(200, "GET", f"ems/incidents/{incident_id}")
    page = await agency.admin.expect(200, "GET", path, params={name: incident_id, "limit": 1})
    assert "audit_log.read" not in [item.get("action") for item in page["items"]]
    [read] = await reads(admin_connection, agency)
    assert read["metadata_json"] == {"log": log, "filters": {name: incident_id}, "after": None}
    me = (await agency.admin.expect(200, "GET", "auth/me"))["id"]
    assert str(read["actor_user_id"]) == me
    await agency.admin.expect(422, "GET", path, params={"cursor": "x"})
    await agency.medic.expect(403, "GET", path)
    assert await reads(admin_connection, agency) == [read]


async def test_pages_of_a_log_that_grows_by_its_reading_come_to_an_end(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    query: dict[str, Any] = {"action": "audit_log.read", "sort": "created_at", "limit": 2}
    for _ in range(5):
        await agency.admin.expect(200, "GET", "audit/events", params={"limit": 1})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await agency.admin.expect(
            200, "GET", "audit/events", params={**query, **({} if cursor is None else {"cursor": cursor})}
        )
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 5
    assert set(seen) < {str(read["id"]) for read in await reads(admin_connection, agency)}


async def reads(connection: asyncpg.Connection, agency: Agency) -> list[dict[str, Any]]:
    return [event for event in await audit_of(connection, agency.tenant_id) if event["action"] == "audit_log.read"]


async def test_export_goes_on_beyond_one_batch(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    count = EXPORT_BATCH + 7
    rows = [(new_id(), agency.tenant_id) for _ in range(count)]
    await admin_connection.executemany(
        "INSERT INTO audit_events (id, tenant_id, entity_type, entity_id, action, changed_fields_json)"
        " VALUES ($1, $2, 'vital', $1, 'vital.revised', '{}')",
        rows,
    )
    answer = await agency.admin.get("audit/events/export", params={"action": "vital.revised", "format": "csv"})
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["entity_id"] for line in lines] == sorted(str(entity_id) for entity_id, _ in rows)


async def test_access_log_is_exported_as_csv(agency: Agency) -> None:
    made = await chart(agency.medic)
    await agency.biller.expect(200, "GET", f"ems/incidents/{made['id']}")
    answer = await agency.admin.get("audit/access-log/export", params={"format": "csv"})
    assert answer.headers["content-disposition"].startswith('attachment; filename="access-log-')
    [line] = csv.DictReader(io.StringIO(answer.text))
    assert (line["incident_id"], line["categories"]) == (made["id"], '["incident"]')


@pytest.mark.parametrize("name", ["medic", "supervisor", "biller", "founder"])
async def test_logs_are_for_administrators(agency: Agency, name: str) -> None:
    for path in ("audit/events", "audit/events/export", "audit/access-log", "audit/access-log/export"):
        await agency.actors[name].expect(403, "GET", path)


async def test_without_its_entry_nothing_is_shown(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    made = await chart(agency.medic)
    await admin_connection.execute("REVOKE INSERT ON access_log FROM fusionems_app")
    try:
        answer = await agency.biller.get(f"ems/incidents/{made['id']}")
    finally:
        await admin_connection.execute("GRANT INSERT ON access_log TO fusionems_app")
    assert answer.status_code >= 500 and "Canary" not in answer.text
    await agency.biller.expect(200, "GET", f"ems/incidents/{made['id']}")


async def test_reads_of_the_service_itself_are_no_disclosures(
    agency: Agency, relay: Any, admin_connection: asyncpg.Connection
) -> None:
    await chart(agency.medic)
    await relay.drain()
    count = await one(admin_connection, "SELECT count(*) FROM access_log WHERE tenant_id = $1", agency.tenant_id)
    assert count[0] == 0


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("a=b", "a=b"), (None, "")],
)
def test_no_cell_is_a_formula(cell: str | None, written: str) -> None:
    [[read]] = csv.reader(io.StringIO(csv_line([cell]).decode(), newline=""))
    assert read == written
