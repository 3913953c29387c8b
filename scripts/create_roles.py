"""Creates or repairs the three database roles and the database, on any PostgreSQL from 15 up, RDS included.

Row-level security binds the app only while it is neither superuser nor owner nor BYPASSRLS. All other protection of
tenants rests on these attributes. The script can be run again at any time: what is right stays as it is.

    ADMIN_DATABASE_URL=… DATABASE_URL=… MIGRATION_DATABASE_URL=… SYSTEM_DATABASE_URL=… python -m scripts.create_roles
"""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import asyncpg

from scripts.devtools.console import DevError
from scripts.devtools.database_urls import APP, OWNER, ROLE_OF_VARIABLE, SYSTEM, database_of, normalised

SCRAM_ITERATIONS = 4096  # PostgreSQL's own default
LOCK = 0x46454D53  # advisory lock: concurrent runs would meet "tuple concurrently updated"

ROLE_SETTINGS: Mapping[str, Mapping[str, str]] = {
    OWNER: {},
    APP: {"statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s"},
    SYSTEM: {"statement_timeout": "60s", "lock_timeout": "2s"},
}
# Column of pg_roles → the clause that sets it right. Only what is wrong is altered: naming NOSUPERUSER or NOBYPASSRLS
# at all is refused to a role that is not a superuser itself, which nobody is on RDS.
ATTRIBUTES = {
    "rolcanlogin": (True, "LOGIN"),
    "rolsuper": (False, "NOSUPERUSER"),
    "rolbypassrls": (False, "NOBYPASSRLS"),
    "rolcreatedb": (False, "NOCREATEDB"),
    "rolcreaterole": (False, "NOCREATEROLE"),
    "rolreplication": (False, "NOREPLICATION"),
}


class RoleError(Exception):
    """The roles cannot be made as they must be; the message says what is in the way."""


@dataclass(frozen=True)
class RolePasswords:
    """Passwords of the login roles; ASCII, since others would need SASLprep to be hashed here."""

    owner: str
    app: str
    system: str

    @classmethod
    def from_urls(cls, urls: Mapping[str, str]) -> "RolePasswords":
        """The passwords that the three addresses carry; raises RoleError when one is missing or names another role."""
        found: dict[str, str] = {}
        for variable, role in ROLE_OF_VARIABLE.items():
            parts = urlsplit(urls.get(variable, ""))
            if parts.username is None or unquote(parts.username) != role or not parts.password:
                raise RoleError(f"{variable} must be the address of role {role} with its password.")
            found[role] = unquote(parts.password)
        return cls(owner=found[OWNER], app=found[APP], system=found[SYSTEM])

    def of_role(self) -> dict[str, str]:
        return {OWNER: self.owner, APP: self.app, SYSTEM: self.system}


async def ensure_roles(admin_dsn: str, passwords: RolePasswords, database: str) -> None:
    """Make the three login roles, their settings and the database what they must be.

    `admin_dsn` belongs to a superuser or to a role with CREATEROLE and CREATEDB. Raises RoleError, or asyncpg's errors
    when the server refuses.
    """
    admin_dsn = normalised(admin_dsn)
    async with admin_session(admin_dsn) as admin:
        await admin.execute("SELECT pg_advisory_lock($1)", LOCK)
        for role, password in passwords.of_role().items():
            await ensure_role(admin, role, password)
        await may_act_as_owner(admin)
        await ensure_database(admin, database)
    session = await asyncpg.connect(admin_dsn, database=database)
    try:
        await session.execute("SELECT pg_advisory_lock($1)", LOCK)
        async with session.transaction():
            await grant(session, database)
    finally:
        await session.close()


@asynccontextmanager
async def admin_session(admin_dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A session on the address's own database, or on `postgres` where that database is still to be made."""
    try:
        session = await asyncpg.connect(admin_dsn)
    except asyncpg.InvalidCatalogNameError:
        session = await asyncpg.connect(admin_dsn, database="postgres")
    try:
        yield session
    finally:
        await session.close()


async def ensure_role(session: "asyncpg.Connection[asyncpg.Record]", role: str, password: str) -> None:
    """Create the role or set right what is wrong with it; its password and settings are always set."""
    found = await session.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", role)
    if found is None:
        clauses = [clause for _, clause in ATTRIBUTES.values()]
        await session.execute(f'CREATE ROLE "{role}" {" ".join(clauses)}')
    else:
        wrong = [clause for column, (right, clause) in ATTRIBUTES.items() if found[column] is not right]
        if wrong:
            try:
                await session.execute(f'ALTER ROLE "{role}" {" ".join(wrong)}')
            except asyncpg.InsufficientPrivilegeError as error:
                raise RoleError(f"A superuser must run: ALTER ROLE {role} {' '.join(wrong)}") from error
    await session.execute(f"ALTER ROLE \"{role}\" PASSWORD '{scram_verifier(password)}'")
    for name, value in ROLE_SETTINGS[role].items():
        await session.execute(f"ALTER ROLE \"{role}\" SET {name} = '{value}'")


async def may_act_as_owner(session: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let an admin who is no superuser make a database for the owner role.

    From release 16 on, having created a role gives the right to administer it, not to act as it.
    """
    if await session.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return
    options = "WITH INHERIT TRUE, SET TRUE" if session.get_server_version().major >= 16 else ""
    await session.execute(f'GRANT "{OWNER}" TO CURRENT_USER {options}')


async def ensure_database(session: "asyncpg.Connection[asyncpg.Record]", database: str) -> None:
    """Make the database, or give an existing one to the owner role."""
    owner = await session.fetchval(
        "SELECT r.rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = $1", database
    )
    if owner is None:
        await session.execute(f"CREATE DATABASE {quoted(database)} OWNER \"{OWNER}\" ENCODING 'UTF8'")
    elif owner != OWNER:
        await session.execute(f'ALTER DATABASE {quoted(database)} OWNER TO "{OWNER}"')


async def grant(session: "asyncpg.Connection[asyncpg.Record]", database: str) -> None:
    """Who may connect, and who may create: the owner alone."""
    name = quoted(database)
    await session.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    await session.execute(f'GRANT CONNECT ON DATABASE {name} TO "{APP}", "{SYSTEM}"')
    await session.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    may_create = "SELECT has_schema_privilege($1, 'public', 'CREATE')"
    if not await session.fetchval(may_create, OWNER):  # a database from before release 15: its schema has another owner
        await session.execute(f'GRANT USAGE, CREATE ON SCHEMA public TO "{OWNER}"')
        if not await session.fetchval(may_create, OWNER):
            raise RoleError(f"{OWNER} may not create in schema public; the schema's owner must grant it.")


def quoted(name: str) -> str:
    """An SQL identifier."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores for a SCRAM password (RFC 5803), made here so that no server log ever holds the password.

    Raises RoleError for a password that is not printable ASCII.
    """
    if not password.isascii() or not password.isprintable():
        raise RoleError("Database passwords must be printable ASCII.")
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    parts = (salt, hashlib.sha256(client_key).digest(), server_key)
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in parts)
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{salt64}${stored64}:{server64}"


def main() -> int:
    """Read the four addresses from the environment and apply them."""
    try:
        admin_url = os.environ.get("ADMIN_DATABASE_URL", "")
        if not admin_url:
            raise RoleError("Set ADMIN_DATABASE_URL to the address of a role with CREATEROLE and CREATEDB.")
        database = database_of(os.environ.get("DATABASE_URL", ""))
        asyncio.run(ensure_roles(admin_url, RolePasswords.from_urls(os.environ), database))
    except (RoleError, DevError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
