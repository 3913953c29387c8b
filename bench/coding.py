"""What a lookup of ICD-10-CM costs: as the app handles it, and its search beside SQLite's FTS5 over the same rows.

`make bench ARGS=coding` asks the queries of tests/coding/relevance.toml as they are typed: each keystroke is a query.
It exits with 1 only when it cannot measure.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sqlite3
import statistics
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import asyncpg
import orjson
from fastapi import FastAPI

from app.coding.icd10.index import ICD10_BOOK
from app.coding.icd10.service import Icd10Search, find_codes, today
from app.coding.lookup.book import Consultation, LoadedCodes
from app.coding.lookup.shipped import shipped_terms
from app.coding.vocabulary.schemas import CodeDomain
from app.core.config import Settings
from app.core.paths import API_PREFIX
from app.main import create_app
from bench.report import Summary, table
from bench.scratch import ROOT, Medic, dsn_of, found_agency, scratch_database
from scripts.codesets.__main__ import load_shipped
from scripts.codesets.reading import BadRelease

LIMIT = 20
CLIENTS = 16
_CODE = re.compile(r"[A-Za-z][0-9A-Za-z]{0,2}\.?[0-9A-Za-z]*")
_API = API_PREFIX


class NotMeasurable(Exception):
    """The service does not answer as the measurement needs it."""


def keystrokes() -> list[str]:
    """The text in the field after each key, from the second character on."""
    asked = tomllib.loads((ROOT / "tests" / "coding" / "relevance.toml").read_text(encoding="utf-8"))["query"]
    typed = [query["q"] for query in asked if query["domain"] == "icd10"]
    return list(dict.fromkeys(text[:end] for text in typed for end in range(2, len(text) + 1)))


class Sqlite:
    """SQLite in memory: FTS5 with a prefix index finds words, ranked by billable and bm25.

    A range of the primary key finds codes.
    """

    def __init__(self, codes: LoadedCodes) -> None:
        index = codes.index
        rows = [
            (code, code.replace(".", ""), index.names[number], index.leading >> number & 1)
            for number, code in enumerate(index.codes)
        ]
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute("CREATE TABLE codes (compact TEXT PRIMARY KEY, code, name, billable)")
        self._connection.execute(
            "CREATE VIRTUAL TABLE names USING fts5(code UNINDEXED, name, billable UNINDEXED, prefix='2 3')"
        )
        self._connection.executemany("INSERT INTO codes VALUES (?2, ?1, ?3, ?4)", rows)
        self._connection.executemany("INSERT INTO names VALUES (?1, ?3, ?4)", [(row[0], "", *row[2:]) for row in rows])

    def find(self, text: str) -> list[Any]:
        if _CODE.fullmatch(text):
            first = text.upper().replace(".", "")
            found = self._connection.execute(
                "SELECT code, name FROM codes WHERE compact >= ? AND compact < ? ORDER BY compact LIMIT ?",
                (first, f"{first}~", LIMIT),
            ).fetchall()
            if found:
                return found
        words = re.findall(r"[a-z0-9]+", text.lower())
        match = " ".join([*(f'"{word}"' for word in words[:-1]), *(f'"{word}"*' for word in words[-1:])])
        if not match:
            return []
        return self._connection.execute(
            "SELECT code, name FROM names WHERE names MATCH ? ORDER BY billable DESC, rank LIMIT ?", (match, LIMIT)
        ).fetchall()


@dataclass
class Caller:
    """Sends requests to the app itself, without a server: what the network adds is the same for everything."""

    app: FastAPI
    token: str = ""

    async def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        target, _, query = path.partition("?")
        content = b"" if body is None else orjson.dumps(body)
        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": [*headers, (b"content-length", str(len(content)).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("bench", 80),
            "scheme": "http",
            "root_path": "",
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    async def sign_in(self, medic: Medic) -> None:
        status, answer = await self.request("POST", f"{_API}/auth/login", vars(medic))
        if status != 200:
            raise NotMeasurable(answer.decode())
        self.token = orjson.loads(answer)["access_token"]

    async def look_up(self, text: str) -> None:
        status, answer = await self.request("GET", f"{_API}/coding/icd10?q={quote(text)}&limit={LIMIT}")
        if status != 200:
            raise NotMeasurable(answer.decode())


def timed(find: Callable[[str], Any], queries: Sequence[str]) -> list[float]:
    """How many milliseconds each query took."""
    took = []
    for text in queries:
        started = time.perf_counter()
        find(text)
        took.append((time.perf_counter() - started) * 1e3)
    return took


async def handled(caller: Caller, queries: Sequence[str]) -> list[float]:
    took = []
    for text in queries:
        started = time.perf_counter()
        await caller.look_up(text)
        took.append((time.perf_counter() - started) * 1e3)
    return took


async def measure(caller: Caller, codes: LoadedCodes, rounds: int) -> Summary:
    """Each round measures every way. The result holds the medians over the rounds."""
    queries = keystrokes()
    sqlite = Sqlite(codes)
    consulted = Consultation(codes, shipped_terms(CodeDomain.ICD10), "")
    on = today()
    together = f"handler, {CLIENTS} clients"
    ways: dict[str, list[list[float]]] = {"handler": [], "search": [], "SQLite FTS5": [], together: []}
    rates: dict[str, list[float]] = {"handler": [], together: []}
    await handled(caller, queries[:200])
    for _ in range(rounds):
        started = time.perf_counter()
        ways["handler"].append(await handled(caller, queries))
        rates["handler"].append(len(queries) / (time.perf_counter() - started))
        ways["search"].append(timed(lambda text: find_codes(consulted, Icd10Search(text, on, LIMIT)), queries))
        ways["SQLite FTS5"].append(timed(sqlite.find, queries))
        started = time.perf_counter()
        parts = await asyncio.gather(*(handled(caller, queries[at::CLIENTS]) for at in range(CLIENTS)))
        rates[together].append(len(queries) / (time.perf_counter() - started))
        ways[together].append([took for part in parts for took in part])
    return summarize(ways, rates)


def summarize(ways: dict[str, list[list[float]]], rates: dict[str, list[float]]) -> Summary:
    """`to SQLite` and `to one client` divide figures of one round: other load on the machine falls on both alike."""
    base, alone = ways["SQLite FTS5"], rates["handler"]
    summary: Summary = {}
    for name, rounds in ways.items():
        several = name.endswith("clients")
        summary[name] = {
            "p50 ms": None if several else _median(_quantile(took, 50) for took in rounds),
            "p99 ms": None if several else _median(_quantile(took, 99) for took in rounds),
            "p50 to SQLite": None
            if several
            else _median(_quantile(mine, 50) / _quantile(its, 50) for mine, its in zip(rounds, base, strict=True)),
            "p99 to SQLite": None
            if several
            else _median(_quantile(mine, 99) / _quantile(its, 99) for mine, its in zip(rounds, base, strict=True)),
            "requests/s to one client": _median(mine / its for mine, its in zip(rates[name], alone, strict=True))
            if name in rates
            else None,
        }
    return summary


def _quantile(took: Sequence[float], percent: int) -> float:
    return sorted(took)[len(took) * percent // 100]


def _median(values: Any) -> float:
    return round(float(statistics.median(values)), 3)


async def _run(environment: dict[str, str], rounds: int) -> Summary:
    settings = Settings.model_validate({name.lower(): value for name, value in environment.items()})
    owner = await asyncpg.connect(dsn_of(environment["MIGRATION_DATABASE_URL"]))
    try:
        await load_shipped(owner)
    finally:
        await owner.close()
    medic = await found_agency(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        caller = Caller(app)
        await caller.sign_in(medic)
        return await measure(caller, await app.state.runtime.gateways.get(ICD10_BOOK).refresh(), rounds)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.coding", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="instead of the table")
    given = parser.parse_args(arguments)
    try:
        with scratch_database() as dsns:
            environment = {**dsns, "ENVIRONMENT": "test", "PASSWORD_ROUNDS": "4", "RUN_JOBS": "false"}
            environment["LOG_LEVEL"] = "ERROR"
            summary = asyncio.run(_run(environment, given.rounds))
    except (NotMeasurable, BadRelease, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(summary).decode() if given.json else table(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
