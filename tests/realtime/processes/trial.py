"""A trial: people write charts and others read along, while what carries the events dies and comes back.

Each agency has writers, who go on until their share of events is stored, and readers of its worklist and of one of its
charts. The judge knows only what is stored in the outbox: each reader must have been told all of that, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from scripts.realtime_client import Event, Health, Pace, RealtimeClient, Told, incident_channel
from tests.core.waiting import expect_eventually
from tests.realtime.processes.installation import Installation, Process
from tests.support.actors import Agency
from tests.support.charts import INCIDENT

PACE = Pace(first=0.2, longest=1.0)
READERS = ("partner", "medic", "supervisor", "admin")


@dataclass(frozen=True)
class Scale:
    """`events`, `charts` and `readers` are those of each of the two agencies. The rest is in seconds.

    `rest` follows each autosave, `outage` is how long something stays dead, `pause` is the mean time between two
    disconnects.
    """

    events: int
    charts: int
    readers: int
    rest: float = 0.0
    outage: float = 0.0
    pause: float = 1.0


class Reader:
    """One client with the worklist of its agency and one chart. It keeps what it is told."""

    def __init__(self, agency: Agency, who: str, chart: str, addresses: Sequence[str]) -> None:
        self.tenant_id = agency.tenant_id
        self.chart = uuid.UUID(chart)
        self.worklist = f"tenant:{agency.tenant_id}:incidents"
        self.chart_channel = incident_channel(str(agency.tenant_id), chart)
        self.logs: dict[str, list[Event]] = {self.worklist: [], self.chart_channel: []}
        self.others: list[Told] = []
        self.began_at = addresses[0]
        self.client = RealtimeClient(addresses, self._token, self._receive, PACE)
        self.task: asyncio.Task[None] | None = None
        self._actor = agency.actors[who]

    async def open(self) -> None:
        self.task = asyncio.create_task(self.client.run())
        for channel in self.logs:
            await self.client.subscribe(channel)

    async def expect(self, channel: str, stored: Sequence[Mapping[str, Any]], seconds: float) -> None:
        """Returns when `stored` was told. Raises AssertionError if the log of the channel is anything else."""
        log = self.logs[channel]
        with contextlib.suppress(TimeoutError):
            await expect_eventually(lambda: len(log) >= len(stored), seconds)
        expect_log(log, stored)

    async def _token(self) -> str:
        assert self._actor.token is not None
        return self._actor.token

    def _receive(self, told: Told) -> None:
        if isinstance(told, Event):
            self.logs[told.channel].append(told)
        else:
            self.others.append(told)


@dataclass
class Writer:
    """Saves its chart by one process after the other, as a tablet whose requests may stay without an answer."""

    agency: Agency
    chart: str
    clients: Sequence[httpx.AsyncClient]
    version: int = 1
    answered: int = 0

    async def save_while(self, goes_on: Callable[[int], bool], rest: float) -> None:
        """Save as long as `goes_on` wants more than the number that was answered. Others may be stored, too."""
        for client in itertools.cycle(self.clients):
            if not goes_on(self.answered):
                return
            try:
                await self._save(client)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            await asyncio.sleep(rest)

    async def _save(self, client: httpx.AsyncClient) -> None:
        number = self.version
        body = {"version": number, "arrival_time": f"2026-11-01T{number // 60 % 24:02}:{number % 60:02}:00-06:00"}
        response = await self._request(client, "PATCH", json=body)
        if response.status_code == 200:
            self.version = response.json()["version"]
            self.answered += 1
        elif response.status_code == 409:  # the one before stayed without an answer, and was stored
            self.version = (await self._request(client, "GET")).json()["version"]
        else:
            assert response.status_code == 503, response.text

    async def _request(self, client: httpx.AsyncClient, method: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.agency.medic.token}"}
        return await client.request(method, f"/api/v1/ems/incidents/{self.chart}", headers=headers, **options)


@dataclass
class Trial:
    """Two agencies and everybody in them. `disturbed` is true while the writers must go on whatever they have."""

    scale: Scale
    agencies: list[Agency]
    writers: list[Writer]
    readers: list[Reader]
    disturbed: bool = False

    async def write(self) -> None:
        share = self.scale.events // self.scale.charts

        def goes_on(answered: int) -> bool:
            return answered < share or self.disturbed

        await asyncio.gather(*(writer.save_while(goes_on, self.scale.rest) for writer in self.writers))

    async def disconnect_at_random(self) -> None:
        """While the trial is disturbed."""
        while self.disturbed:
            await asyncio.sleep(random.uniform(0, 2 * self.scale.pause))  # noqa: S311
            random.choice(self.readers).client.disconnect()  # noqa: S311

    def everybody_reads(self) -> bool:
        return all(all(reader.logs.values()) for reader in self.readers)

    async def expect_everything_told(self, database: asyncpg.Connection, seconds: float) -> None:
        """Returns when every reader was told all that is stored. Raises AssertionError for the first who was not."""
        stored = {agency.tenant_id: await stored_events(database, agency.tenant_id) for agency in self.agencies}
        for reader in self.readers:
            events = stored[reader.tenant_id]
            await reader.expect(reader.worklist, events, seconds)
            of_chart = [event for event in events if event["aggregate_id"] == reader.chart]
            await reader.expect(reader.chart_channel, of_chart, seconds)
            assert [told for told in reader.others if not isinstance(told, Health)] == []


def expect_log(told: Sequence[Event], stored: Sequence[Mapping[str, Any]]) -> None:
    """`told` is what is stored: whole, once, counted without a gap, and in order of each chart."""
    ids = {str(row["id"]) for row in stored}
    assert [event.id for event in told if event.id not in ids] == [], "foreign"
    assert len({event.id for event in told}) == len(told), "twice"
    assert len(told) == len(stored), f"{len(stored) - len(told)} of {len(stored)} events are missing"
    begun = told[0].sequence
    assert [event.sequence for event in told] == list(range(begun, begun + len(told)))
    by_chart: dict[str, list[str]] = defaultdict(list)
    for event in told:
        by_chart[event.entity_id].append(event.id)
    for row in stored:
        assert by_chart[str(row["aggregate_id"])].pop(0) == str(row["id"])


async def stored_events(database: asyncpg.Connection, tenant_id: uuid.UUID) -> list[dict[str, Any]]:
    """The agency's autosaves in the order of the outbox: the charts were created before anybody read."""
    query = (
        "SELECT id, aggregate_id FROM outbox_events WHERE tenant_id = $1 AND topic = 'incident.updated'"
        " AND (payload->>'version')::integer > 1 ORDER BY sequence"
    )
    return [dict(row) for row in await database.fetch(query, tenant_id)]


@contextlib.asynccontextmanager
async def trial(
    installation: Installation, *, writing: Sequence[Process], reading: Sequence[Process], scale: Scale
) -> AsyncIterator[Trial]:
    """Two agencies with their charts, and readers who have their channels open."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=process.url, timeout=30)) for process in writing
        ]
        agencies = [await installation.found(clients[0]) for _ in range(2)]
        writers, readers = [], []
        for agency in agencies:
            charts = [await _new_chart(agency, number) for number in range(scale.charts)]
            writers += [Writer(agency, chart, clients) for chart in charts]
            for number in range(scale.readers):
                first = number % len(reading)  # readers begin at different processes
                addresses = [process.url for process in (*reading[first:], *reading[:first])]
                chart, who = charts[number % len(charts)], READERS[number % len(READERS)]
                readers.append(Reader(agency, who, chart, addresses))
        await _expect_charts_published(installation, agencies)
        try:
            await asyncio.gather(*(reader.open() for reader in readers))
            yield Trial(scale, agencies, writers, readers)
        finally:
            tasks = [reader.task for reader in readers if reader.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _expect_charts_published(installation: Installation, agencies: Sequence[Agency]) -> None:
    """Returns when the readers would no longer be told of the new charts, which the judge does not count."""
    waiting = "SELECT count(*) = 0 FROM outbox_events WHERE tenant_id = ANY($1) AND published_at IS NULL"
    tenants = [agency.tenant_id for agency in agencies]
    connection = await asyncpg.connect(installation.database.admin)
    try:
        await expect_eventually(lambda: connection.fetchval(waiting, tenants), 60)
    finally:
        await connection.close()


async def _new_chart(agency: Agency, number: int) -> str:
    body = {**INCIDENT, "incident_number": f"26-{number:06}"}
    chart: str = (await agency.medic.expect(201, "POST", "ems/incidents", json=body))["id"]
    return chart
