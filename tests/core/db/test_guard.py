"""No write to an audited table but through uow.change(): not by the session, nor Core, nor text, nor `fetch`."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from app.core.audit.models import AuditEvent
from app.core.db.entity import Base, SealedEntityError, TenantEntity
from app.core.db.guard import audited_tables
from app.core.db.sql import CompiledStatement
from app.core.db.uow import UnitOfWork
from app.core.errors import ServiceUnavailable
from app.core.ids import new_id
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.users.models import User
from tests.core.charts import Chart, ChartAction, ChartRepository
from tests.core.evidence import checksum

_users: Any = User.__table__
_charts: Any = Chart.__table__
_audit: Any = AuditEvent.__table__

STATEMENTS = {
    "insert": sa.insert(_users).values(id=new_id(), tenant_id=new_id(), email="a@b.example"),
    "insert from select": sa.insert(_users).from_select(["id"], sa.select(_users.c.id)),
    "upsert": upsert(_users).values(id=new_id()).on_conflict_do_update(index_elements=["id"], set_={"email": "x"}),
    "update": sa.update(_users).values(display_name="x"),
    "update of the class": sa.update(User).values(display_name="x"),
    "delete": sa.delete(_users),
    "update in a CTE": sa.select(sa.update(_users).values(display_name="x").returning(_users.c.id).cte("written").c.id),
    "delete in a nested CTE": sa.select(
        sa.select(sa.delete(_charts).returning(_charts.c.id).cte("gone").c.id).cte("outer").c.id
    ),
    "CTE that nothing selects from": sa.select(sa.literal(1)).add_cte(sa.delete(_users).cte("gone")),
}
TEXTS = [
    "INSERT INTO users (id) VALUES (gen_random_uuid())",
    "insert\n  into\n\tusers (id) values (gen_random_uuid())",
    'INSERT INTO public."users" (id) VALUES (gen_random_uuid())',
    "UPDATE users SET display_name = 'x'",
    "UPDATE ONLY users SET display_name = 'x'",
    'update "public"."users" set display_name = \'x\'',
    "DELETE FROM users",
    "delete from only public.users",
    "WITH w AS (UPDATE users SET display_name = 'x' RETURNING id) SELECT id FROM w",
    "MERGE INTO users USING tenants ON false WHEN NOT MATCHED THEN DO NOTHING",
    "TRUNCATE users",
    "TRUNCATE TABLE ONLY users CASCADE",
    "TRUNCATE outbox_deliveries, users",
    "UPDATE/**/users SET display_name = 'x'",
    "UPDATE -- why not\n users SET display_name = 'x'",
    "COPY users FROM STDIN",
    "UPDATE probe.charts SET number = 'x'",
]


async def try_in_session(runtime: Runtime, principal: Principal, statement: Any) -> None:
    async with runtime.unit_of_work(principal) as uow:
        await (await uow.session()).execute(statement)


@pytest.fixture
async def untouched(chart: Chart, principal: Principal, admin_connection: asyncpg.Connection) -> Any:
    """Whatever the test tries, no row, audit event or outbox event comes of it."""
    before = await checksum(admin_connection, principal.tenant_id)
    yield
    assert await checksum(admin_connection, principal.tenant_id) == before


def test_every_mapped_tenant_entity_is_guarded() -> None:
    entities = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantEntity)]
    mapped = {entity.__tablename__ for entity in entities}
    assert {"tenants", "users", "charts"} <= mapped
    assert mapped == audited_tables()


@pytest.mark.parametrize("name", STATEMENTS)
async def test_session_refuses_constructs(untouched: None, runtime: Runtime, principal: Principal, name: str) -> None:
    with pytest.raises(SealedEntityError):
        await try_in_session(runtime, principal, STATEMENTS[name])


@pytest.mark.parametrize("text", TEXTS)
async def test_session_refuses_text(untouched: None, runtime: Runtime, principal: Principal, text: str) -> None:
    with pytest.raises(SealedEntityError):
        await try_in_session(runtime, principal, sa.text(text))


@pytest.mark.parametrize("text", TEXTS)
async def test_connection_of_the_session_refuses_driver_sql(
    untouched: None, runtime: Runtime, principal: Principal, text: str
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        connection = await (await uow.session()).connection()
        with pytest.raises(SealedEntityError):
            await connection.exec_driver_sql(text)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_fetch_refuses_writes(untouched: None, runtime: Runtime, principal: Principal, name: str) -> None:
    statement = CompiledStatement(STATEMENTS[name])
    async with runtime.unit_of_work(principal) as uow:
        with pytest.raises(SealedEntityError):
            await uow.fetch(statement, {})
        with pytest.raises(SealedEntityError):
            await uow.fetch_row(statement, {})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM users FOR UPDATE",
        "SELECT id FROM users FOR UPDATE OF users NOWAIT",
        "SELECT id FROM users FOR NO KEY UPDATE OF users SKIP LOCKED",
        "SELECT updated_at FROM users WHERE email <> 'x' -- truncated",
    ],
)
async def test_reading_and_locking_are_not_writes(runtime: Runtime, principal: Principal, text: str) -> None:
    async with runtime.unit_of_work(principal) as uow:
        assert (await (await uow.session()).execute(sa.text(text))).all() == []


async def test_system_role_may_write_receipts_and_nothing_else_that_is_audited(runtime: Runtime) -> None:
    async with runtime.system_unit_of_work() as system:
        with pytest.raises(SealedEntityError):
            await system.fetch(CompiledStatement(sa.update(_users).values(display_name="x")), {})


async def test_engine_of_the_pool_refuses_a_connection_of_its_own(
    untouched: None, runtime: Runtime, principal: Principal
) -> None:
    """`engine.connect()` is banned by lint; where somebody calls it all the same, the guard still stands."""
    async with runtime.database.engine.connect() as connection:
        with pytest.raises(SealedEntityError):
            await connection.execute(sa.update(_users).values(display_name="x"))
        with pytest.raises(SealedEntityError):
            await connection.exec_driver_sql("UPDATE users SET display_name = 'x'")


async def test_added_entity_cannot_be_flushed(untouched: None, runtime: Runtime, principal: Principal) -> None:
    async with runtime.unit_of_work(principal) as uow:
        session = await uow.session()
        session.add(_user(principal))
        with pytest.raises(SealedEntityError):
            await session.flush()
        session.expunge_all()


async def test_added_entity_refuses_the_commit(untouched: None, runtime: Runtime, principal: Principal) -> None:
    """Nobody flushed; the commit of the unit of work must not let it pass, nor what was changed beside it."""
    with pytest.raises(SealedEntityError):
        async with runtime.unit_of_work(principal) as uow:
            await uow.create(
                Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number="added"), ChartAction.OPENED
            )
            (await uow.session()).add(_user(principal))


async def test_deleting_a_loaded_entity_is_refused(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(SealedEntityError):
        async with runtime.unit_of_work(principal) as uow:
            session = await uow.session()
            loaded = (await session.scalars(sa.select(Chart).where(Chart.id == chart.id))).one()
            await session.delete(loaded)


async def test_swallowed_refusal_stores_nothing(untouched: None, runtime: Runtime, principal: Principal) -> None:
    async with runtime.unit_of_work(principal) as uow:
        session = await uow.session()
        for statement in STATEMENTS.values():
            with pytest.raises(SealedEntityError):
                await session.execute(statement)


@pytest.mark.parametrize("write", ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events"])
async def test_audit_log_is_beyond_the_app_role(
    untouched: None, runtime: Runtime, principal: Principal, write: str
) -> None:
    """Not an entity, so no guard: the database itself refuses."""
    uow: UnitOfWork
    with pytest.raises((sa.exc.ProgrammingError, ServiceUnavailable)):
        async with runtime.unit_of_work(principal) as uow:
            await (await uow.session()).execute(sa.text(write))


async def test_mutation_outside_a_change_block_cannot_be_committed(
    untouched: None, runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    """Around the seal, by the back door of the instance's dict: nothing writes it."""
    async with runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        loaded.__dict__["number"] = "smuggled"
        session = await uow.session()
        found = (await session.scalars(sa.select(Chart).where(Chart.id == chart.id))).one()
        found.__dict__["number"] = "smuggled"
        await session.flush()
    assert await admin_connection.fetchval("SELECT number FROM probe.charts WHERE id = $1", chart.id) == chart.number


def _user(principal: Principal) -> User:
    return User(
        tenant_id=principal.tenant_id, email="added@x.example", display_name="x", role=principal.role, password_hash="x"
    )
