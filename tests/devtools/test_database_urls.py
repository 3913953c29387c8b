"""One address becomes three; nothing of it is lost, nothing is leaked."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.devtools.console import DevError
from scripts.devtools.database_urls import (
    APP,
    OWNER,
    ROLE_OF_VARIABLE,
    SYSTEM,
    database_of,
    given_urls,
    normalised,
    role_url,
    role_urls,
    stored_passwords,
)

THREE = dict.fromkeys(ROLE_OF_VARIABLE, "postgresql://u:p@h/d")


def test_none_one_or_three_addresses_are_accepted() -> None:
    assert given_urls({}) == {}
    assert given_urls({"DATABASE_URL": "x", "MIGRATION_DATABASE_URL": ""}) == {"DATABASE_URL": "x"}
    assert given_urls(THREE) == THREE


@pytest.mark.parametrize("missing", list(ROLE_OF_VARIABLE))
def test_two_addresses_are_refused_and_the_missing_one_is_named(missing: str) -> None:
    with pytest.raises(DevError) as caught:
        given_urls({name: url for name, url in THREE.items() if name != missing})
    assert missing in caught.value.problem


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_spelling_of_the_scheme_becomes_one(scheme: str) -> None:
    assert normalised(f"{scheme}://u:p@h:5/d?ssl=require") == "postgresql://u:p@h:5/d?ssl=require"


@pytest.mark.parametrize("url", ["mysql://h/d", "host=localhost"])
def test_other_addresses_are_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(DevError) as caught:
        normalised(url)
    assert url not in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize("name", ["", "/", "/postgres", "/template1", "/rdsadmin"])
def test_the_servers_own_databases_are_left_alone(name: str) -> None:
    assert database_of(f"postgresql://u@h{name}") == "fusionems"


def test_the_named_database_is_used() -> None:
    assert database_of("postgresql://u@h/ambulance%20one") == "ambulance one"


def test_three_roles_on_the_same_server_and_options() -> None:
    passwords = {OWNER: "o", APP: "a", SYSTEM: "s"}
    assert role_urls("postgres://admin:x@db.example:6543/postgres?sslmode=require", passwords, "fusionems") == {
        "DATABASE_URL": "postgresql://fusionems_app:a@db.example:6543/fusionems?sslmode=require",
        "MIGRATION_DATABASE_URL": "postgresql://fusionems_owner:o@db.example:6543/fusionems?sslmode=require",
        "SYSTEM_DATABASE_URL": "postgresql://fusionems_system:s@db.example:6543/fusionems?sslmode=require",
    }


def test_a_socket_directory_survives() -> None:
    url = role_url("postgresql:///x?host=/var/run/postgresql", APP, "p", "d")
    assert url == "postgresql://fusionems_app:p@/d?host=/var/run/postgresql"


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1), st.text(min_size=1, max_size=20))
def test_any_password_and_name_survive_the_address(password: str, database: str) -> None:
    parts = urlsplit(role_url("postgresql://admin:p%40@h:1/x", APP, password, database.replace("\x00", "0")))
    assert (parts.hostname, parts.port, parts.username) == ("h", 1, APP)
    assert unquote(parts.password or "") == password
    assert unquote(parts.path[1:]) == database.replace("\x00", "0")


def test_passwords_are_made_once_and_are_private(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    first = stored_passwords(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert stored_passwords(path) == first
    assert len(set(first.values())) == 4
