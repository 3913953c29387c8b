"""What an autosave costs: the real PATCH of an incident beside the same work by hand, and beside the plain ORM way.

`make bench` measures one process at 16 clients. It exits with 1 only when it cannot measure. Variants that do not do
equal work cannot be measured; a slow machine can.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import orjson

from app.core.config import Settings
from bench.equivalence import Unequal, prove_equal
from bench.load import Client, Refused, run_load
from bench.processor import backend_seconds
from bench.report import Cost, Summary, summarize, table
from bench.scratch import Medic, dsn_of, found_agency, scratch_database
from bench.service import ROUTES, Service, UnexpectedAnswer, running
from bench.wire import RoundTrips

WARM_UP, COUNTED = 10, 20  # requests
_CANNOT_MEASURE = (Refused, Unequal, UnexpectedAnswer, OSError, asyncio.IncompleteReadError, asyncpg.PostgresError)


@dataclass(frozen=True)
class Scale:
    """`seconds` of load on each variant in each round."""

    clients: int
    rounds: int
    seconds: float


async def count_round_trips(
    environment: Mapping[str, str], medic: Medic, database: asyncpg.Connection
) -> dict[str, Cost]:
    """The round trips of one request on one warm connection, read off the wire.

    It is proved before that all variants do equal work.
    """
    wire = RoundTrips(environment["DATABASE_URL"])
    costs = {}
    async with wire.listening() as port:
        counted = dsn_of(environment["DATABASE_URL"], port=port)
        async with running({**environment, "DATABASE_URL": counted, "DATABASE_POOL_SIZE": "1"}) as service:
            await service.sign_in(medic)
            await prove_equal(service, database)
            for variant in ROUTES:
                client = await service.client(variant)
                for _ in range(WARM_UP):
                    await client.save()
                before = wire.count
                for _ in range(COUNTED):
                    await client.save()
                costs[variant] = Cost((wire.count - before) / COUNTED)
    return costs


async def measure(service: Service, database: asyncpg.Connection, scale: Scale, costs: dict[str, Cost]) -> None:
    """Each round measures every variant, and begins with another one than the round before.

    What else the machine does thus falls on all of them.
    """
    clients = {variant: [await service.client(variant) for _ in range(scale.clients)] for variant in ROUTES}
    for each in clients.values():
        await run_load(each, min(1.0, scale.seconds))
    turns = list(ROUTES)
    for _ in range(scale.rounds):
        for variant in turns:
            await _measure_once(service, database, clients[variant], scale.seconds, costs[variant])
        turns.append(turns.pop(0))


async def _measure_once(
    service: Service, database: asyncpg.Connection, clients: list[Client], seconds: float, cost: Cost
) -> None:
    await service.collect_garbage()
    python, postgres, started = await service.cpu_seconds(), await backend_seconds(database), time.perf_counter()
    took = await run_load(clients, seconds)
    cost.per_second.append(len(took) / (time.perf_counter() - started))
    after = await backend_seconds(database)
    if postgres is not None and after is not None:
        cost.postgres.append((after - postgres) / len(took) * 1e6)
    cost.python.append((await service.cpu_seconds() - python) / len(took) * 1e6)
    cost.p50.append(took[len(took) // 2] * 1e3)
    cost.p99.append(took[len(took) * 99 // 100] * 1e3)


async def _run(environment: Mapping[str, str], scale: Scale) -> Summary:
    medic = await found_agency(Settings.model_validate({name.lower(): value for name, value in environment.items()}))
    database = await asyncpg.connect(dsn_of(environment["MIGRATION_DATABASE_URL"]))
    try:
        costs = await count_round_trips(environment, medic, database)
        async with running(environment) as service:
            await service.sign_in(medic)
            await measure(service, database, scale, costs)
    finally:
        await database.close()
    return summarize(costs)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.autosave", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load on each variant in each round")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    given = parser.parse_args(arguments)
    try:
        with scratch_database() as dsns:
            environment = {**dsns, "ENVIRONMENT": "test", "PASSWORD_ROUNDS": "4"}
            summary = asyncio.run(_run(environment, Scale(given.clients, given.rounds, given.seconds)))
    except _CANNOT_MEASURE as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(summary).decode() if given.json else table(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
