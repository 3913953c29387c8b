"""What the websocket costs: an event to many sockets beside a bare broadcast of the same bytes, and idle sockets.

Each round measures autosaves while nobody listens, opens the sockets on another chart, measures autosaves again, and
then saves that chart. The bare server gets the same number of clients and the same bytes. What the service spends on a
message is all that its process does from the autosave to the last socket: the request, the relay and the fan-out.
It exits with 1 only when it cannot measure.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import orjson

from app.core.config import Settings
from app.core.paths import API_PREFIX
from app.server import allow_files
from bench.load import Client, Refused, run_load
from bench.processor import resident_bytes
from bench.report import Summary, table
from bench.scratch import ROOT, found_agency, scratch_database
from bench.service import Service, UnexpectedAnswer, running
from bench.sockets import Socket, SocketRefused, expect_all, open_sockets

_SOCKET = f"{API_PREFIX}/realtime/ws"
_CANNOT_MEASURE = (
    Refused, SocketRefused, UnexpectedAnswer, OSError, asyncio.IncompleteReadError, asyncpg.PostgresError
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """`events` are sent to all `sockets` in each round; `seconds` of autosaves by `clients`, with and without them."""

    sockets: int
    rounds: int
    events: int
    clients: int
    seconds: float

    @property
    def limits(self) -> dict[str, str]:
        """Settings with room for the sockets of one round while those of the round before still end."""
        room = str(2 * self.sockets + 64)
        names = ("REALTIME_CONNECTIONS", "REALTIME_CONNECTIONS_PER_TENANT", "REALTIME_CONNECTIONS_PER_USER")
        return {"MAX_CONNECTIONS": str(2 * self.sockets + 256), **dict.fromkeys(names, room)}


@dataclass
class Cost:
    """A value per round: CPU µs per message or autosave, ms to the last socket, and KiB per socket of the first."""

    cpu: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


@dataclass
class Costs:
    service: Cost = field(default_factory=Cost)
    bare: Cost = field(default_factory=Cost)
    alone: Cost = field(default_factory=Cost)
    beside_idle: Cost = field(default_factory=Cost)


@dataclass
class Audience:
    """The chart whose channel all sockets have open, and the client that saves it."""

    service: Service
    tenant_id: str
    writer: Client

    @classmethod
    async def of(cls, service: Service) -> Audience:
        me = await service.expect(200, "GET", f"{API_PREFIX}/auth/me")
        writer = await service.client("real")
        await writer.save()  # a connection without any request is cut soon
        return cls(service, me["tenant_id"], writer)

    async def listen(self) -> Socket:
        """A socket on which events come next."""
        chart = self.writer.path.rpartition("/")[2]
        opened = await Socket.connect(self.service.port, _SOCKET)
        opened.send({"type": "hello", "token": self.service.token})
        await opened.expect(1)
        opened.send({"type": "subscribe", "channel": f"incident:{self.tenant_id}:{chart}"})
        await opened.expect(2)
        if b'"subscribed"' not in opened.last:
            raise SocketRefused(opened.last.decode())
        return opened


@dataclass
class BareServer:
    """The rival's process. `control` tells it what to send."""

    port: int
    pid: int
    control: Socket

    async def cpu_after(self, message: str = "") -> float:
        """CPU seconds of the process, after it has sent `message` to everybody else."""
        before = self.control.count
        self.control.send_text(message)
        await self.control.expect(before + 1)
        return float(self.control.last)


@contextlib.asynccontextmanager
async def bare_server(most: int) -> AsyncIterator[BareServer]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        port, descriptor = listening.getsockname()[1], listening.fileno()
        process = subprocess.Popen(  # noqa: ASYNC220  # returns at once; its end is awaited below
            [sys.executable, "-m", "bench.bare_sockets", str(descriptor), str(most)], cwd=ROOT, pass_fds=[descriptor]
        )
        listening.close()
        try:
            control = await Socket.connect(port, "/")
            yield BareServer(port, process.pid, control)
            control.close()
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


async def _measure_autosaves(service: Service, clients: Sequence[Client], seconds: float, cost: Cost) -> None:
    await service.collect_garbage()
    before = await service.cpu_seconds()
    took = await run_load(clients, seconds)
    cost.cpu.append((await service.cpu_seconds() - before) / len(took) * 1e6)


async def _measure_service(audience: Audience, sockets: Sequence[Socket], events: int, cost: Cost) -> str:
    """The last message, as the sockets got it."""
    service = audience.service
    await service.collect_garbage()
    took = []
    before = await service.cpu_seconds()
    for _ in range(events):
        started, count = time.perf_counter(), sockets[0].count
        await audience.writer.save()
        await expect_all(sockets, count + 1)
        took.append((time.perf_counter() - started) * 1e3)
    cost.cpu.append((await service.cpu_seconds() - before) / (events * len(sockets)) * 1e6)
    cost.last.append(statistics.median(took))
    return sockets[0].last.decode()


async def _measure_bare(server: BareServer, sockets: Sequence[Socket], message: str, events: int, cost: Cost) -> None:
    took = []
    before = after = await server.cpu_after()
    for _ in range(events):
        started, count = time.perf_counter(), sockets[0].count
        after = await server.cpu_after(message)
        await expect_all(sockets, count + 1)
        took.append((time.perf_counter() - started) * 1e3)
    cost.cpu.append((after - before) / (events * len(sockets)) * 1e6)
    cost.last.append(statistics.median(took))


async def measure(service: Service, scale: Scale) -> Costs:
    """The first round opens the sockets in a fresh process, so it tells what they hold."""
    costs = Costs()
    audience = await Audience.of(service)
    clients = [await service.client("real") for _ in range(scale.clients)]
    await run_load(clients, min(1.0, scale.seconds))
    async with bare_server(2 * scale.sockets) as bare:
        for number in range(scale.rounds):
            await _measure_autosaves(service, clients, scale.seconds, costs.alone)
            held = resident_bytes(service.pid), resident_bytes(bare.pid)
            sockets = await open_sockets(scale.sockets, audience.listen)
            rivals = await open_sockets(scale.sockets, lambda: Socket.connect(bare.port, "/"))
            if number == 0:
                await service.collect_garbage()
                for cost, pid, before in zip((costs.service, costs.bare), (service.pid, bare.pid), held, strict=True):
                    cost.memory.append((resident_bytes(pid) - before) / scale.sockets / 1024)
            await _measure_autosaves(service, clients, scale.seconds, costs.beside_idle)
            message = await _measure_service(audience, sockets, scale.events, costs.service)
            await _measure_bare(bare, rivals, message, scale.events, costs.bare)
            for opened in (*sockets, *rivals):
                opened.close()
            await asyncio.sleep(0.2)
    return costs


def summarize(costs: Costs) -> Summary:
    """The medians over the rounds. `ratio` is by the bare broadcast, or the autosaves without sockets, of the round."""
    rows = {
        "message, service": (costs.service, costs.bare),
        "message, bare websockets": (costs.bare, costs.bare),
        "autosave, no socket": (costs.alone, costs.alone),
        "autosave, idle sockets": (costs.beside_idle, costs.alone),
    }
    return {
        name: {
            "CPU µs": _median(cost.cpu, 1),
            "ratio": _median([mine / other for mine, other in zip(cost.cpu, base.cpu, strict=True)], 3),
            "ms to the last": _median(cost.last, 1),
            "KiB/socket": _median(cost.memory, 1),
        }
        for name, (cost, base) in rows.items()
    }


def _median(values: Sequence[float], digits: int) -> float | None:
    return round(statistics.median(values), digits) if values else None


async def _run(environment: Mapping[str, str], scale: Scale) -> Summary:
    medic = await found_agency(Settings.model_validate({name.lower(): value for name, value in environment.items()}))
    async with running({**environment, **scale.limits}, with_relay=True) as service:
        await service.sign_in(medic)
        return summarize(await measure(service, scale))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.realtime", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20, help="to all sockets in each round")
    parser.add_argument("--clients", type=int, default=16, help="that save charts of their own")
    parser.add_argument("--seconds", type=float, default=2.0, help="of autosaves, twice in each round")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    given = parser.parse_args(arguments)
    scale = Scale(given.sockets, given.rounds, given.events, given.clients, given.seconds)
    allow_files(2 * scale.sockets)
    try:
        with scratch_database() as dsns:
            environment = {**dsns, "ENVIRONMENT": "test", "PASSWORD_ROUNDS": "4"}
            summary = asyncio.run(_run(environment, scale))
    except _CANNOT_MEASURE as error:
        print(f"cannot measure: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(summary).decode() if given.json else table(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
