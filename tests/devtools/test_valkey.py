"""Valkey with a password, on a port of its own, back after a crash."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from scripts.devtools import ports, valkey
from scripts.devtools.processes import is_ours


@pytest.fixture
def fresh(valkey_server: valkey.Valkey) -> Iterator[valkey.Valkey]:
    yield valkey_server
    shutil.rmtree(valkey_server.directory, ignore_errors=True)


def test_it_needs_the_password_and_keeps_what_it_was_told(fresh: valkey.Valkey) -> None:
    with valkey.running(fresh) as (url, _), redis.Redis.from_url(url) as client:
        client.set("revoked", "session")
        port = json.loads(fresh.record.read_text())["port"]
        assert not valkey.answers(port, "not-its-password")
    with valkey.running(fresh) as (again, _), redis.Redis.from_url(again) as client:
        assert client.get("revoked") == b"session"
        assert again != url, "every start has a password of its own"
        assert str(port) in again
    assert not fresh.configuration.exists()


def test_a_server_left_by_a_killed_run_is_stopped(fresh: valkey.Valkey) -> None:
    if not fresh.directory.exists():
        fresh.directory.mkdir(mode=0o700)
        fresh.account.give(fresh.directory)
    _, orphan = valkey.launch(fresh, "password", None)
    with valkey.running(fresh) as (url, child), redis.Redis.from_url(url) as client:
        assert client.ping()
        assert child.pid != orphan.pid
        assert orphan.wait(5) == 0
        assert not is_ours(orphan.pid, "-server", fresh.configuration)


def test_a_killed_server_comes_back(fresh: valkey.Valkey) -> None:
    with valkey.running(fresh) as (_, child):
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with valkey.running(fresh) as (url, _), redis.Redis.from_url(url) as client:
        assert client.ping()


def test_a_throwaway_server_leaves_nothing(fresh: valkey.Valkey) -> None:
    throwaway = replace(fresh, throwaway=True)
    with valkey.running(throwaway) as (url, _), redis.Redis.from_url(url) as client:
        client.set("a", "b")
        assert client.config_get("appendonly") == {"appendonly": "no"}
    assert not throwaway.directory.exists()


def test_an_unused_port_does_not_answer() -> None:
    assert not valkey.answers(ports.any_free(), "password")
