"""What holds for every kind of reference record: one implementation serves them all."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from types import NoneType
from typing import Any, get_args

import asyncpg
import pytest
from fastapi import FastAPI

from app.core.reference.kinds import Verb
from app.registry import REFERENCE_KINDS
from tests.architecture.routes import operations
from tests.core.evidence import audit_of, checksum
from tests.core.reference.records import (
    API_KEY,
    ASSET,
    DELETED,
    MOVED,
    PERSON,
    RESTORED,
    REVISED,
    SAMPLES,
    STATION,
    UNIQUE,
    VEHICLE,
    Sample,
)
from tests.support.actors import ROLES, Agency

every = pytest.mark.parametrize("sample", SAMPLES, ids=str)
revised = pytest.mark.parametrize("sample", REVISED, ids=str)
deleted = pytest.mark.parametrize("sample", DELETED, ids=str)
restored = pytest.mark.parametrize("sample", RESTORED, ids=str)
unique = pytest.mark.parametrize("sample", UNIQUE, ids=str)
restored_by_name = pytest.mark.parametrize("sample", [sample for sample in UNIQUE if sample in RESTORED], ids=str)


def without_trace(body: Any) -> Any:
    body["error"].pop("trace_id")
    return body


def test_every_kind_has_a_sample() -> None:
    assert {sample.kind.path for sample in SAMPLES} == {kind.path for kind in REFERENCE_KINDS}
    for kind in REFERENCE_KINDS:
        assert (kind.patch is None) == (Verb.REVISE not in kind.actions), kind.noun
        assert (kind.transition is None) == (kind.lifecycle is None), kind.noun
        assert set(kind.filters) <= set(kind.entity.__table__.columns.keys()), kind.noun
        assert not any(NoneType in get_args(one) for one in kind.filters.values()), (
            f"{kind.noun}: the type of one value"
        )


def test_operations_read_well(app: FastAPI) -> None:
    names = {route.name for route in operations(app) if "/tenants/current/" in route.path or "extensions" in route.tags}
    verbs = {"list", "get", "create", "revise", "delete", "restore", "transition"}
    assert {name for name in names if name.endswith(("_vehicle", "_vehicles"))} == {
        "list_vehicles" if verb == "list" else f"{verb}_vehicle" for verb in verbs
    }
    assert {name for name in names if "api_key" in name} == {
        "list_external_api_keys",
        "get_external_api_key",
        "create_external_api_key",
        "delete_external_api_key",
    }
    assert "list_personnel" in names and "get_person" in names and "list_inventory_items" in names


@every
async def test_what_is_created_is_read(agency: Agency, admin_connection: asyncpg.Connection, sample: Sample) -> None:
    body = sample.fresh()
    made = await agency.admin.expect(201, "POST", sample.path, json=body)
    assert {name: made[name] for name in body} == body
    assert (made["version"], made["deleted_at"]) == (1, None)
    read = await agency.admin.expect(200, "GET", f"{sample.path}/{made['id']}")
    assert read == {name: value for name, value in made.items() if name != "secret"}
    page = await agency.admin.expect(200, "GET", sample.path)
    assert page == {"items": [read], "next_cursor": None}
    [event] = await audit_of(admin_connection, made["id"])
    assert event["action"] == f"{sample.kind.entity.entity_type}.created"
    assert event["entity_type"] == sample.kind.entity.entity_type


@every
async def test_a_repeated_creation_answers_what_is_stored(
    agency: Agency, admin_connection: asyncpg.Connection, sample: Sample
) -> None:
    body, headers = sample.fresh(id=str(uuid.uuid4())), {"Idempotency-Key": uuid.uuid4().hex}
    first = await agency.admin.expect(201, "POST", sample.path, json=body, headers=headers)
    before = await checksum(admin_connection, agency.tenant_id)
    by_key = await agency.admin.expect(201, "POST", sample.path, json=body, headers=headers)
    by_id = await agency.admin.expect(200, "POST", sample.path, json=body)
    once = {"secret": None} if "secret" in first else {}
    assert by_key == by_id == {**first, **once}
    other = await agency.admin.expect(409, "POST", sample.path, json=sample.fresh() | {"id": body["id"]})
    assert other["error"]["code"] == "ID_TAKEN"
    after = await checksum(admin_connection, agency.tenant_id)
    assert {table: rows for table, rows in after.items() if table != "idempotency_keys"} == {
        table: rows for table, rows in before.items() if table != "idempotency_keys"
    }


@revised
async def test_a_patch_changes_what_it_names(
    agency: Agency, admin_connection: asyncpg.Connection, sample: Sample
) -> None:
    made = await sample.add(agency.admin)
    path = f"{sample.path}/{made['id']}"
    changed = await agency.admin.expect(200, "PATCH", path, json={"version": 1, **sample.change})
    derived = {"version", "updated_at", *sample.change}
    assert {name: changed[name] for name in sample.change} == sample.change
    assert {name: value for name, value in changed.items() if name not in derived} == {
        name: value for name, value in made.items() if name not in derived
    }
    same = await agency.admin.expect(200, "PATCH", path, json={"version": 2, **sample.change})
    assert same["version"] == 2
    stale = await agency.admin.expect(409, "PATCH", path, json={"version": 1, **sample.change})
    assert stale["error"]["details"]["server_version"] == 2
    events = await audit_of(admin_connection, made["id"])
    assert [event["action"].split(".")[1] for event in events] == ["created", "revised"]
    assert set(events[1]["changed_fields_json"]) == set(sample.change)


@revised
async def test_status_is_not_patched(agency: Agency, sample: Sample) -> None:
    made = await sample.add(agency.admin)
    body = {"version": 1, "status": made.get("status", "active")}
    await agency.admin.expect(422, "PATCH", f"{sample.path}/{made['id']}", json=body)
    await agency.admin.expect(422, "POST", sample.path, json=sample.fresh(status=made.get("status", "active")))


@deleted
async def test_deletion_hides(agency: Agency, admin_connection: asyncpg.Connection, sample: Sample) -> None:
    made = await sample.add(agency.admin)
    path = f"{sample.path}/{made['id']}"
    await agency.admin.expect(409, "DELETE", path, params={"version": 2})
    await agency.admin.expect(204, "DELETE", path, params={"version": 1})
    for method, where, options in (
        ("GET", path, {}),
        ("DELETE", path, {"params": {"version": 2}}),
    ):
        await agency.admin.expect(404, method, where, **options)
    assert (await agency.admin.expect(200, "GET", sample.path))["items"] == []
    page = await agency.admin.expect(200, "GET", sample.path, params={"include_deleted": True})
    assert [(item["id"], item["deleted_at"] is None) for item in page["items"]] == [(made["id"], False)]
    assert len(await audit_of(admin_connection, made["id"])) == 2


@restored
async def test_restoring_brings_back_what_was_deleted(
    agency: Agency, admin_connection: asyncpg.Connection, sample: Sample
) -> None:
    made = await sample.add(agency.admin)
    path = f"{sample.path}/{made['id']}"
    await agency.admin.expect(204, "DELETE", path, params={"version": 1})
    await agency.admin.expect(409, "POST", f"{path}/restore", json={"version": 1})
    await agency.admin.expect(404, "GET", path)
    back = await agency.admin.expect(200, "POST", f"{path}/restore", json={"version": 2})
    assert back == {**made, "version": 3, "updated_at": back["updated_at"]}
    events = await audit_of(admin_connection, made["id"])
    assert [event["action"].split(".")[1] for event in events] == ["created", "deleted", "restored"]


@restored_by_name
async def test_a_name_that_is_taken_keeps_a_record_deleted(agency: Agency, sample: Sample) -> None:
    made = await sample.add(agency.admin)
    path = f"{sample.path}/{made['id']}"
    await agency.admin.expect(204, "DELETE", path, params={"version": 1})
    successor = await sample.add(agency.admin, **{sample.name: made[sample.name]})
    refused = await agency.admin.expect(409, "POST", f"{path}/restore", json={"version": 2})
    assert refused["error"]["code"] == "ALREADY_EXISTS"
    assert refused["error"]["details"] == {"field": sample.name}
    await agency.admin.expect(404, "GET", path)
    await agency.admin.expect(204, "DELETE", f"{sample.path}/{successor['id']}", params={"version": 1})
    back = await agency.admin.expect(200, "POST", f"{path}/restore", json={"version": 2})
    assert (back["version"], back["deleted_at"]) == (3, None)


@pytest.mark.parametrize("sample", MOVED, ids=str)
async def test_moving_is_audited_with_its_reason(
    agency: Agency, admin_connection: asyncpg.Connection, sample: Sample
) -> None:
    made = await sample.add(agency.admin)
    path = f"{sample.path}/{made['id']}/transitions"
    assert sample.action in made["allowed_actions"]
    seen = await agency.medic.expect(200, "GET", f"{sample.path}/{made['id']}")
    assert seen["allowed_actions"] == []
    await agency.admin.expect(409, "POST", path, json={"action": sample.action, "version": 2})
    body = {"action": sample.action, "version": 1, "reason": "Brakes"}
    moved = await agency.admin.expect(200, "POST", path, json=body)
    assert moved["status"] != made["status"]
    refused = await agency.admin.expect(409, "POST", path, json=body | {"version": 2})
    assert refused["error"]["code"] == "INVALID_TRANSITION"
    events = await audit_of(admin_connection, made["id"])
    assert events[-1]["metadata_json"] == {
        "action": sample.action,
        "from": made["status"],
        "to": moved["status"],
        "reason": "Brakes",
    }


@unique
async def test_one_name_once(agency: Agency, found: Callable[[], Awaitable[Agency]], sample: Sample) -> None:
    made = await sample.add(agency.admin)
    again = sample.fresh() | {sample.name: made[sample.name]}
    refused = await agency.admin.expect(409, "POST", sample.path, json=again)
    assert refused["error"]["code"] == "ALREADY_EXISTS"
    assert refused["error"]["details"] == {"field": sample.name}
    page = await agency.admin.expect(200, "GET", sample.path)
    assert [item["id"] for item in page["items"]] == [made["id"]]
    others = await found()
    await others.admin.expect(201, "POST", sample.path, json=again)


@unique
async def test_of_many_equal_creations_at_once_one_is_stored(
    agency: Agency, admin_connection: asyncpg.Connection, sample: Sample
) -> None:
    body = sample.fresh()
    answers = await asyncio.gather(*(agency.admin.post(sample.path, json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    stored = await admin_connection.fetch(
        f"SELECT id FROM {sample.kind.entity.__tablename__} WHERE tenant_id = $1", agency.tenant_id
    )
    assert len(stored) == 1 and len(await audit_of(admin_connection, stored[0]["id"])) == 1


@revised
async def test_of_many_equal_versions_one_wins(agency: Agency, sample: Sample) -> None:
    made = await sample.add(agency.admin)
    path = f"{sample.path}/{made['id']}"
    answers = await asyncio.gather(*(agency.admin.patch(path, json={"version": 1, **sample.change}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]


@every
async def test_another_agencys_id_is_nothing(
    agency: Agency,
    found: Callable[[], Awaitable[Agency]],
    admin_connection: asyncpg.Connection,
    sample: Sample,
) -> None:
    made = await sample.add(agency.admin)
    others = await found()
    before = await checksum(admin_connection, agency.tenant_id)
    calls: list[tuple[str, str, dict[str, Any]]] = [("GET", "", {})]
    if sample in REVISED:
        calls.append(("PATCH", "", {"json": {"version": 1, **sample.change}}))
    if sample in DELETED:
        calls.append(("DELETE", "", {"params": {"version": 1}}))
    if sample in RESTORED:
        calls.append(("POST", "/restore", {"json": {"version": 1}}))
    if sample in MOVED:
        calls.append(("POST", "/transitions", {"json": {"version": 1, "action": sample.action}}))
    for method, suffix, options in calls:
        foreign = await others.admin.expect(404, method, f"{sample.path}/{made['id']}{suffix}", **options)
        random = await others.admin.expect(404, method, f"{sample.path}/{uuid.uuid4()}{suffix}", **options)
        assert without_trace(foreign) == without_trace(random)
    assert (await others.admin.expect(200, "GET", sample.path))["items"] == []
    assert await checksum(admin_connection, agency.tenant_id) == before


@every
async def test_only_keepers_write(agency: Agency, admin_connection: asyncpg.Connection, sample: Sample) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    assert "admin" in sample.keepers and "medic" not in sample.keepers
    for name in ROLES:
        if name not in sample.keepers:
            await agency.actors[name].expect(403, "POST", sample.path, json=sample.fresh())
    assert await checksum(admin_connection, agency.tenant_id) == before


@every
async def test_only_keepers_correct_and_delete(
    agency: Agency, admin_connection: asyncpg.Connection, sample: Sample
) -> None:
    path = f"{sample.path}/{(await sample.add(agency.admin))['id']}"
    before = await checksum(admin_connection, agency.tenant_id)
    for name in ROLES:
        if name in sample.keepers:
            continue
        if sample in REVISED:
            await agency.actors[name].expect(403, "PATCH", path, json={"version": 1, **sample.change})
        if sample in DELETED:
            await agency.actors[name].expect(403, "DELETE", path, params={"version": 1})
        if sample in RESTORED:
            await agency.actors[name].expect(403, "POST", f"{path}/restore", json={"version": 1})
    assert await checksum(admin_connection, agency.tenant_id) == before


@every
async def test_filters_select(agency: Agency, sample: Sample) -> None:
    made = await sample.add(agency.admin)
    for name in sample.kind.filters:
        if made[name] is None:
            continue
        found = await agency.admin.expect(200, "GET", sample.path, params={name: made[name]})
        assert [item["id"] for item in found["items"]] == [made["id"]], name
        if name == sample.name and sample.unique:
            none = await agency.admin.expect(200, "GET", sample.path, params={name: "nothing of that name"})
            assert none["items"] == []


@deleted
async def test_deleted_ones_are_for_keepers(agency: Agency, sample: Sample) -> None:
    await agency.medic.expect(403, "GET", sample.path, params={"include_deleted": True})


async def test_pages_follow_one_another(agency: Agency) -> None:
    made = [(await VEHICLE.add(agency.admin))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < 5:
        params = {"limit": 2, "sort": "created_at", **({} if cursor is None else {"cursor": cursor})}
        page = await agency.medic.expect(200, "GET", VEHICLE.path, params=params)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (made, None)


@pytest.mark.parametrize(
    ("sample", "field"), [(PERSON, "user_id"), (ASSET, "station_id"), (ASSET, "vehicle_id")], ids=str
)
async def test_references_name_what_is_there(
    agency: Agency,
    found: Callable[[], Awaitable[Agency]],
    admin_connection: asyncpg.Connection,
    sample: Sample,
    field: str,
) -> None:
    async def referred(someone: Agency) -> str:
        if field == "user_id":
            return str((await someone.medic.expect(200, "GET", "auth/me"))["id"])
        return str((await (STATION if field == "station_id" else VEHICLE).add(someone.admin))["id"])

    made = await sample.add(agency.admin, **{field: await referred(agency)})
    assert made[field] is not None
    foreign = await referred(await found())
    before = await checksum(admin_connection, agency.tenant_id)
    bodies = []
    for wrong in (foreign, str(uuid.uuid4())):
        refused = await agency.admin.expect(422, "POST", sample.path, json=sample.fresh(**{field: wrong}))
        bodies.append(without_trace(refused))
        if sample in REVISED:
            path = f"{sample.path}/{made['id']}"
            await agency.admin.expect(422, "PATCH", path, json={"version": 1, field: wrong})
    assert bodies[0] == bodies[1]
    assert [problem["field"] for problem in bodies[0]["error"]["details"]["problems"]] == [field]
    assert await checksum(admin_connection, agency.tenant_id) == before


async def test_a_deleted_vehicle_takes_no_assets(agency: Agency) -> None:
    vehicle = await VEHICLE.add(agency.admin)
    await agency.admin.expect(204, "DELETE", f"{VEHICLE.path}/{vehicle['id']}", params={"version": 1})
    await agency.admin.expect(422, "POST", ASSET.path, json=ASSET.fresh(vehicle_id=vehicle["id"]))


async def test_nothing_comes_back_to_a_station_that_is_gone(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    station = await STATION.add(agency.admin)
    asset = await ASSET.add(agency.admin, station_id=station["id"])
    path = f"{ASSET.path}/{asset['id']}"
    await agency.admin.expect(204, "DELETE", path, params={"version": 1})
    await agency.admin.expect(204, "DELETE", f"{STATION.path}/{station['id']}", params={"version": 1})
    before = await checksum(admin_connection, agency.tenant_id)
    refused = await agency.admin.expect(422, "POST", f"{path}/restore", json={"version": 2})
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == ["station_id"]
    assert await checksum(admin_connection, agency.tenant_id) == before
    await agency.admin.expect(200, "POST", f"{STATION.path}/{station['id']}/restore", json={"version": 2})
    assert (await agency.admin.expect(200, "POST", f"{path}/restore", json={"version": 2}))["version"] == 3


async def test_an_asset_is_in_one_place(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    station, vehicle = await STATION.add(agency.admin), await VEHICLE.add(agency.admin)
    body = ASSET.fresh(station_id=station["id"], vehicle_id=vehicle["id"])
    refused = await agency.admin.expect(422, "POST", ASSET.path, json=body)
    assert [problem["code"] for problem in refused["error"]["details"]["problems"]] == ["two_places"]
    made = await ASSET.add(agency.admin, station_id=station["id"])
    before = await checksum(admin_connection, agency.tenant_id)
    move = {"version": 1, "vehicle_id": vehicle["id"]}
    await agency.admin.expect(422, "PATCH", f"{ASSET.path}/{made['id']}", json=move)
    assert await checksum(admin_connection, agency.tenant_id) == before
    moved = await agency.admin.expect(200, "PATCH", f"{ASSET.path}/{made['id']}", json=move | {"station_id": None})
    assert (moved["station_id"], moved["vehicle_id"]) == (None, vehicle["id"])


async def test_keys_and_integrations_are_for_admins_alone(agency: Agency) -> None:
    for path in (API_KEY.path, "integration-registry"):
        for name in ROLES:
            await agency.actors[name].expect(200 if name == "admin" else 403, "GET", path)
