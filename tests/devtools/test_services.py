"""Which servers a verb gets, and what its children are told."""

import json
import os
import shutil
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts.devtools import services
from scripts.devtools.checkout import ROOT, Checkout
from scripts.devtools.console import DevError
from scripts.devtools.database_urls import ROLE_OF_VARIABLE
from scripts.devtools.processes import exclusive, server_account
from scripts.devtools.services import Wishes, persistent, servers_home, throwaway

THREE = {name: f"postgresql://{role}:p@db.example/d" for name, role in ROLE_OF_VARIABLE.items()}
OURS = (*ROLE_OF_VARIABLE, "TEST_ADMIN_DATABASE_URL", "REDIS_URL", "ENVIRONMENT", "DATA_DIR")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, url in (THREE | {"REDIS_URL": "redis://r.example"}).items():
        monkeypatch.setenv(name, url)
    return monkeypatch


def test_given_addresses_are_passed_on_untouched(checkout: Checkout, given: pytest.MonkeyPatch) -> None:
    with persistent(checkout, Wishes()) as found:
        assert THREE.items() <= found.environment.items()
        assert found.environment["REDIS_URL"] == "redis://r.example"
        assert found.environment["ENVIRONMENT"] == "development"
        assert found.environment["DATA_DIR"] == str(checkout.data_dir)
        assert found.children == {}


def test_tests_on_given_addresses_need_an_admins_too(checkout: Checkout, given: pytest.MonkeyPatch) -> None:
    with pytest.raises(DevError, match="TEST_ADMIN_DATABASE_URL"), throwaway(checkout, Wishes()):
        pytest.fail("it went on without an admin")
    given.setenv("TEST_ADMIN_DATABASE_URL", "postgresql://admin@db.example/postgres")
    with throwaway(checkout, Wishes()) as found:
        assert found.environment["TEST_ADMIN_DATABASE_URL"] == "postgresql://admin@db.example/postgres"
        assert found.environment["ENVIRONMENT"] == "test"
        assert Path(found.environment["DATA_DIR"]).is_relative_to(checkout.data_dir / "test-1")


def test_one_address_becomes_three_and_its_roles_are_made(
    checkout: Checkout, given: pytest.MonkeyPatch, recorded_commands: list[dict[str, str]]
) -> None:
    for name in set(ROLE_OF_VARIABLE) - {"DATABASE_URL"}:
        given.delenv(name)
    given.setenv("DATABASE_URL", "postgres://me:secret@db.example/mine")
    with persistent(checkout, Wishes()) as first, throwaway(checkout, Wishes()) as second:
        made_first, made_second = recorded_commands
    assert made_first["ADMIN_DATABASE_URL"] == "postgresql://me:secret@db.example/mine"
    for name, role in ROLE_OF_VARIABLE.items():
        assert first.environment[name] == made_first[name]
        assert made_first[name].startswith(f"postgresql://{role}:")
        assert made_first[name].endswith("@db.example/mine")
        assert made_second[name] == made_first[name].replace("/mine", "/fusionems_test"), "roles are the server's"
    assert second.environment["TEST_ADMIN_DATABASE_URL"] == made_first["ADMIN_DATABASE_URL"]


@pytest.fixture
def recorded_commands(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    seen: list[dict[str, str]] = []

    def record(*_: object, env: dict[str, str], **__: object) -> str:
        seen.append(env)
        return ""

    monkeypatch.setattr(services, "run_quietly", record)
    return seen


def test_own_servers_come_up_with_roles_and_go_again(checkout: Checkout) -> None:
    with ExitStack() as stack:
        found = [stack.enter_context(throwaway(checkout, Wishes())) for _ in range(2)]
        assert found[0].environment["DATABASE_URL"] != found[1].environment["DATABASE_URL"]
        assert found[0].environment["DATA_DIR"] != found[1].environment["DATA_DIR"]
        assert all(child.poll() is None for one in found for child in one.children.values())
        assert set(found[0].children) == {"PostgreSQL", "Valkey"}
    assert all(child.poll() is not None for one in found for child in one.children.values())


def test_an_emptied_data_directory_gets_an_empty_database_and_the_old_one_is_kept(checkout: Checkout) -> None:
    home = servers_home(checkout, server_account(ROOT))
    with persistent(checkout, Wishes()):
        pass
    services.credentials_file(checkout).unlink()
    with persistent(checkout, Wishes()) as found:
        assert found.children["PostgreSQL"].poll() is None
    assert (home / "postgres.previous" / "PG_VERSION").exists()
    assert json.loads((checkout.data_dir / "postgres.json").read_text())["directory"] == str(home / "postgres")


def test_too_many_runs_are_refused(checkout: Checkout) -> None:
    with ExitStack() as stack:
        for number in range(1, services.SLOTS + 1):
            stack.enter_context(exclusive(checkout.data_dir / f"test-{number}.lock"))
        with pytest.raises(DevError, match="under way"), throwaway(checkout, Wishes()):
            pytest.fail("it found a ninth place")


def test_secrets_are_closed_to_others(checkout: Checkout) -> None:
    with persistent(checkout, Wishes()):
        open_to_others = [
            path
            for path in [checkout.data_dir, *checkout.data_dir.rglob("*")]
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and path.parent == checkout.data_dir
        ]
    assert open_to_others == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps its servers outside the data directory")
def test_roots_servers_lie_outside_its_home(checkout: Checkout) -> None:
    home = servers_home(checkout, server_account(ROOT))
    assert not home.is_relative_to(checkout.data_dir)
    assert home.stat().st_uid == 0
    assert home.stat().st_mode & 0o777 == 0o755
    assert (home / "data-directory").read_text() == f"{checkout.data_dir}\n"
    others = servers_home(Checkout(ROOT, checkout.data_dir / "other"), server_account(ROOT))
    shutil.rmtree(others)
    assert others != home
