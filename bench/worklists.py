"""What finding work costs among very many claims: pages of worklists, the first and a far one, counts, open trips.

`make bench ARGS=worklists` makes 200,000 claims of one agency, each of a locked chart of its own, and a thousand locked
charts without a claim; the far page is asked for by its cursor. It exits with 1 only when it cannot measure.
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

_BILLING = f"{API_PREFIX}/billing"
_BASE = "ready, first page"
_LIMIT = 100
_CANNOT_MEASURE = (UnexpectedAnswer, OSError, asyncio.IncompleteReadError, asyncpg.PostgresError)
_PAYERS = """
INSERT INTO payers (id, tenant_id, name, payer_id, claim_filing_code, timely_filing_days)
SELECT gen_random_uuid(), $1, 'Payer ' || n, 'P' || n, 'CI', 90 + n * 10 FROM generate_series(1, 20) AS n
"""
# One chart in two hundred has no claim. Half of the claims are assigned, a hundredth is stale.
_CHARTS = """
INSERT INTO incidents (id, tenant_id, created_by, status, incident_number, dispatch_time, created_at)
SELECT gen_random_uuid(), $1, (SELECT id FROM users WHERE tenant_id = $1 ORDER BY id LIMIT 1), 'locked', 'B-' || n,
  now() - n * interval '4 minutes', now() - n * interval '4 minutes'
FROM generate_series(1, $2::integer) AS n
"""
_PATIENTS = """
INSERT INTO patients (id, tenant_id, incident_id, pcr_uuid)
SELECT gen_random_uuid(), tenant_id, id, gen_random_uuid() FROM incidents WHERE tenant_id = $1
"""
_CLAIMS = """
INSERT INTO claims (id, tenant_id, incident_id, patient_id, claim_number, status, diagnoses, charge_amount,
  certifications, service_date, created_at, payer_record_id, stale_since, assigned_to_user_id)
SELECT gen_random_uuid(), $1, i.id, p.id, i.incident_number, 'ready_to_export', '[]', 1015.60, '{}',
  i.dispatch_time::date, i.created_at + interval '1 day', payer.ids[1 + n % 20],
  CASE WHEN n % 100 = 0 THEN now() END, CASE WHEN n % 2 = 0 THEN i.created_by END
FROM (SELECT *, substr(incident_number, 3)::integer AS n FROM incidents WHERE tenant_id = $1) AS i
JOIN patients AS p ON p.incident_id = i.id AND p.tenant_id = $1
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM payers WHERE tenant_id = $1) AS payer
WHERE n <= $2
"""
_PLACES = {
    "service_date": "SELECT service_date AS at, id FROM claims WHERE tenant_id = $1 ORDER BY 1, 2 OFFSET $2 LIMIT 1",
    "created_at": "SELECT created_at AS at, id FROM claims WHERE tenant_id = $1 ORDER BY 1, 2 OFFSET $2 LIMIT 1",
    "file_by": "SELECT c.service_date + p.timely_filing_days AS at, c.id FROM claims AS c"
    " JOIN payers AS p ON p.id = c.payer_record_id WHERE c.tenant_id = $1 ORDER BY 1, 2 OFFSET $2 LIMIT 1",
}
"""The row before the far page, by the order of the list."""


@dataclass(frozen=True)
class Scale:
    """`page` is the far page that is asked for; `reads` of each page in each round."""

    claims: int
    page: int
    rounds: int
    reads: int


async def fill(database: asyncpg.Connection, tenant_id: uuid.UUID, claims: int) -> None:
    await database.execute(_PAYERS, tenant_id)
    await database.execute(_CHARTS, tenant_id, claims + max(1, claims // 200), timeout=600)
    await database.execute(_PATIENTS, tenant_id, timeout=600)
    await database.execute("ANALYZE incidents, patients, payers", timeout=600)
    await database.execute(_CLAIMS, tenant_id, claims, timeout=600)
    await database.execute("VACUUM ANALYZE claims", timeout=600)


async def requests_of(database: asyncpg.Connection, tenant_id: uuid.UUID, scale: Scale) -> dict[str, Request]:
    """What is measured, by name."""
    lists = {"ready": ("ready", "service_date"), "by entry": ("ready", "created_at")}
    lists["deadlines"] = ("timely_filing", "file_by")
    found: dict[str, Request] = {}
    for name, (worklist, sort) in lists.items():
        asked = {"limit": _LIMIT, "sort": sort} | ({"due_before": "2099-01-01"} if sort == "file_by" else {})
        row = await database.fetchrow(_PLACES[sort], tenant_id, (scale.page - 1) * _LIMIT - 1)
        if row is None:
            raise UnexpectedAnswer(f"there is no page {scale.page}")
        at = row["at"] if sort == "created_at" else dt.datetime.combine(row["at"], dt.time(), dt.UTC)
        path = f"{_BILLING}/worklists/{worklist}"
        far = asked | {"cursor": encode_cursor(at, row["id"], sort)}
        found[f"{name}, first page"] = ("GET", f"{path}?{urlencode(asked)}", None)
        found[f"{name}, page {scale.page:,}"] = ("GET", f"{path}?{urlencode(far)}", None)
    found["counts"] = ("GET", f"{_BILLING}/worklists", None)
    found["open trips"] = ("GET", f"{_BILLING}/reconciliation?{urlencode({'limit': _LIMIT})}", None)
    return found


async def _run(environment: Mapping[str, str], scale: Scale) -> Summary:
    settings = Settings.model_validate({name.lower(): value for name, value in environment.items()})
    biller = await found_agency(settings, "billing")
    database = await asyncpg.connect(dsn_of(environment["MIGRATION_DATABASE_URL"]))
    try:
        tenant_id = await database.fetchval("SELECT id FROM tenants WHERE slug = $1", biller.tenant_slug)
        await fill(database, tenant_id, scale.claims)
        async with running(environment) as service:
            await service.sign_in(biller)
            requests = await requests_of(database, tenant_id, scale)
            return summarize(await measure(service, requests, rounds=scale.rounds, reads=scale.reads), _BASE)
    finally:
        await database.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.worklists", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--claims", type=int, default=200_000)
    parser.add_argument("--page", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reads", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    scale = Scale(given.claims, given.page, given.rounds, given.reads)
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
