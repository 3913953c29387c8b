"""What opening a whole chart costs: GET …/chart beside asyncpg alone and the same JSON.

`make bench ARGS=chart_read` measures a chart of 500 vitals and 200 interventions, unless its options say otherwise. It
exits with 1 only when it cannot measure. Rivals that answer different things cannot be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

from app.core.config import Settings
from app.core.paths import API_PREFIX
from bench.equivalence import Unequal
from bench.processor import backend_seconds
from bench.report import Summary, table
from bench.scratch import dsn_of, found_agency, scratch_database
from bench.service import Service, UnexpectedAnswer, running

_API = f"{API_PREFIX}/ems/incidents"
_ROUTES = {"real": "chart", "hand-written": "chart/by-hand"}
Run = Callable[[Mapping[str, str], "Scale"], Coroutine[Any, Any, Summary]]
_BATCH = 100  # changes of one sync
_CANNOT_MEASURE = (Unequal, UnexpectedAnswer, OSError, asyncio.IncompleteReadError, asyncpg.PostgresError)


@dataclass(frozen=True)
class Scale:
    """`reads` of each variant in each round."""

    vitals: int
    interventions: int
    rounds: int
    reads: int


@dataclass
class Cost:
    python: list[float] = field(default_factory=list)  # CPU ms per read, a value per round
    postgres: list[float] = field(default_factory=list)  # empty where it cannot be read
    took: list[float] = field(default_factory=list)  # ms, a value per read


async def fill(service: Service, scale: Scale) -> str:
    """Make a chart of that size by syncs, as a device does. The result is its id."""
    incident: str = (await service.open_chart())["id"]
    patient = await service.expect(201, "POST", f"{_API}/{incident}/patients", {"last_name": "Rivers"})
    about = {"patient_id": patient["id"]}
    vital = about | {"taken_at": "2026-03-01T10:00:00Z", "heart_rate": 80, "spo2": 97, "temperature_c": "36.6"}
    dose = {"rxcui": "1191", "dose": "324.000", "dose_unit": "3706021", "performed_at": "2026-03-01T10:05:00Z"}
    entries: list[tuple[str, dict[str, Any]]] = [("vital", vital)] * scale.vitals
    entries += [("intervention", {**about, "type": "medication", **dose})] * scale.interventions
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        changes = [{"kind": kind, "op": "create", "id": str(uuid.uuid4()), "data": data} for kind, data in batch]
        answer = await service.expect(200, "POST", f"{_API}/{incident}/sync", {"changes": changes})
        refused = [result["error"] for result in answer["results"] if result["outcome"] != "saved"]
        if refused:
            raise UnexpectedAnswer(f"sync: {refused[0]}")
    return incident


async def measure(service: Service, database: asyncpg.Connection, incident: str, scale: Scale) -> dict[str, Cost]:
    """Each round measures every variant, and begins with another one than the round before."""
    answers = {name: await service.expect(200, "GET", f"{_API}/{incident}/{path}") for name, path in _ROUTES.items()}
    if answers["real"] != answers["hand-written"]:
        raise Unequal("the rivals answer different charts")
    costs = {name: Cost() for name in _ROUTES}
    turns = list(_ROUTES)
    for _ in range(scale.rounds):
        for name in turns:
            await _measure_once(service, database, f"{_API}/{incident}/{_ROUTES[name]}", scale.reads, costs[name])
        turns.append(turns.pop(0))
    return costs


async def _measure_once(service: Service, database: asyncpg.Connection, path: str, reads: int, cost: Cost) -> None:
    await service.collect_garbage()
    python, postgres = await service.cpu_seconds(), await backend_seconds(database)
    for _ in range(reads):
        started = time.perf_counter()
        status, _content = await service.http.request("GET", path, None, service.token)
        cost.took.append((time.perf_counter() - started) * 1e3)
        if status != 200:
            raise UnexpectedAnswer(f"GET {path}: {status}")
    after = await backend_seconds(database)
    if postgres is not None and after is not None:
        cost.postgres.append((after - postgres) / reads * 1e3)
    cost.python.append((await service.cpu_seconds() - python) / reads * 1e3)


def summarize(costs: dict[str, Cost]) -> Summary:
    """The medians over the rounds. `ratio` is the Python CPU by that of the hand-written route in the same round."""
    base = costs["hand-written"].python
    return {
        name: {
            "Python ms": _median(cost.python),
            "ratio": _median([mine / other for mine, other in zip(cost.python, base, strict=True)]),
            "PostgreSQL ms": _median(cost.postgres),
            "p50 ms": _median(cost.took),
        }
        for name, cost in costs.items()
    }


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 2) if values else None


async def _run(environment: Mapping[str, str], scale: Scale) -> Summary:
    medic = await found_agency(Settings.model_validate({name.lower(): value for name, value in environment.items()}))
    database = await asyncpg.connect(dsn_of(environment["MIGRATION_DATABASE_URL"]))
    try:
        async with running(environment) as service:
            await service.sign_in(medic)
            return summarize(await measure(service, database, await fill(service, scale), scale))
    finally:
        await database.close()


def measured(module: str, about: str, run: Run, arguments: list[str]) -> int:
    """The command of a measurement on one chart. It answers 1 when it cannot measure."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about.partition("\n")[0])
    parser.add_argument("--vitals", type=int, default=500)
    parser.add_argument("--interventions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--reads", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    scale = Scale(given.vitals, given.interventions, given.rounds, given.reads)
    try:
        with scratch_database() as dsns:
            environment = {**dsns, "ENVIRONMENT": "test", "PASSWORD_ROUNDS": "4"}
            summary = asyncio.run(run(environment, scale))
    except _CANNOT_MEASURE as error:
        print(f"cannot measure: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(summary).decode() if given.json else table(summary))
    return 0


def main(arguments: list[str]) -> int:
    return measured("bench.chart_read", __doc__ or "", _run, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
