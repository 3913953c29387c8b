"""What an autosave costs: the real PATCH of an incident beside the same work by hand, and beside the plain ORM way.

`python -m bench.autosave` (DATABASE_URL and its companions in the environment) prints round trips to PostgreSQL, CPU and
throughput of one process at 16 clients. Exits 1 only when it cannot measure: a slow machine is no error.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
from pydantic import SecretStr

from app.core.config import Environment, Settings
from bench.equivalence import Unequal, prove_equal
from bench.load import Client, Refused, run_load
from bench.processor import backend_seconds
from bench.scratch import Medic, dsn_of, found_agency, scratch_database
from bench.service import ROUTES, Service, running
from bench.wire import RoundTrips

WARM_UP = 10
COUNTED = 20
BASE = "hand-written"


@dataclass
class Cost:
    """One variant: round trips of one request, and a list over the rounds of each other measure."""

    round_trips: float
    python: list[float] = field(default_factory=list)
    postgres: list[float | None] = field(default_factory=list)
    throughput: list[float] = field(default_factory=list)
    median: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    clients: int
    rounds: int
    seconds: float


async def count_round_trips(environment: Mapping[str, str], medic: Medic, owner: str) -> dict[str, Cost]:
    """Over one warm connection through a counting proxy, after the proof that all variants do equal work."""
    wire = RoundTrips(environment["DATABASE_URL"])
    costs = {}
    async with wire.listening() as port:
        proxied = {
            **environment,
            "DATABASE_URL": dsn_of(environment["DATABASE_URL"], port=port),
            "DATABASE_POOL_SIZE": "1",
        }
        async with running(proxied) as service:
            await service.sign_in(medic)
            database = await asyncpg.connect(owner)
            await prove_equal(service, database)
            await database.close()
            for variant in ROUTES:
                client = await service.client(variant)
                for _ in range(WARM_UP):
                    await client.save()
                before = wire.count
                for _ in range(COUNTED):
                    await client.save()
                costs[variant] = Cost((wire.count - before) / COUNTED)
    return costs


async def measure(
    environment: Mapping[str, str], medic: Medic, owner: str, plan: Plan, costs: dict[str, Cost]
) -> None:
    """Rounds of every variant in turn, so that whatever else the machine does falls on all alike."""
    database = await asyncpg.connect(owner)
    async with running(environment) as service:
        await service.sign_in(medic)
        clients = {variant: [await service.client(variant) for _ in range(plan.clients)] for variant in ROUTES}
        for each in clients.values():
            await run_load(each, min(1.0, plan.seconds))
        for _ in range(plan.rounds):
            for variant, each in clients.items():
                await _measure_once(service, database, each, plan.seconds, costs[variant])
    await database.close()


async def _measure_once(
    service: Service, database: asyncpg.Connection, clients: list[Client], seconds: float, cost: Cost
) -> None:
    python, postgres = await service.cpu_seconds(), await backend_seconds(database)
    started = time.perf_counter()
    took = await run_load(clients, seconds)
    elapsed = time.perf_counter() - started
    after = await backend_seconds(database)
    cost.python.append((await service.cpu_seconds() - python) / len(took) * 1e6)
    cost.postgres.append(None if postgres is None or after is None else (after - postgres) / len(took) * 1e6)
    cost.throughput.append(len(took) / elapsed)
    cost.median.append(took[len(took) // 2] * 1e3)
    cost.slowest.append(took[len(took) * 99 // 100] * 1e3)


def summarize(costs: dict[str, Cost]) -> dict[str, dict[str, Any]]:
    """Medians over the rounds; CPU and times per request. `ratio`: Python CPU against the hand-written route."""
    summary = {}
    for variant, cost in costs.items():
        postgres = [value for value in cost.postgres if value is not None]
        summary[variant] = {
            "round_trips": cost.round_trips,
            "python_us": round(statistics.median(cost.python)),
            "ratio": round(statistics.median(map(_quotient, cost.python, costs[BASE].python)), 2),
            "postgres_us": round(statistics.median(postgres)) if len(postgres) == len(cost.postgres) else None,
            "per_second": round(statistics.median(cost.throughput)),
            "p50_ms": round(statistics.median(cost.median), 1),
            "p99_ms": round(statistics.median(cost.slowest), 1),
        }
    return summary


def _quotient(value: float, base: float) -> float:
    """Of one round: neighbours in time share the machine's mood."""
    return value / base


def table(summary: dict[str, dict[str, Any]]) -> str:
    heads = ("", *next(iter(summary.values())))
    rows = [(variant, *("–" if value is None else str(value) for value in row.values())) for variant, row in summary.items()]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in (heads, *rows)
    )


def run(plan: Plan) -> dict[str, dict[str, Any]]:
    """Blocking: the whole measurement, from an empty database to the summary."""
    with scratch_database() as dsns:
        environment = {**dsns, "ENVIRONMENT": Environment.TEST.value, "PASSWORD_ROUNDS": "4", "LOG_LEVEL": "INFO"}
        return asyncio.run(_run(environment, plan))


async def _run(environment: Mapping[str, str], plan: Plan) -> dict[str, dict[str, Any]]:
    owner = dsn_of(environment["MIGRATION_DATABASE_URL"])
    medic = await found_agency(
        Settings(environment=Environment.TEST, database_url=SecretStr(environment["DATABASE_URL"]), migration_database_url=SecretStr(owner), password_rounds=4)
    )
    costs = await count_round_trips(environment, medic, owner)
    await measure(environment, medic, owner, plan, costs)
    return summarize(costs)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.autosave", description=__doc__)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each variant in each round")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        summary = run(Plan(given.clients, given.rounds, given.seconds))
    except (Refused, Unequal, RuntimeError, OSError, asyncpg.PostgresError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(summary).decode() if given.json else table(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
