"""Creating requests that are sent twice: one resource, the first answer, and another body refused."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import Response

from app.core.errors import IdempotencyKeyReused
from app.core.idempotency.creation import Creation
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.core.chart_api import ChartCreate
from tests.core.charts import Chart
from tests.core.evidence import audit_of, checksum, outbox_of
from tests.core.http.contract import expect_refusal
from tests.core.principals import principal_of
from tests.support.actors import Actor

CHARTS = "/api/v1/probe/charts"


def a_body(**values: Any) -> dict[str, Any]:
    return {"incident_id": str(uuid.uuid4()), "number": uuid.uuid4().hex, "patient_name": "Canary Quill", **values}


def key() -> str:
    return f"key-{uuid.uuid4().hex}"


async def create(actor: Actor, body: dict[str, Any], used: str | None = None) -> httpx.Response:
    return await actor.post(CHARTS, json=body, headers={} if used is None else {"Idempotency-Key": used})


async def count_charts(connection: asyncpg.Connection, tenant_id: uuid.UUID) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM probe.charts WHERE tenant_id = $1", tenant_id)
    return count


async def test_without_key_or_id_every_request_creates(
    medic: Actor, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    for _ in range(2):
        assert (await create(medic, a_body())).status_code == 201
    assert await count_charts(admin_connection, principal.tenant_id) == 2


async def test_same_key_and_body_is_the_first_result_with_the_first_status(
    medic: Actor, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    body, used = a_body(), key()
    first = await create(medic, body, used)
    before = await checksum(admin_connection, principal.tenant_id)
    again = [await create(medic, body, used) for _ in range(3)]
    assert first.status_code == 201
    assert [(answer.status_code, answer.json()) for answer in again] == [(201, first.json())] * 3
    assert await checksum(admin_connection, principal.tenant_id) == before
    made = uuid.UUID(first.json()["id"])
    assert len(await audit_of(admin_connection, made)) == len(await outbox_of(admin_connection, made)) == 1


async def test_spelling_of_the_body_does_not_matter(medic: Actor) -> None:
    body, used = a_body(charge="1.50"), key()
    first = await create(medic, body, used)
    respelt = orjson.dumps(dict(reversed(body.items())), option=orjson.OPT_INDENT_2).replace(b'"1.50"', b'"1.50" ')
    headers = {"Idempotency-Key": used, "Content-Type": "application/json; charset=utf-8"}
    again = await medic.post(CHARTS, content=respelt, headers=headers)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


async def test_replay_shows_the_resource_as_it_stands_now(medic: Actor) -> None:
    body, used = a_body(), key()
    made = (await create(medic, body, used)).json()
    await medic.expect(200, "PATCH", f"{CHARTS}/{made['id']}", json={"version": 1, "number": "changed"})
    again = (await create(medic, body, used)).json()
    assert (again["id"], again["version"], again["number"]) == (made["id"], 2, "changed")


@pytest.mark.parametrize(
    "change", [{"number": "other"}, {"charge": "1.00"}, {"vitals": {}}, {"patient_name": "Canary"}]
)
async def test_same_key_and_another_body_is_refused(
    medic: Actor, principal: Principal, admin_connection: asyncpg.Connection, change: dict[str, Any]
) -> None:
    body, used = a_body(), key()
    await create(medic, body, used)
    before = await checksum(admin_connection, principal.tenant_id)
    expect_refusal(await create(medic, {**body, **change}, used), 409, "IDEMPOTENCY_KEY_REUSED")
    assert await checksum(admin_connection, principal.tenant_id) == before


async def test_same_key_on_another_route_is_refused(charts: None, runtime: Runtime, principal: Principal) -> None:
    given = ChartCreate.model_validate_json(orjson.dumps(a_body()))
    used = key()
    async with runtime.unit_of_work(principal) as uow:
        first = await Creation(Response(), "/api/v1/one", used).reserve(uow, given)
    with pytest.raises(IdempotencyKeyReused):
        async with runtime.unit_of_work(principal) as uow:
            await Creation(Response(), "/api/v1/another", used).reserve(uow, given)
    async with runtime.unit_of_work(principal) as uow:
        again = await Creation(Response(), "/api/v1/one", used).reserve(uow, given)
    assert (first.repeated, again.repeated, again.entity_id) == (False, True, first.entity_id)


async def test_client_made_id_twice_with_the_same_body_is_200(
    medic: Actor, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    body = a_body(id=str(uuid.uuid4()))
    first = await create(medic, body)
    before = await checksum(admin_connection, principal.tenant_id)
    again = await create(medic, body)
    assert (first.status_code, first.json()["id"]) == (201, body["id"])
    assert (again.status_code, again.json()) == (200, first.json())
    assert await checksum(admin_connection, principal.tenant_id) == before


async def test_client_made_id_with_another_body_is_409(
    medic: Actor, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    body = a_body(id=str(uuid.uuid4()))
    await create(medic, body)
    before = await checksum(admin_connection, principal.tenant_id)
    expect_refusal(await create(medic, {**body, "number": "other"}), 409, "ID_TAKEN")
    assert await checksum(admin_connection, principal.tenant_id) == before


async def test_id_that_the_server_made_is_taken_too(medic: Actor, chart: Chart) -> None:
    expect_refusal(await create(medic, a_body(id=str(chart.id))), 409, "ID_TAKEN")


async def test_key_and_id_together(medic: Actor, principal: Principal, admin_connection: asyncpg.Connection) -> None:
    body, used = a_body(id=str(uuid.uuid4())), key()
    assert (await create(medic, body, used)).status_code == 201
    assert (await create(medic, body, used)).status_code == 201, "the key's replay: the first status"
    assert (await create(medic, body, key())).status_code == 200, "another key, the same id and body"
    assert (await create(medic, body)).status_code == 200
    expect_refusal(await create(medic, {**body, "id": str(uuid.uuid4())}, used), 409, "IDEMPOTENCY_KEY_REUSED")
    fresh = key()
    expect_refusal(await create(medic, {**body, "number": "other"}, fresh), 409, "ID_TAKEN")
    assert await count_charts(admin_connection, principal.tenant_id) == 1
    assert (await create(medic, a_body(), fresh)).status_code == 201, "a refused request does not use up its key"


@pytest.mark.parametrize("named", ["key", "id"])
async def test_fifty_at_once_make_one(
    medic: Actor, principal: Principal, admin_connection: asyncpg.Connection, named: str
) -> None:
    body = a_body(**({"id": str(uuid.uuid4())} if named == "id" else {}))
    used = key() if named == "key" else None
    at_a_time = asyncio.Semaphore(16)  # of the pool's twenty connections

    async def send() -> httpx.Response:
        async with at_a_time:
            return await create(medic, body, used)

    answers = await asyncio.gather(*(send() for _ in range(50)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == ([201] * 50 if named == "key" else [200] * 49 + [201])
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count_charts(admin_connection, principal.tenant_id) == 1
    made = uuid.UUID(answers[0].json()["id"])
    assert len(await audit_of(admin_connection, made)) == len(await outbox_of(admin_connection, made)) == 1


async def test_failure_of_the_first_lets_the_second_create(medic: Actor, chart: Chart) -> None:
    """Key and resource are stored together: a key without its resource would swallow the retry."""
    body, used = a_body(number=chart.number), key()
    expect_refusal(await create(medic, body, used), 409, "ALREADY_EXISTS")
    await medic.expect(200, "PATCH", f"{CHARTS}/{chart.id}", json={"version": 1, "number": "made way"})
    again = await create(medic, body, used)
    assert (again.status_code, again.json()["number"]) == (201, chart.number)


async def test_second_waits_for_the_first_and_creates_when_that_rolls_back(
    charts: None, runtime: Runtime, principal: Principal
) -> None:
    given = ChartCreate.model_validate_json(orjson.dumps(a_body()))
    used = key()
    claimed, give_up = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with runtime.unit_of_work(principal) as uow:
            assert not (await Creation(Response(), "/x", used).reserve(uow, given)).repeated
            claimed.set()
            await give_up.wait()
            raise ZeroDivisionError

    async def second() -> bool:
        async with runtime.unit_of_work(principal) as uow:
            return (await Creation(Response(), "/x", used).reserve(uow, given)).repeated

    holding = asyncio.create_task(first())
    await claimed.wait()
    waiting = asyncio.create_task(second())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    give_up.set()
    assert await waiting is False
    with pytest.raises(ZeroDivisionError):
        await holding


async def test_keys_and_bodies_of_two_tenants_do_not_meet(
    medic: Actor,
    principal: Principal,
    new_tenant: Callable[[], Awaitable[TenantId]],
    sign_in: Callable[[Principal], Actor],
    admin_connection: asyncpg.Connection,
) -> None:
    other = principal_of(await new_tenant())
    body, used = a_body(), key()
    mine = await create(medic, body, used)
    theirs = await create(sign_in(other), body, used)
    different = await create(sign_in(other), a_body(), key())
    assert [answer.status_code for answer in (mine, theirs, different)] == [201] * 3
    assert mine.json()["id"] != theirs.json()["id"]
    assert await count_charts(admin_connection, principal.tenant_id) == 1
    assert await count_charts(admin_connection, other.tenant_id) == 2


async def test_replay_of_what_was_deleted_since_is_404(medic: Actor, admin_connection: asyncpg.Connection) -> None:
    body, used = a_body(), key()
    made = await create(medic, body, used)
    await admin_connection.execute(
        "UPDATE probe.charts SET deleted_at = now() WHERE id = $1", uuid.UUID(made.json()["id"])
    )
    expect_refusal(await create(medic, body, used), 404, "NOT_FOUND")


@pytest.mark.parametrize("used", ["", " ", "a b", "x" * 256, "é", "tab\there", "\x7f"])
async def test_key_of_another_form_is_422(medic: Actor, used: str) -> None:
    answer = await medic.post(CHARTS, json=a_body(), headers={b"idempotency-key": used.encode()})
    expect_refusal(answer, 422, "VALIDATION_FAILED")


async def test_nothing_of_the_body_is_kept_with_the_key(
    medic: Actor, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    await create(medic, a_body(id=str(new_id())), key())
    rows = await admin_connection.fetch("SELECT * FROM idempotency_keys WHERE tenant_id = $1", principal.tenant_id)
    assert len(rows) == 2 and all(len(row["fingerprint"]) == 32 for row in rows)
    assert "Canary" not in str([dict(row) for row in rows])
