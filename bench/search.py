"""What finding a call costs among very many: pages of the list and of the search, the first and a far one.

`make bench ARGS=search` makes 300,000 charts of one agency beside 100,000 of another, and asks for each page as a
client does: a far one by its cursor. It exits with 1 only when it cannot measure.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import asyncpg
import orjson

from app.core.config import Settings
from app.core.pagination import encode_cursor
from app.core.paths import API_PREFIX
from bench.pages import Request, measure, summarize
from bench.report import Summary, table
from bench.scratch import dsn_of, found_agency, scratch_database
from bench.service import UnexpectedAnswer, running

_INCIDENTS = f"{API_PREFIX}/ems/incidents"
_BASE = "list, first page"
_LIMIT = 50
_CANNOT_MEASURE = (UnexpectedAnswer, OSError, asyncio.IncompleteReadError, asyncpg.PostgresError)
_BEGUN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

# One chart in ten has no dispatch time. A fifth of the names begin with s, a hundredth is Smith; three patients in all
# are called Quackenbush.
_CHARTS = """
INSERT INTO incidents (id, tenant_id, created_by, status, incident_number, dispatch_time, created_at)
SELECT gen_random_uuid(), $1, $2, CASE WHEN n % 50 = 0 THEN 'draft' ELSE 'locked' END, 'B-' || n,
  CASE WHEN n % 10 > 0 THEN $4::timestamptz + n * interval '9 minutes' END,
  $4::timestamptz + n * interval '9 minutes' + interval '20 seconds'
FROM generate_series(1, $3::integer) AS n
"""
_PATIENTS = """
INSERT INTO patients (id, tenant_id, incident_id, pcr_uuid, last_name, last_name_key, first_name, first_name_key,
  date_of_birth)
SELECT gen_random_uuid(), tenant_id, id, gen_random_uuid(), name, lower(name), 'Ana', 'ana',
  date '1930-01-01' + n % 30000
FROM (
  SELECT tenant_id, id, n, CASE
    WHEN n % ($2::integer / 3) = 7 THEN 'Quackenbush'
    WHEN n % 100 = 0 THEN 'Smith'
    WHEN n % 5 = 0 THEN 'S' || word
    ELSE substr('abcdefghijklmnopqrtuvwxyz', 1 + n % 25, 1) || word
  END AS name
  FROM (
    SELECT tenant_id, id, substr(incident_number, 3)::integer AS n,
      translate(md5((substr(incident_number, 3)::integer % 9000)::text), '0123456789', 'ghijklmnop') AS word
    FROM incidents WHERE tenant_id = $1
  ) AS charts
) AS named
"""
_PLACE = """
SELECT {key} AS at, id FROM incidents AS i
WHERE tenant_id = $1 AND ($2 = '' OR EXISTS (SELECT 1 FROM patients AS p
  WHERE p.tenant_id = i.tenant_id AND p.incident_id = i.id AND p.last_name_key LIKE $2 || '%'))
ORDER BY {key} DESC, id DESC OFFSET $3 LIMIT 1
"""
_SORT_KEYS = {"created_at": "created_at", "dispatch_time": "coalesce(dispatch_time, created_at)"}


@dataclass(frozen=True)
class Scale:
    """`page` is the far page that is asked for; `reads` of each page in each round."""

    incidents: int
    others: int
    page: int
    rounds: int
    reads: int


@dataclass(frozen=True)
class Asked:
    """One page. `last_name` makes it a search. `after` rows come before it."""

    sort: str = "created_at"
    last_name: str = ""
    after: int = 0

    async def cursor(self, database: asyncpg.Connection, tenant_id: uuid.UUID) -> str | None:
        if not self.after:
            return None
        query = _PLACE.format(key=_SORT_KEYS[self.sort])
        row = await database.fetchrow(query, tenant_id, self.last_name, self.after - 1)
        if row is None:
            raise UnexpectedAnswer(f"there are fewer than {self.after} rows")
        return encode_cursor(row["at"], row["id"], self.sort)

    def request(self, cursor: str | None) -> Request:
        page = {"limit": _LIMIT, "sort": f"-{self.sort}", **({} if cursor is None else {"cursor": cursor})}
        if self.last_name:
            return "POST", f"{_INCIDENTS}/search", {**page, "last_name": self.last_name}
        return "GET", f"{_INCIDENTS}?{urlencode(page)}", None


def pages(scale: Scale) -> dict[str, Asked]:
    """What is measured, by name."""
    far = (scale.page - 1) * _LIMIT
    name = f"page {scale.page:,}"
    return {
        _BASE: Asked(),
        f"list, {name}": Asked(after=far),
        "by dispatch, first page": Asked("dispatch_time"),
        f"by dispatch, {name}": Asked("dispatch_time", after=far),
        "search quackenbush": Asked(last_name="quackenbush"),
        "search smith": Asked(last_name="smith"),
        "search s, first page": Asked(last_name="s"),
        f"search s, {name}": Asked(last_name="s", after=far),
    }


async def fill(database: asyncpg.Connection, tenant_id: uuid.UUID, charts: int) -> None:
    """Charts of the agency with a patient each."""
    author = await database.fetchval("SELECT id FROM users WHERE tenant_id = $1 ORDER BY id LIMIT 1", tenant_id)
    await database.execute(_CHARTS, tenant_id, author, charts, _BEGUN, timeout=600)
    await database.execute(_PATIENTS, tenant_id, charts, timeout=600)


async def _run(environment: Mapping[str, str], scale: Scale) -> Summary:
    settings = Settings.model_validate({name.lower(): value for name, value in environment.items()})
    medic, other = await found_agency(settings), await found_agency(settings)
    database = await asyncpg.connect(dsn_of(environment["MIGRATION_DATABASE_URL"]))
    try:
        slugs = "SELECT id FROM tenants WHERE slug = $1"
        tenant_id = await database.fetchval(slugs, medic.tenant_slug)
        await fill(database, tenant_id, scale.incidents)
        await fill(database, await database.fetchval(slugs, other.tenant_slug), scale.others)
        await database.execute("ANALYZE incidents, patients", timeout=600)
        async with running(environment) as service:
            await service.sign_in(medic)
            asked = pages(scale).items()
            requests = {name: page.request(await page.cursor(database, tenant_id)) for name, page in asked}
            return summarize(await measure(service, requests, rounds=scale.rounds, reads=scale.reads), _BASE)
    finally:
        await database.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--incidents", type=int, default=300_000)
    parser.add_argument("--others", type=int, default=100_000)
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reads", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    scale = Scale(given.incidents, given.others, given.page, given.rounds, given.reads)
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
