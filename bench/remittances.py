"""What a remittance costs: an 835 read, taken in and posted to the ledger, claim by claim.

`make bench ARGS=remittances` posts a file of 5,000 claims, `--claims 500` fewer. It exits with 1 when a claim of the
large file costs more statements than one of a small file, or when a decision is not posted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
import httpx

from app.billing.x12.containers import text_chunks
from app.billing.x12.remittance_reader import read_remittances
from app.main import create_app
from app.registry import load_settings
from bench.scratch import dsn_of, scratch_database
from tests.architecture.queries import counted
from tests.billing.support.adjudications import Payment, remittance_file
from tests.billing.support.many import multiply
from tests.billing.support.remittances import decided, run_posting, submitted_claim, upload
from tests.support.actors import found_agency

SMALL = 20
_LEFT = "SELECT count(*) FROM remittance_claims WHERE tenant_id = $1 AND status <> 'posted'"


@dataclass
class Costs:
    """Of one file: seconds of wall time, and of CPU where it says so."""

    claims: int
    read_cpu: float
    taken_in: float
    posted: float
    statements: int
    peak_kib: int
    left: int


async def measure(claims: int) -> list[Costs]:
    """The costs of a small file and of one with `claims` claims."""
    app = create_app(load_settings())
    async with app.router.lifespan_context(app):
        runtime = app.state.runtime
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=600) as client:
            agency = await found_agency(client, runtime.settings)
            connection = await asyncpg.connect(dsn_of(os.environ["TEST_ADMIN_DATABASE_URL"], database=_database()))
            try:
                sent = await submitted_claim(agency)
                found = []
                for number, count in enumerate((SMALL, claims)):
                    batch = await multiply(connection, sent, count)
                    content = remittance_file(Payment(tuple(map(decided, batch)), trace=f"EFT{number}"))
                    began = time.process_time()
                    paid = sum(getattr(part, "paid", Decimal(0)) for part in read_remittances(text_chunks(content)))
                    read_cpu = time.process_time() - began
                    if paid != count * Decimal("573.98"):
                        raise SystemExit("the file was not read to the cent")
                    began = time.monotonic()
                    taken = await upload(agency, content)
                    taken_in = time.monotonic() - began
                    began = time.monotonic()
                    async with counted(runtime.database) as statements:
                        await run_posting(runtime, agency, taken["files"][0]["file"]["id"])
                    posted = time.monotonic() - began
                    left = await connection.fetchval(_LEFT, agency.tenant_id)
                    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                    found.append(Costs(count, read_cpu, taken_in, posted, len(statements), peak, left))
                return found
            finally:
                await connection.close()


def _database() -> str:
    return os.environ["DATABASE_URL"].rsplit("/", 1)[1].partition("?")[0]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--claims", type=int, default=5000)
    claims = parser.parse_args(arguments).claims
    with scratch_database() as dsns, tempfile.TemporaryDirectory() as data:
        plain = {"ENVIRONMENT": "test", "DATA_DIR": data, "PASSWORD_ROUNDS": "4", "RUN_JOBS": "false"}
        os.environ.update(dsns, LOG_LEVEL="ERROR", **plain)
        small, large = asyncio.run(measure(claims))
    for one in (small, large):
        print(
            f"{one.claims:>6,} claims: read {one.read_cpu:.2f} s CPU, taken in {one.taken_in:.2f} s,"
            f" posted {one.posted:.2f} s, {one.statements / one.claims:.2f} statements a claim,"
            f" peak memory {one.peak_kib / 1024:.0f} MiB"
        )
    fixed = 1  # what a file costs beside its claims may differ by a statement
    grows = large.statements / large.claims > small.statements / small.claims + fixed / small.claims
    return 1 if grows or small.left or large.left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
