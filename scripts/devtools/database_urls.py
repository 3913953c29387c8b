"""The three database roles, the variables that carry their addresses, and how one address yields the three."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from scripts.devtools.console import DevError
from scripts.devtools.processes import read_json, write_private

OWNER = "fusionems_owner"
APP = "fusionems_app"
SYSTEM = "fusionems_system"
ROLE_OF_VARIABLE = {"DATABASE_URL": APP, "MIGRATION_DATABASE_URL": OWNER, "SYSTEM_DATABASE_URL": SYSTEM}
SUPERUSER = "postgres"
DATABASE = "fusionems"

# Databases that belong to the server: an address that names one (or none) means "on this server", not "in there".
SERVERS_OWN = {"", "postgres", "template0", "template1", "rdsadmin"}


def given_urls(environ: Mapping[str, str]) -> dict[str, str]:
    """The addresses in the environment: none, DATABASE_URL alone (a role that may create roles), or all three."""
    given = {name: environ[name] for name in ROLE_OF_VARIABLE if environ.get(name)}
    if given and set(given) not in ({"DATABASE_URL"}, set(ROLE_OF_VARIABLE)):
        missing = ", ".join(sorted(set(ROLE_OF_VARIABLE) - set(given)))
        raise DevError(
            f"Some database addresses are set, but not {missing}.",
            "Set all three, or DATABASE_URL alone (for a role with CREATEROLE and CREATEDB), or none.",
        )
    return given


def normalised(url: str) -> str:
    """The same address under the one scheme that every consumer understands, `postgresql://`."""
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise DevError("A database address must begin with postgresql://", "Example: postgresql://user@localhost/name")
    rest = url.partition("://")[2]
    return f"postgresql://{rest}"


def database_of(url: str) -> str:
    """The database that the address names, or the project's own name where it names one of the server's."""
    named = unquote(urlsplit(url).path.lstrip("/"))
    return DATABASE if named in SERVERS_OWN else named


def role_url(url: str, role: str, password: str, database: str) -> str:
    """The same server and options, but as this role and in this database."""
    parts = urlsplit(normalised(url))
    server = parts.netloc.rpartition("@")[2]
    login = f"{quote(role, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{server}", path=f"/{quote(database, safe='')}"))


def role_urls(admin_url: str, passwords: Mapping[str, str], database: str) -> dict[str, str]:
    """DATABASE_URL, MIGRATION_DATABASE_URL and SYSTEM_DATABASE_URL for the server of `admin_url`."""
    return {name: role_url(admin_url, role, passwords[role], database) for name, role in ROLE_OF_VARIABLE.items()}


def stored_passwords(path: Path) -> dict[str, str]:
    """Passwords of the superuser and the three roles, generated at the first call; the file is its owner's alone."""
    stored = {role: str(password) for role, password in read_json(path).items()}
    passwords = new_passwords() | stored
    if passwords != stored:
        write_private(path, json.dumps(passwords, indent=2))
    return passwords


def new_passwords() -> dict[str, str]:
    return {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APP, SYSTEM)}
