"""Tenant isolation with each other belt taken off: row-level security alone, keys alone, no context at all."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from app.core import repository
from app.core.db.plan import plan_of
from app.core.db.pool import ConnectionSource
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import NotFound
from app.core.ids import TenantId, new_id
from app.core.pagination import Paging
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.users.models import User
from app.core.users.repository import UserRepository
from tests.core.charts import Chart, ChartAction, ChartNote, ChartRepository
from tests.core.evidence import checksum, one, tenant_tables
from tests.core.principals import principal_of

Refused = asyncpg.InsufficientPrivilegeError


@pytest.fixture
async def other(new_tenant: Callable[[], Awaitable[TenantId]]) -> Principal:
    """Somebody of another tenant."""
    return principal_of(await new_tenant())


@pytest.fixture
async def foreign(charts: None, runtime: Runtime, other: Principal) -> Chart:
    made = Chart(tenant_id=other.tenant_id, incident_id=new_id(), number="theirs", patient_name="Canary Foreign")
    async with runtime.unit_of_work(other) as uow:
        await uow.create(made, ChartAction.OPENED)
    return made


@pytest.fixture
async def rows_of_two(
    charts: None, admin_connection: asyncpg.Connection
) -> AsyncIterator[tuple[uuid.UUID, uuid.UUID, list[str]]]:
    """One row of each of two tenants in every tenant table of the catalogue, in a transaction that is rolled back.

    Constraints are dropped for it, so that the test need not know what a valid row of each table is.
    """
    tables = await tenant_tables(admin_connection)
    assert {"tenants", "users", "audit_events", "chart_revisions", "probe.charts"} <= set(tables)
    mine, theirs = new_id(), new_id()
    transaction = admin_connection.transaction()
    await transaction.start()
    await admin_connection.execute("SET LOCAL session_replication_role = replica")  # no foreign keys, no triggers
    for table in tables:
        await _drop_checks(admin_connection, table)
        for tenant in (mine, theirs):
            await admin_connection.execute(await insertion(admin_connection, table), tenant)
    await admin_connection.execute("SET LOCAL session_replication_role = origin")
    yield mine, theirs, tables
    await transaction.rollback()


async def _drop_checks(connection: asyncpg.Connection, table: str) -> None:
    checks = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'c'", table
    )
    columns = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND attnotnull"
        " AND attidentity = '' AND attname <> ALL($2)",
        table,
        [row["attname"] for row in await _key(connection, table)],
    )
    changes = [f"DROP CONSTRAINT {row['conname']}" for row in checks]
    changes += [f"ALTER COLUMN {row['attname']} DROP NOT NULL" for row in columns]
    if changes:
        await connection.execute(f"ALTER TABLE {table} {', '.join(changes)}")


async def _key(connection: asyncpg.Connection, table: str) -> list[Any]:
    """The columns of the primary key."""
    return list(
        await connection.fetch(
            "SELECT attname, attidentity <> '' AS generated, format_type(atttypid, atttypmod) AS type"
            " FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)"
            " WHERE indrelid = $1::text::regclass AND indisprimary",
            table,
        )
    )


async def insertion(connection: asyncpg.Connection, table: str) -> str:
    """The statement that inserts a row of the tenant $1, with any key."""
    key = [row for row in await _key(connection, table) if row["attname"] != "tenant_id" and not row["generated"]]
    names = "".join(f", {row['attname']}" for row in key)
    values = "".join(f", gen_random_uuid()::{row['type']}" for row in key)
    return f"INSERT INTO {table} (tenant_id{names}) VALUES ($1{values})"


@contextlib.asynccontextmanager
async def acting_as(connection: asyncpg.Connection, role: str, tenant: str | None) -> AsyncIterator[None]:
    """A savepoint as `role` with `tenant` in the context; None leaves the context unset."""
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"SET LOCAL ROLE {role}")
    if tenant is not None:
        await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
    try:
        yield
    finally:
        await transaction.rollback()


async def attempt(connection: asyncpg.Connection, statement: str, *arguments: Any) -> str:
    """The command tag, or "refused" (42501)."""
    try:
        async with connection.transaction():
            return await connection.execute(statement, *arguments)
    except Refused:
        return "refused"


async def visible(connection: asyncpg.Connection, table: str) -> set[uuid.UUID]:
    return {row[0] for row in await connection.fetch(f"SELECT tenant_id FROM {table}")}


@pytest.mark.parametrize("context", [None, ""])
async def test_without_a_tenant_there_are_no_rows_and_no_writes(
    rows_of_two: tuple[uuid.UUID, uuid.UUID, list[str]], admin_connection: asyncpg.Connection, context: str | None
) -> None:
    mine, _, tables = rows_of_two
    for table in tables:
        insert = await insertion(admin_connection, table)
        async with acting_as(admin_connection, "fusionems_app", context):
            assert await visible(admin_connection, table) == set(), table
            assert await attempt(admin_connection, insert, mine) == "refused", table
            assert await attempt(admin_connection, insert, None) == "refused", table
            update = f"UPDATE {table} SET tenant_id = tenant_id"
            assert await attempt(admin_connection, update) in ("UPDATE 0", "refused"), table


async def test_garbage_for_a_tenant_is_an_error_or_nothing(
    rows_of_two: tuple[uuid.UUID, uuid.UUID, list[str]], admin_connection: asyncpg.Connection
) -> None:
    for table in rows_of_two[2]:
        async with acting_as(admin_connection, "fusionems_app", "not a uuid"):
            with pytest.raises(asyncpg.InvalidTextRepresentationError):
                async with admin_connection.transaction():
                    await visible(admin_connection, table)


async def test_app_role_sees_and_writes_its_own_tenant_only(
    rows_of_two: tuple[uuid.UUID, uuid.UUID, list[str]], admin_connection: asyncpg.Connection
) -> None:
    mine, theirs, tables = rows_of_two
    for table in tables:
        insert = await insertion(admin_connection, table)
        async with acting_as(admin_connection, "fusionems_app", str(mine)):
            assert await visible(admin_connection, table) == {mine}, table
            assert await attempt(admin_connection, insert, theirs) == "refused", table
            assert await attempt(admin_connection, insert, None) == "refused", table
            steal = f"UPDATE {table} SET tenant_id = $1 WHERE tenant_id = $2"
            assert await attempt(admin_connection, steal, theirs, mine) == "refused", table
            assert await attempt(admin_connection, steal, mine, theirs) in ("UPDATE 0", "refused"), table


@pytest.mark.parametrize("role", ["fusionems_app", "fusionems_system"])
async def test_nobody_deletes_or_truncates(
    rows_of_two: tuple[uuid.UUID, uuid.UUID, list[str]], admin_connection: asyncpg.Connection, role: str
) -> None:
    mine, _, tables = rows_of_two
    for table in tables:
        async with acting_as(admin_connection, role, str(mine)):
            assert await attempt(admin_connection, f"DELETE FROM {table}") == "refused", table
            assert await attempt(admin_connection, f"TRUNCATE {table} CASCADE") == "refused", table


async def test_system_role_sees_all_tenants_where_it_sees_anything(
    rows_of_two: tuple[uuid.UUID, uuid.UUID, list[str]], admin_connection: asyncpg.Connection
) -> None:
    mine, theirs, tables = rows_of_two
    seen = set()
    for table in tables:
        async with acting_as(admin_connection, "fusionems_system", None):
            if await attempt(admin_connection, f"SELECT FROM {table}") != "refused":
                seen.add(table)
                assert {mine, theirs} <= await visible(admin_connection, table), table
    assert {"tenants", "users", "outbox_events", "webhook_receipts"} <= seen
    assert not seen & {"audit_events", "chart_revisions", "idempotency_keys", "outbox_deliveries", "probe.charts"}


async def test_owner_sees_every_row(
    rows_of_two: tuple[uuid.UUID, uuid.UUID, list[str]], admin_connection: asyncpg.Connection
) -> None:
    """FORCE hides rows from the owner too: without its own policy a data migration would change nothing, silently."""
    mine, theirs, tables = rows_of_two
    for table in tables:
        async with acting_as(admin_connection, "fusionems_owner", None):
            assert {mine, theirs} <= await visible(admin_connection, table), table


@pytest.fixture
def no_application_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement of the repository loses its condition on the tenant."""
    for entity in (Chart, User):
        plan: Any = plan_of(entity)
        table = plan.table

        def unscoped(*, including_deleted: bool = False, _table: Any = table) -> sa.Select[Any]:
            return sa.select(*_table.c).where(_table.c.id == sa.bindparam("id", type_=_table.c.id.type))

        monkeypatch.setattr(plan, "select_by_id", unscoped)
        monkeypatch.setattr(plan, "by_id", CompiledStatement(unscoped()))
        update = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("id", type_=table.c.id.type))
            .values(version=table.c.version + 1)
            .returning(*plan._returned())
        )
        monkeypatch.setattr(plan, "_updates", {(): CompiledStatement(plan._with_records(update))})
    monkeypatch.setattr(repository, "_STATEMENTS", {})
    scoped = repository.Repository._selected

    def unscoped_list(self: Any, *arguments: Any, **options: Any) -> Any:
        query: Any = scoped(self, *arguments, **options)
        kept = [clause for clause in query._where_criteria if "tenant_id" not in str(clause)]
        query._where_criteria = tuple(kept)
        return query

    monkeypatch.setattr(repository.Repository, "_selected", unscoped_list)


async def test_row_level_security_holds_without_the_repository_filter(
    no_application_filter: None, runtime: Runtime, principal: Principal, chart: Chart, foreign: Chart, other: Principal
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        charts = ChartRepository(uow)
        assert (await charts.get(principal.tenant_id, chart.id)).id == chart.id, "the unscoped statement works"
        for read in (charts.get, charts.get_for_update, charts.get_for_share, charts.get_including_deleted):
            with pytest.raises(NotFound):
                await read(other.tenant_id, foreign.id)
        page = await charts.list_page(other.tenant_id, Paging(limit=200))
        assert [found.id for found in page.items] == [chart.id]
        assert [found.id for found in await charts.list_all(other.tenant_id)] == [chart.id]
        everybody = await UserRepository(uow).list_page(other.tenant_id, Paging(limit=200))
        assert {user.tenant_id for user in everybody.items} <= {principal.tenant_id}


async def test_foreign_entity_cannot_be_changed_even_when_it_lies_about_its_tenant(
    no_application_filter: None,
    runtime: Runtime,
    principal: Principal,
    foreign: Chart,
    admin_connection: asyncpg.Connection,
) -> None:
    tenants = (foreign.tenant_id, principal.tenant_id)
    before = [await checksum(admin_connection, tenant) for tenant in tenants]
    foreign.__dict__["tenant_id"] = principal.tenant_id
    with pytest.raises(NotFound):
        async with runtime.unit_of_work(principal) as uow, uow.change(foreign, ChartAction.REVISED):
            foreign.patient_name = "stolen"
    assert [await checksum(admin_connection, tenant) for tenant in tenants] == before


async def test_scoped_repository_finds_nothing_of_another_tenant(
    runtime: Runtime, principal: Principal, foreign: Chart, other: Principal
) -> None:
    """Asked for another tenant in so many words, and asked for a foreign id."""
    async with runtime.read_unit_of_work(principal) as uow:
        charts = ChartRepository(uow)
        assert await charts.find(principal.tenant_id, foreign.id) is None
        assert await charts.find(other.tenant_id, foreign.id) is None
        assert (await charts.list_page(other.tenant_id, Paging(limit=10))).items == []


async def test_repository_filter_holds_without_row_level_security(
    runtime: Runtime, principal: Principal, chart: Chart, foreign: Chart, owner: ConnectionSource
) -> None:
    """As the owner, whose policy shows every row: the application's own condition is all there is."""
    async with ReadUnitOfWork(owner, principal) as uow:
        row = await uow.fetch_row(CompiledStatement(sa.text("SELECT current_user")), {})
        assert row[0] == "fusionems_owner"
        charts = ChartRepository(uow)
        assert await charts.find(principal.tenant_id, foreign.id) is None
        assert [found.id for found in (await charts.list_page(principal.tenant_id, Paging(limit=50))).items] == [
            chart.id
        ]


async def test_composite_key_refuses_a_reference_across_tenants(
    runtime: Runtime, principal: Principal, chart: Chart, foreign: Chart, admin_connection: asyncpg.Connection
) -> None:
    """Foreign keys bypass row-level security: with the id alone, this reference would be stored."""
    async with runtime.unit_of_work(principal) as uow:
        await uow.create(
            ChartNote(tenant_id=principal.tenant_id, chart_id=chart.id, text="canary"), ChartAction.REVISED
        )
    before = await checksum(admin_connection, principal.tenant_id)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with runtime.unit_of_work(principal) as uow:
            await uow.create(
                ChartNote(tenant_id=principal.tenant_id, chart_id=foreign.id, text="canary"), ChartAction.REVISED
            )
    assert await checksum(admin_connection, principal.tenant_id) == before


async def test_context_is_gone_after_the_unit_of_work(runtime: Runtime, principal: Principal) -> None:
    async with runtime.read_unit_of_work(principal) as uow:
        row = await uow.fetch_row(CompiledStatement(sa.text("SELECT current_setting('app.tenant_id', true)")), {})
        assert row[0] == str(principal.tenant_id)
    lease = await runtime.database.acquire()
    try:
        assert not await lease.conn.fetchval("SELECT current_setting('app.tenant_id', true)")
    finally:
        await runtime.database.release(lease)


async def test_tenants_cannot_be_made_by_the_app_role(
    tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    stored = await one(admin_connection, "SELECT * FROM tenants WHERE id = $1", tenant_id)
    columns = ", ".join(name for name in stored.keys() if name not in ("id", "tenant_id", "slug"))  # noqa: SIM118
    copy = f"INSERT INTO tenants (id, tenant_id, slug, {columns}) SELECT $1, $1, 'x', {columns} FROM tenants"
    async with acting_as(admin_connection, "fusionems_app", str(tenant_id)):
        assert await attempt(admin_connection, copy, new_id()) == "refused"
