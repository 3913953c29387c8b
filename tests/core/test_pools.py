"""Bounded pools: what fills one stops no other, a full line answers at once, and nothing else makes threads."""

from __future__ import annotations

import ast
import asyncio
import contextvars
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.core.auth.passwords import PasswordHasher
from app.core.pools import FILES, PASSWORDS, POOLS, Pool, PoolFull, close_pools
from app.core.runtime import Runtime
from tests.core.http.contract import expect_refusal
from tests.core.identity.people import log_in
from tests.support.actors import Agency

APP = Path(__file__).resolve().parents[2] / "app"


class Door:
    """Work that waits until the door is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.passed = 0

    def open(self) -> None:
        self._open.set()

    def __call__(self) -> None:
        self.entered.release()
        assert self._open.wait(60)
        self.passed += 1


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.open()


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool("test", threads=2, waiting=3, retry_after=7)
    yield made
    made.close()


async def fill(pool: Pool, door: Door) -> list[asyncio.Task[None]]:
    """Every thread and every place in the line is taken."""
    tasks = [asyncio.create_task(pool.run(door)) for _ in range(pool.threads + pool.waiting)]
    for _ in range(pool.threads):
        assert await asyncio.to_thread(door.entered.acquire, timeout=60)
    return tasks


async def test_full_line_answers_at_once_and_empties(pool: Pool, door: Door) -> None:
    tasks = await fill(pool, door)
    ran: list[int] = []
    with pytest.raises(PoolFull) as refused:
        await pool.run(ran.append, 1)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "7"})
    assert ran == [], "what is refused is not done"
    door.open()
    await asyncio.gather(*tasks)
    assert door.passed == 5
    await pool.run(ran.append, 2)
    assert ran == [2]


async def test_cancelled_work_gives_its_place_back_and_is_not_begun(pool: Pool, door: Door) -> None:
    tasks = await fill(pool, door)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    waiting = [asyncio.create_task(pool.run(int, "1")) for _ in range(pool.waiting)]
    await asyncio.sleep(0)
    with pytest.raises(PoolFull):
        await pool.run(int, "1")  # what has begun keeps its thread until it is done
    door.open()
    assert await asyncio.gather(*waiting) == [1, 1, 1]
    await close_pools([pool])
    assert door.passed == pool.threads


async def test_work_sees_the_callers_context_and_its_errors_come_back(pool: Pool) -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("caller's")
    assert await pool.run(variable.get) == "caller's"
    with pytest.raises(ZeroDivisionError):
        await pool.run(divmod, 1, 0)


async def test_closed_pool_has_no_threads_and_begins_again(pool: Pool) -> None:
    def name() -> str:
        return threading.current_thread().name

    assert (await pool.run(name)).startswith("test_")
    await close_pools([pool])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test_")]
    assert (await pool.run(name)).startswith("test_")


async def test_line_of_passwords_stops_neither_files_nor_requests(
    client: httpx.AsyncClient, agency: Agency, runtime: Runtime, door: Door
) -> None:
    tasks = await fill(PASSWORDS, door)
    refused = await log_in(client, agency, "medic")
    expect_refusal(refused, 503, "SERVICE_UNAVAILABLE")
    assert int(refused.headers["retry-after"]) > 1
    await runtime.objects.put("tenant/x/y", b"stored meanwhile", "text/plain")
    assert await runtime.objects.get("tenant/x/y") == b"stored meanwhile"
    await agency.medic.expect(200, "GET", "auth/me")
    assert door.passed == 0, "the line was full all the time"
    door.open()
    await asyncio.gather(*tasks)
    assert (await log_in(client, agency, "medic")).status_code == 200


async def test_passwords_are_compared_by_their_own_pool(door: Door) -> None:
    hasher = PasswordHasher(4)
    tasks = await fill(PASSWORDS, door)
    for work in (hasher.hash("x"), hasher.verify("x", None)):
        with pytest.raises(PoolFull):
            await work
    door.open()
    await asyncio.gather(*tasks)


def test_pools_are_few_and_bounded() -> None:
    assert len({pool.name for pool in POOLS}) == len(POOLS) <= 8
    assert all(pool.threads >= 1 and 1 <= pool.waiting <= 1024 for pool in POOLS)
    assert FILES is not PASSWORDS


def test_nothing_else_makes_threads() -> None:
    """The default executor is shared by everybody who uses it."""
    found = []
    for file in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            named = {ast.Attribute: "attr", ast.Name: "id", ast.alias: "name"}.get(type(node))
            name = "" if named is None else str(getattr(node, named))
            if name in ("to_thread", "run_in_executor", "ThreadPoolExecutor", "run_in_threadpool"):
                found.append(str(file.relative_to(APP)))
    assert set(found) == {"core/pools.py"}
