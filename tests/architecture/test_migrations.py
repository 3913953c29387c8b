"""Migrations: up, down and up again without drift, leaving nothing behind, and in the form that they are to have."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.metadata import include_object, metadata
from tests.architecture.scratch import scratch_database
from tests.support.database import ROOT, TestDatabase, alembic_config

_OBJECTS = """
SELECT 'table ' || c.relname FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace
  AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL SELECT 'function ' || p.proname FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
UNION ALL SELECT 'type ' || t.typname FROM pg_type AS t WHERE t.typnamespace = 'public'::regnamespace
  AND t.typtype IN ('e', 'd')
"""
_SHAPE = """
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid::regclass::text NOT LIKE 'pg\\_%'
UNION ALL SELECT tablename || policyname || coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies
UNION ALL SELECT relname || relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT pg_get_functiondef(oid) || proacl::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""


def script_directory() -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))


def revisions() -> list[Script]:
    """From the newest to the first."""
    return list(script_directory().walk_revisions())


def ask(database: TestDatabase, query: str) -> list[str]:
    async def fetch() -> list[str]:
        connection = await asyncpg.connect(database.admin)
        try:
            return sorted(row[0] for row in await connection.fetch(query) if row[0] is not None)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def drift(database: TestDatabase) -> list[Any]:
    """What autogenerate would write: names, types, nullability, defaults, indexes, keys."""

    def compare(connection: sa.Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True, "include_object": include_object}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata()))

    async def run() -> list[Any]:
        engine = create_async_engine(sa.make_url(database.owner).set(drivername="postgresql+asyncpg"))
        async with engine.connect() as connection:
            found = await connection.run_sync(compare)
        await engine.dispose()
        return found

    return asyncio.run(run())


def test_up_down_and_up_again_without_drift(worker_id: str) -> None:
    with scratch_database(f"migrations_{worker_id}") as database:
        config = alembic_config(database)
        empty = ask(database, _OBJECTS)
        command.upgrade(config, "head")
        assert drift(database) == []
        shape = ask(database, _SHAPE)
        command.downgrade(config, "base")
        assert set(ask(database, _OBJECTS)) - set(empty) == {"table alembic_version"}
        command.upgrade(config, "head")
        assert drift(database) == []
        assert ask(database, _SHAPE) == shape


def test_each_revision_goes_down_and_up_by_itself(worker_id: str) -> None:
    with scratch_database(f"revisions_{worker_id}") as database:
        config = alembic_config(database)
        for revision in reversed(revisions()):
            below = ask(database, _SHAPE)
            command.upgrade(config, revision.revision)
            above = ask(database, _SHAPE)
            command.downgrade(config, "-1")
            left = ask(database, _SHAPE)
            assert [line for line in left if "alembic_version" not in line] == [
                line for line in below if "alembic_version" not in line
            ], revision.revision
            command.upgrade(config, revision.revision)
            assert ask(database, _SHAPE) == above, revision.revision


def test_countries_move_from_the_elements_to_their_columns(worker_id: str) -> None:
    """A territory is a state of the United States; what is no country stays where it was, and so do other elements."""
    with scratch_database(f"countries_{worker_id}") as database:
        config = alembic_config(database)
        earlier = script_directory().get_revision("facilities").down_revision
        assert isinstance(earlier, str)
        command.upgrade(config, earlier)

        async def chart() -> None:
            connection = await asyncpg.connect(database.admin)
            await connection.execute("SET session_replication_role = replica")  # rows without their incident
            for code in ("PR", "mx", "CA", "17"):
                await connection.execute(
                    "INSERT INTO patients (id, tenant_id, incident_id, pcr_uuid, last_name, elements)"
                    " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $1::text,"
                    """ jsonb_build_object('ePatient.10', jsonb_build_array(jsonb_build_object('value', $1::text)),"""
                    " 'ePatient.14', '[]'::jsonb)",
                    code,
                )
            await connection.close()

        asyncio.run(chart())
        shown = "SELECT last_name || ' ' || elements FROM patients"
        before = ask(database, shown)
        command.upgrade(config, "facilities")
        moved = ask(database, "SELECT concat_ws(' ', last_name, home_state, home_country, elements) FROM patients")
        left = '{"ePatient.14": []}'
        stays = '17 {"ePatient.10": [{"value": "17"}], "ePatient.14": []}'
        assert moved == sorted([f"PR PR US {left}", f"mx MX {left}", f"CA CA {left}", stays])
        command.downgrade(config, earlier)
        assert set(ask(database, shown)) & set(before) == {line for line in before if line[:2] in ("CA", "17")}


def test_patients_who_are_there_already_are_found_by_their_names(worker_id: str) -> None:
    """There are more of them than one batch takes."""
    with scratch_database(f"names_{worker_id}") as database:
        config = alembic_config(database)
        earlier = script_directory().get_revision("find").down_revision
        assert isinstance(earlier, str)
        command.upgrade(config, earlier)

        async def chart() -> None:
            connection = await asyncpg.connect(database.admin)
            await connection.execute("SET session_replication_role = replica")  # rows without their incident
            await connection.execute(
                "INSERT INTO patients (id, tenant_id, incident_id, pcr_uuid, last_name, first_name)"
                " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), name, given"
                " FROM (SELECT 'Núñez-O''Brien', 'Ana' UNION ALL SELECT NULL, NULL UNION ALL SELECT '李', NULL"
                " UNION ALL SELECT 'Doe ' || n, NULL FROM generate_series(1, 10001) AS n) AS people(name, given)"
            )
            await connection.close()

        asyncio.run(chart())
        command.upgrade(config, "find")
        keys = "SELECT concat_ws(' ', last_name_key, first_name_key) FROM patients WHERE coalesce(last_name, '') {}"
        assert ask(database, keys.format("NOT LIKE 'Doe%'")) == sorted(["", "li", "nunezobrien ana"])
        assert set(ask(database, keys.format("LIKE 'Doe%'"))) == {f"doe{number}" for number in range(1, 10002)}


def test_a_drift_is_seen(worker_id: str) -> None:
    """The comparison itself: a column, an index and a default that the models do not have."""
    with scratch_database(f"drift_{worker_id}") as database:
        command.upgrade(alembic_config(database), "head")

        async def spoil() -> None:
            connection = await asyncpg.connect(database.owner)
            await connection.execute("ALTER TABLE users ADD COLUMN nickname text")
            await connection.execute("DROP INDEX ix_users_tenant_status")
            await connection.execute("ALTER TABLE tenants ALTER COLUMN auto_lock_hours SET DEFAULT 48")
            await connection.execute("ALTER TABLE tenants ALTER COLUMN city TYPE varchar(30)")
            await connection.close()

        asyncio.run(spoil())
        found = str(drift(database))
        assert all(name in found for name in ("nickname", "ix_users_tenant_status", "auto_lock_hours", "city"))


def test_there_is_one_head() -> None:
    assert len(script_directory().get_heads()) == 1


@pytest.mark.parametrize("revision", revisions(), ids=lambda revision: revision.revision)
def test_revision_has_the_form_of_this_project(revision: Script) -> None:
    file = Path(revision.path)
    assert re.fullmatch(r"\d{8}_\d{4}_[a-z0-9_]+\.py", file.name)
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree), "say what it changes"
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not [name for name in imported if name == "app" or name.startswith("app.")], (
        "a migration says what the schema was on its day; the application's models move on"
    )
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in ("upgrade", "downgrade"):
        assert not all(isinstance(statement, ast.Pass) for statement in functions[name].body), f"{name} does nothing"
