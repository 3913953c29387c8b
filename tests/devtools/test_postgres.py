"""A cluster comes back after every way to lose it, and nobody else's process or file is touched."""

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest

from scripts.devtools import ports, postgres
from scripts.devtools.checkout import Checkout
from scripts.devtools.console import DevError
from scripts.devtools.postgres_programs import find_programs
from scripts.devtools.processes import is_ours

# The lifecycle is the same for every release; making and starting the system's is test_create_roles.py's.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True)

CRASH = """
import os, pickle, signal, sys
from scripts.devtools import postgres
running = postgres.running(pickle.load(sys.stdin.buffer))
port, child = running.__enter__()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def fresh(cluster: postgres.Cluster) -> Iterator[postgres.Cluster]:
    shutil.rmtree(cluster.directory, ignore_errors=True)
    yield cluster
    shutil.rmtree(cluster.directory)


@pytest.fixture
def foreign() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that has nothing to do with us."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        yield child
        child.kill()


async def write_row(cluster: postgres.Cluster, port: int) -> int:
    """Add a row and return how many there are."""
    session = await asyncpg.connect(cluster.url(port))
    try:
        await session.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        await session.execute("INSERT INTO kept VALUES (1)")
        return int(await session.fetchval("SELECT count(*) FROM kept"))
    finally:
        await session.close()


def start_and_die(cluster: postgres.Cluster) -> int:
    """Start the cluster from a process that is then killed; returns the orphaned server."""
    starter = subprocess.run(
        [sys.executable, "-c", CRASH], input=pickle.dumps(cluster), stdout=subprocess.PIPE, check=False
    )
    assert starter.returncode == -signal.SIGKILL
    return int(starter.stdout)


async def test_data_and_port_are_kept_over_restarts(fresh: postgres.Cluster) -> None:
    with postgres.running(fresh) as (port, _):
        assert await write_row(fresh, port) == 1
    with postgres.running(fresh) as (again, _):
        assert again == port
        assert await write_row(fresh, again) == 2
    assert not postgres.postmaster_file(fresh.directory)


async def test_a_killed_server_recovers(fresh: postgres.Cluster) -> None:
    with postgres.running(fresh) as (port, child):
        await write_row(fresh, port)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert postgres.postmaster_file(fresh.directory), "the killed server left its lock file"
    with postgres.running(fresh) as (port, _):
        assert await write_row(fresh, port) == 2


async def test_an_orphaned_server_is_stopped_and_its_data_kept(fresh: postgres.Cluster) -> None:
    with postgres.running(fresh) as (port, _):
        await write_row(fresh, port)
    orphan = start_and_die(fresh)
    assert is_ours(orphan, "postgres", fresh.directory)
    with postgres.running(fresh) as (port, child):
        assert child.pid != orphan
        assert not is_ours(orphan, "postgres", fresh.directory)
        assert await write_row(fresh, port) == 2


async def test_a_lock_file_with_a_foreign_process_is_stale(
    fresh: postgres.Cluster, foreign: "subprocess.Popen[bytes]"
) -> None:
    with postgres.running(fresh) as (port, _):
        await write_row(fresh, port)
    lock = fresh.directory / "postmaster.pid"
    lock.write_text(f"{foreign.pid}\n{fresh.directory}\n0\n{port}\n\n127.0.0.1\n\nready\n")
    fresh.account.give(lock)
    with postgres.running(fresh) as (port, _):
        assert await write_row(fresh, port) == 2
    assert foreign.poll() is None


def test_an_unreadable_lock_file_is_stale(fresh: postgres.Cluster) -> None:
    with postgres.running(fresh):
        pass
    (fresh.directory / "postmaster.pid").write_text("not a number\n")
    with postgres.running(fresh) as (_, child):
        assert postgres.is_ready(fresh.directory, child.pid)


def test_a_half_made_cluster_is_made_anew(fresh: postgres.Cluster) -> None:
    draft = fresh.home / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("1")
    with postgres.running(fresh):
        assert postgres.made_by(fresh.directory) == fresh.programs.major
    assert not draft.exists()


def test_a_taken_port_is_left_for_another_unless_it_was_asked_for(fresh: postgres.Cluster) -> None:
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]
        fresh.record.write_text(f'{{"port": {taken}}}')
        with postgres.running(fresh) as (port, _):
            assert port != taken
        with pytest.raises(DevError, match="does not start") as caught, postgres.running(fresh, taken):
            pytest.fail("it started on a taken port")
        assert "--pg-port" in caught.value.advice


async def test_a_throwaway_cluster_starts_empty_and_leaves_nothing(fresh: postgres.Cluster) -> None:
    throwaway = replace(fresh, throwaway=True)
    start_and_die(throwaway)
    with postgres.running(throwaway) as (port, _):
        assert await write_row(throwaway, port) == 1
    assert not throwaway.directory.exists()
    throwaway.directory.mkdir()  # the fixture removes it


async def test_only_a_password_opens_it_and_text_is_unicode(fresh: postgres.Cluster) -> None:
    with postgres.running(fresh) as (port, _):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(fresh.url(port).replace(fresh.superuser_password, "wrong"))
        session = await asyncpg.connect(fresh.url(port))
        assert await session.fetchval("SELECT lower('ÉÑ')") == "éñ"
        assert await session.fetchval("SHOW server_encoding") == "UTF8"
        await session.close()


async def test_statements_and_their_values_stay_out_of_the_log(fresh: postgres.Cluster) -> None:
    with postgres.running(fresh) as (port, _):
        session = await asyncpg.connect(fresh.url(port))
        with pytest.raises(asyncpg.DataError):
            await session.execute("SELECT 'Jane Roe'::uuid")
        await session.close()
    log = fresh.log.read_text()
    assert "ready to accept connections" in log
    assert "Jane Roe" not in log


def test_a_cluster_of_another_release_is_refused_with_advice(checkout: Checkout, cluster: postgres.Cluster) -> None:
    with pytest.raises(DevError, match="PostgreSQL 12") as caught:
        find_programs(checkout, cluster.account, cluster.home, "auto", 12)
    assert str(cluster.home / "postgres") in caught.value.advice
