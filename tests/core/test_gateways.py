"""A process opens each gateway once, closes what it opened, and lets tests put another in its place."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.core.composition import Composition
from app.core.config import Settings
from app.core.gateways import Gateway, Held
from app.core.runtime import Runtime, build_runtime
from app.main import create_app
from app.registry import COMPOSITION
from tests.core.waiting import expect_eventually


class Line:
    """The client of nothing."""


class Exchange:
    """Opens lines, and knows which were opened and closed."""

    def __init__(self) -> None:
        self.opened: list[Line] = []
        self.closed: list[Line] = []
        self.may_open = threading.Event()
        self.may_open.set()

    def open(self, _: Runtime) -> Line:
        line = Line()
        self.opened.append(line)
        self.may_open.wait(10)
        return line

    async def close(self, line: Line) -> None:
        self.closed.append(line)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
async def held(settings: Settings) -> AsyncIterator[Callable[..., Runtime]]:
    """Makes runtimes that hold just what is given."""
    made: list[Runtime] = []

    def make(*declared: Held[Any]) -> Runtime:
        made.append(build_runtime(settings, Composition(held=declared)))
        return made[-1]

    yield make
    for runtime in made:
        await runtime.close()


async def test_who_comes_while_it_opens_gets_the_same_one(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    """Tasks and threads at once; nothing is opened before somebody asks."""
    line = Gateway("line", exchange.open, exchange.close)
    gateways = held(line).gateways
    assert exchange.opened == []
    exchange.may_open.clear()
    with ThreadPoolExecutor(8) as threads:
        in_threads = [asyncio.wrap_future(threads.submit(gateways.get, line)) for _ in range(8)]
        in_tasks = [asyncio.create_task(gateways.reach(line)) for _ in range(8)]

        async def opening() -> bool:
            return bool(exchange.opened)

        await expect_eventually(opening)
        exchange.may_open.set()
        found = await asyncio.gather(*in_threads, *in_tasks)
    assert len(exchange.opened) == 1
    assert {id(one) for one in found} == {id(exchange.opened[0])}
    assert gateways.get(line) is exchange.opened[0]


async def test_an_opening_that_failed_is_tried_again(held: Callable[..., Runtime]) -> None:
    answers: list[Any] = [OSError("away"), "open"]

    def open_(_: Runtime) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    line = Gateway("line", open_)
    gateways = held(line).gateways
    with pytest.raises(OSError, match="away"):
        await gateways.reach(line)
    assert await gateways.reach(line) == "open"


async def test_what_is_not_listed_is_refused(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    gateways = held().gateways
    stray = Gateway("stray", exchange.open)
    with pytest.raises(LookupError, match="stray"):
        gateways.get(stray)
    with pytest.raises(LookupError, match="stray"):
        await gateways.reach(stray)
    assert exchange.opened == []


async def test_two_of_one_name_are_refused(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    with pytest.raises(ValueError, match="one name"):
        held(Gateway("line", exchange.open), Gateway("line", exchange.open))


async def test_what_was_opened_is_closed_and_stays_closed(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    """The last declared first; what nobody asked for is neither opened nor closed."""
    first, second, unused = (Gateway(name, exchange.open, exchange.close) for name in ("first", "second", "unused"))
    runtime = held(first, second, unused)
    opened = [runtime.gateways.get(first), runtime.gateways.get(second)]
    await runtime.close()
    assert exchange.closed == opened[::-1]
    for line in (first, unused):
        with pytest.raises(RuntimeError, match="closed"):
            runtime.gateways.get(line)
    await runtime.close()
    assert len(exchange.opened) == 2 and len(exchange.closed) == 2


async def test_one_that_fails_to_close_keeps_none_open(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    async def fail(_: Line) -> None:
        raise OSError("no answer")

    good, bad = Gateway("good", exchange.open, exchange.close), Gateway("bad", exchange.open, fail)
    runtime = held(good, bad)
    opened = runtime.gateways.get(good)
    runtime.gateways.get(bad)
    with pytest.raises(ExceptionGroup) as failed:
        await runtime.close()
    assert [str(error) for error in failed.value.exceptions] == ["no answer"]
    assert exchange.closed == [opened]


async def test_an_opening_under_way_is_closed_too(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    line = Gateway("line", exchange.open, exchange.close)
    runtime = held(line)
    exchange.may_open.clear()
    reaching = asyncio.create_task(runtime.gateways.reach(line))

    async def opening() -> bool:
        return bool(exchange.opened)

    await expect_eventually(opening)
    closing = asyncio.create_task(runtime.gateways.close())
    await asyncio.sleep(0)
    exchange.may_open.set()
    await asyncio.gather(reaching, closing)
    assert exchange.closed == exchange.opened


async def test_another_stands_in_for_the_length_of_a_block(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    line = Gateway("line", exchange.open, exchange.close)
    runtime, fake = held(line), Line()
    with runtime.gateways.replace(line, fake):
        assert runtime.gateways.get(line) is fake
        assert await runtime.gateways.reach(line) is fake
    assert exchange.opened == []
    own = runtime.gateways.get(line)
    assert own is not fake
    await runtime.close()
    assert exchange.closed == [own], "whoever made the other one closes it"


async def test_what_a_web_process_starts_is_closed_before_the_rest(
    exchange: Exchange, held: Callable[..., Runtime]
) -> None:
    started: list[Line] = []
    book = Held("book", exchange.open, exchange.close, started=started.append)
    line = Gateway("line", exchange.open, exchange.close)
    gateways = held(book, line).gateways
    gateways.start()
    assert started == exchange.opened == [gateways.get(book)], "the other one waits for its first use"
    gateways.get(line)
    await gateways.stop()
    assert exchange.closed == started
    assert gateways.get(line) is exchange.opened[1]
    with pytest.raises(RuntimeError, match="closed"):
        gateways.get(book)
    await gateways.close()
    assert exchange.closed == exchange.opened


async def test_runtimes_share_nothing(exchange: Exchange, held: Callable[..., Runtime]) -> None:
    line = Gateway("line", exchange.open)
    assert held(line).gateways.get(line) is not held(line).gateways.get(line)


@pytest.mark.parametrize("fails", [False, True], ids=["in order", "after a failure"])
async def test_the_service_closes_its_gateways(settings: Settings, exchange: Exchange, fails: bool) -> None:
    """Also when the process ends because something failed."""
    line = Gateway("line", exchange.open, exchange.close)
    application = create_app(settings, dataclasses.replace(COMPOSITION, held=(*COMPOSITION.held, line)))
    runtime: Runtime = application.state.runtime
    try:
        async with application.router.lifespan_context(application):
            opened = await runtime.gateways.reach(line)
            if fails:
                raise OSError("the server failed")
    except OSError as error:
        assert fails, error
    assert exchange.closed == [opened]
    assert runtime.database.checked_out() == 0
