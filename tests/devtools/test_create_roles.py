"""The three roles are what row-level security needs them to be, on PostgreSQL 15 to 18, made by whichever admin."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from scripts.create_roles import RoleError, RolePasswords, ensure_roles, scram_verifier
from scripts.devtools import postgres
from scripts.devtools.database_urls import APP, OWNER, ROLE_OF_VARIABLE, SYSTEM, role_url, role_urls

PASSWORDS = RolePasswords(owner="owner password", app="app'pass\"word", system="system@pass:word")
DATABASE = "ambulance one"
HOSTED_ADMIN = "hosted_admin"


@pytest.fixture(scope="module")
def superuser_url(cluster: postgres.Cluster) -> Iterator[str]:
    with postgres.running(cluster) as (port, _):
        yield cluster.url(port)


@pytest.fixture
async def superuser(superuser_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A session on a server that has no role or database of ours yet."""
    session = await asyncpg.connect(superuser_url)
    await session.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
    for role in (*ROLE_OF_VARIABLE.values(), HOSTED_ADMIN):
        await session.execute(f"DROP ROLE IF EXISTS {role}")
    yield session
    await session.close()


@pytest.fixture
async def hosted_admin_url(superuser: "asyncpg.Connection[asyncpg.Record]", superuser_url: str) -> str:
    """The admin that a hosted server gives: it may make roles and databases, and is no superuser."""
    await superuser.execute(f"CREATE ROLE {HOSTED_ADMIN} LOGIN CREATEROLE CREATEDB PASSWORD 'hosted'")
    return role_url(superuser_url, HOSTED_ADMIN, "hosted", "postgres")


@pytest.fixture(params=["superuser", "hosted admin"])
def admin_url(request: pytest.FixtureRequest, superuser_url: str, hosted_admin_url: str) -> str:
    return superuser_url if request.param == "superuser" else hosted_admin_url


async def value(url: str, query: str) -> object:
    session = await asyncpg.connect(url)
    try:
        return await session.fetchval(query)
    finally:
        await session.close()


def urls(superuser_url: str) -> dict[str, str]:
    found = role_urls(superuser_url, PASSWORDS.of_role(), DATABASE)
    return {role: found[variable] for variable, role in ROLE_OF_VARIABLE.items()}


async def test_roles_can_log_in_and_nothing_else(
    admin_url: str, superuser_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for _ in range(2):
        await ensure_roles(admin_url, PASSWORDS, DATABASE)
    rows = await superuser.fetch("SELECT * FROM pg_roles WHERE rolname = ANY($1)", list(ROLE_OF_VARIABLE.values()))
    assert len(rows) == 3
    for row in rows:
        assert row["rolcanlogin"]
        for attribute in ("rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole", "rolreplication"):
            assert row[attribute] is False, (row["rolname"], attribute)
    for role, url in urls(superuser_url).items():
        assert await value(url, "SELECT current_user") == role


async def test_only_the_owner_creates(admin_url: str, superuser_url: str) -> None:
    await ensure_roles(admin_url, PASSWORDS, DATABASE)
    address = urls(superuser_url)
    assert await value(address[OWNER], "SELECT r.rolname FROM pg_database JOIN pg_roles r ON r.oid = datdba "
                                       "WHERE datname = current_database()") == OWNER  # fmt: skip
    await value(address[OWNER], "CREATE TABLE public.mine (n int)")
    await value(address[OWNER], "CREATE EXTENSION pg_trgm")
    for role in (APP, SYSTEM):
        for statement in ("CREATE TABLE public.theirs (n int)", "CREATE TEMPORARY TABLE theirs (n int)",
                          "CREATE SCHEMA theirs", f"SET ROLE {OWNER}", "SELECT * FROM public.mine"):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await value(address[role], statement)


async def test_others_may_not_connect(
    admin_url: str, superuser_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await ensure_roles(admin_url, PASSWORDS, DATABASE)
    await superuser.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(role_url(superuser_url, "stranger", "x", DATABASE))
    finally:
        await superuser.execute("DROP ROLE stranger")


async def test_time_limits_hold_from_the_first_statement(admin_url: str, superuser_url: str) -> None:
    await ensure_roles(admin_url, PASSWORDS, DATABASE)
    address = urls(superuser_url)
    expected = {
        (APP, "statement_timeout"): "5s",
        (APP, "lock_timeout"): "2s",
        (APP, "idle_in_transaction_session_timeout"): "10s",
        (SYSTEM, "statement_timeout"): "1min",
        (SYSTEM, "lock_timeout"): "2s",
        (OWNER, "statement_timeout"): "0",
    }
    assert {(role, name): await value(address[role], f"SHOW {name}") for role, name in expected} == expected


async def test_wrong_attributes_are_repaired(
    superuser_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await superuser.execute(f"CREATE ROLE {APP} SUPERUSER BYPASSRLS CREATEDB CREATEROLE REPLICATION NOLOGIN")
    await superuser.execute(f'CREATE DATABASE "{DATABASE}"')
    await superuser.execute(f'GRANT ALL ON DATABASE "{DATABASE}" TO PUBLIC')
    await ensure_roles(superuser_url, PASSWORDS, DATABASE)
    row = await superuser.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", APP)
    assert row is not None
    attributes = ("rolcanlogin", "rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole", "rolreplication")
    assert [row[name] for name in attributes] == [True, False, False, False, False, False]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await value(urls(superuser_url)[APP], "CREATE TEMPORARY TABLE t (n int)")


async def test_what_only_a_superuser_can_repair_is_named(
    hosted_admin_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await superuser.execute(f"CREATE ROLE {APP} LOGIN BYPASSRLS")
    with pytest.raises(RoleError, match=f"ALTER ROLE {APP} NOBYPASSRLS"):
        await ensure_roles(hosted_admin_url, PASSWORDS, DATABASE)


async def test_an_address_whose_database_is_missing_makes_it(admin_url: str, superuser_url: str) -> None:
    server = admin_url.removesuffix("/postgres").replace("postgresql://", "postgres://")
    await ensure_roles(f"{server}/ambulance%20one", PASSWORDS, DATABASE)
    assert await value(urls(superuser_url)[OWNER], "SELECT current_database()") == DATABASE


async def test_concurrent_runs_agree(admin_url: str, superuser_url: str) -> None:
    await asyncio.gather(*(ensure_roles(admin_url, PASSWORDS, DATABASE) for _ in range(6)))
    assert await value(urls(superuser_url)[APP], "SELECT current_user") == APP


async def test_the_password_is_not_in_the_statement(
    admin_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await ensure_roles(admin_url, PASSWORDS, DATABASE)
    stored = await superuser.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", APP)
    assert stored.startswith("SCRAM-SHA-256$4096:")


@pytest.mark.parametrize("password", ["schlüssel", "tab\there", "line\n"])
def test_passwords_that_could_not_be_hashed_rightly_are_refused(password: str) -> None:
    with pytest.raises(RoleError) as caught:
        scram_verifier(password)
    assert password not in str(caught.value)


def test_passwords_come_from_the_three_addresses() -> None:
    found = role_urls("postgresql://h/x", PASSWORDS.of_role(), DATABASE)
    assert RolePasswords.from_urls(found) == PASSWORDS
    for variable in found:
        with pytest.raises(RoleError, match=variable):
            RolePasswords.from_urls(found | {variable: "postgresql://someone:p@h/x"})
        with pytest.raises(RoleError, match=variable):
            RolePasswords.from_urls({name: url for name, url in found.items() if name != variable})
