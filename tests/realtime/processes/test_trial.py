"""Whatever dies meanwhile, each reader's log is the full sequence of its channels, in order, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from scripts.realtime_client import Health
from tests.core.waiting import expect_eventually
from tests.realtime.processes.installation import Installation, Process, Redis
from tests.realtime.processes.trial import Scale, trial

SHORT = Scale(events=200, charts=2, readers=6, rest=0.05, outage=2, pause=0.1)
LONG = Scale(events=10_000, charts=4, readers=50, outage=20, pause=0.05)


@pytest.fixture
async def own_admin(installation: Installation) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(installation.database.admin)
    yield connection
    await connection.close()


async def test_an_event_of_one_process_reaches_readers_of_the_other(
    installation: Installation, processes: list[Process], own_admin: asyncpg.Connection
) -> None:
    """One event of each chart is written through the first process, and one through the second."""
    scale = Scale(events=2, charts=1, readers=2)
    async with trial(installation, writing=processes, reading=processes, scale=scale) as held:
        assert {reader.began_at for reader in held.readers} == {process.url for process in processes}
        await held.write()
        await held.expect_everything_told(own_admin, 30)
        assert held.everybody_reads()


async def disturb(redis: Redis, mortal: Sequence[Process], outage: float) -> None:
    """Let Redis and each of these processes die once, and come back."""
    await redis.kill()
    await asyncio.sleep(outage)
    await redis.start()
    for process in mortal:
        await process.kill()
        await asyncio.sleep(outage / 10)
        await process.start()


async def expect_nothing_lost(
    installation: Installation,
    processes: list[Process],
    database: asyncpg.Connection,
    scale: Scale,
    mortal: Sequence[Process],
) -> None:
    async with trial(installation, writing=processes, reading=processes, scale=scale) as held:
        held.disturbed = True
        writing, cutting = asyncio.create_task(held.write()), asyncio.create_task(held.disconnect_at_random())
        await expect_eventually(held.everybody_reads, 60)
        await disturb(installation.redis, mortal, scale.outage)
        held.disturbed = False
        await asyncio.gather(writing, cutting)
        await held.expect_everything_told(database, 120)
        assert any(Health(degraded=True) in reader.others for reader in held.readers)


async def test_nothing_is_lost_or_told_twice(
    installation: Installation, processes: list[Process], own_admin: asyncpg.Connection
) -> None:
    """One process dies. The long trial kills the other one, too: a start is expensive."""
    await expect_nothing_lost(installation, processes, own_admin, SHORT, processes[:1])


@pytest.mark.long
async def test_nothing_is_lost_or_told_twice_among_many(
    installation: Installation, processes: list[Process], own_admin: asyncpg.Connection
) -> None:
    await expect_nothing_lost(installation, processes, own_admin, LONG, processes)
