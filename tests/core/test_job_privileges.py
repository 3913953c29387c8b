"""What somebody who speaks SQL as the app role can do to the queue: add sealed jobs of its own tenant, nothing else."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.ids import TenantId, new_id
from app.core.jobs.queue import Job, NotSealed, enqueue, run_job, sealed_content
from app.core.keys import Keyring
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.support.database import TestDatabase

ADD = "SELECT fusionems_enqueue_job($1, $2, $3, NULL, $4)"
QUEUE = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")


class Ran:
    def __init__(self, name: str | None = None) -> None:
        self.given: list[tuple[TenantId, dict[str, uuid.UUID]]] = []
        self.job = Job(name or f"probe.{uuid.uuid4().hex}", self)

    async def __call__(self, _: Runtime, principal: Principal, ids: dict[str, uuid.UUID]) -> None:
        self.given.append((principal.tenant_id, ids))


@pytest.fixture
def ran() -> Ran:
    return Ran()


@pytest.fixture
async def as_app(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the app role, in a transaction that is rolled back."""
    connection = await asyncpg.connect(database.app)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def as_tenant(connection: asyncpg.Connection, tenant_id: TenantId) -> None:
    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id))


async def payloads(admin: asyncpg.Connection, name: str) -> list[bytes]:
    return [row[0] for row in await admin.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", name)]


async def test_app_role_reads_and_writes_none_of_the_queue(
    runtime: Runtime, principal: Principal, ran: Ran, as_app: asyncpg.Connection, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        await enqueue(uow, ran.job, {"entity_id": new_id()})
    before = await payloads(admin_connection, ran.job.name)
    assert len(before) == 1
    await as_tenant(as_app, principal.tenant_id)
    columns = await admin_connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_name = ANY ($1)", list(QUEUE)
    )
    reads = [f"SELECT {column} FROM {table}" for table, column in columns]
    writes = [
        statement.format(table)
        for table in QUEUE
        for statement in ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}")
    ]
    copies = [f"COPY (SELECT count(*) FROM {table}) TO STDOUT" for table in QUEUE]
    sequences = [f"SELECT nextval('{table}_id_seq')" for table in QUEUE]
    for statement in (*reads, *writes, *copies, *sequences, f"SELECT * FROM {QUEUE[0]} FOR UPDATE"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_app.transaction():
                await as_app.execute(statement)
                pytest.fail(statement)
    assert await payloads(admin_connection, ran.job.name) == before


async def test_a_job_that_sql_alone_added_is_not_run(
    database: TestDatabase, runtime: Runtime, principal: Principal, ran: Ran, admin_connection: asyncpg.Connection
) -> None:
    """Whoever can make the service speak SQL has no seal, for any tenant."""
    connection = await asyncpg.connect(database.app)
    async with connection.transaction():
        await as_tenant(connection, principal.tenant_id)
        await connection.execute(ADD, ran.job.name, orjson.dumps({"entity_id": str(new_id())}).decode(), "00", None)
    await connection.close()
    [content] = await payloads(admin_connection, ran.job.name)
    with pytest.raises(NotSealed):
        await run_job(runtime, ran.job, content)
    assert ran.given == []


async def test_a_seal_is_good_for_its_kind_its_tenant_and_its_ids_alone(
    runtime: Runtime, principal: Principal, ran: Ran, new_tenant: Callable[[], Awaitable[TenantId]]
) -> None:
    entity_id, other = new_id(), await new_tenant()
    content = sealed_content(runtime.keys.seal, ran.job, principal.tenant_id, {"entity_id": entity_id})
    foreign_key = sealed_content(Keyring(bytes(32)).seal, ran.job, principal.tenant_id, {"entity_id": entity_id})
    altered: list[dict[str, Any]] = [
        content | {"tenant_id": str(other)},
        content | {"entity_id": str(new_id())},
        content | {"more": str(new_id())},
        {name: value for name, value in content.items() if name != "entity_id"},
        {name: value for name, value in content.items() if name != "seal"},
        content | {"seal": content["seal"][:-1]},
        content | {"seal": None},
        foreign_key,
    ]
    for wrong in altered:
        with pytest.raises(NotSealed):
            await run_job(runtime, ran.job, orjson.dumps(wrong))
    with pytest.raises(NotSealed):
        await run_job(runtime, Ran().job, orjson.dumps(content))
    assert ran.given == []
    await run_job(runtime, ran.job, orjson.dumps(content))
    assert ran.given == [(principal.tenant_id, {"entity_id": entity_id})]


async def test_the_database_takes_the_tenant_from_the_transaction(
    database: TestDatabase,
    runtime: Runtime,
    principal: Principal,
    ran: Ran,
    new_tenant: Callable[[], Awaitable[TenantId]],
    admin_connection: asyncpg.Connection,
) -> None:
    """A sealed job of one tenant that is added in another's transaction is that one's, and its seal is not good."""
    content = sealed_content(runtime.keys.seal, ran.job, await new_tenant(), {"entity_id": new_id()})
    seal = content.pop("seal")
    connection = await asyncpg.connect(database.app)
    async with connection.transaction():
        await as_tenant(connection, principal.tenant_id)
        await connection.execute(ADD, ran.job.name, orjson.dumps(content).decode(), seal, None)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(ADD, ran.job.name, orjson.dumps(content).decode(), seal, None)
    await connection.close()
    [added] = await payloads(admin_connection, ran.job.name)
    assert orjson.loads(added)["tenant_id"] == str(principal.tenant_id) != content["tenant_id"]
    with pytest.raises(NotSealed):
        await run_job(runtime, ran.job, added)
    assert ran.given == []


@pytest.mark.parametrize(
    "ids", ['{"name": "Rivers"}', '{"name": null}', '{"nested": {"name": "x"}}', '["x"]', '"x"', "7", "null"]
)
async def test_the_queue_takes_nothing_but_ids(
    as_app: asyncpg.Connection, principal: Principal, ran: Ran, ids: str
) -> None:
    await as_tenant(as_app, principal.tenant_id)
    with pytest.raises((asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)):
        async with as_app.transaction():
            await as_app.execute(ADD, ran.job.name, ids, "00", None)


async def test_one_tenants_dedupe_key_does_not_hold_up_another(
    runtime: Runtime,
    principal: Principal,
    ran: Ran,
    new_tenant: Callable[[], Awaitable[TenantId]],
    admin_connection: asyncpg.Connection,
) -> None:
    for tenant_id in (principal.tenant_id, await new_tenant()):
        for _ in range(2):
            async with runtime.unit_of_work(Principal.system(tenant_id)) as uow:
                await enqueue(uow, ran.job, {"entity_id": new_id()}, dedupe="same")
    found = [orjson.loads(content)["tenant_id"] for content in await payloads(admin_connection, ran.job.name)]
    assert len(found) == len(set(found)) == 2
