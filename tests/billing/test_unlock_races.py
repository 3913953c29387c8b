"""A chart that is being unlocked: claims wait for the outcome, and obey it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.billing.support.claims import CLAIMS, EXPORTS, approved_claim, claim_body, new_claim
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency
from tests.support.charts import Call, locked_call

Request = Callable[[], Awaitable[httpx.Response]]


async def creating(agency: Agency, call: Call) -> Request:
    return lambda: agency.biller.post(CLAIMS, json=claim_body(call))


async def approving(agency: Agency, call: Call) -> Request:
    claim = await new_claim(agency, call)
    path = f"{CLAIMS}/{claim['id']}/transitions"
    return lambda: agency.biller.post(path, json={"action": "approve", "version": claim["version"]})


async def exporting(agency: Agency, call: Call) -> Request:
    claim = await approved_claim(agency, call)
    return lambda: agency.biller.post(EXPORTS, json={"claim_ids": [claim["id"]]})


@pytest.mark.parametrize(
    ("prepare", "code"),
    [(creating, "CHART_NOT_LOCKED"), (approving, "INVALID_TRANSITION"), (exporting, "CLAIMS_NOT_READY")],
)
async def test_an_unlock_in_progress_is_waited_for(
    agency: Agency,
    evidence: Evidence,
    admin_connection: asyncpg.Connection,
    database: Any,
    prepare: Callable[[Agency, Call], Awaitable[Request]],
    code: str,
) -> None:
    call = await locked_call(agency)
    request = await prepare(agency, call)
    before = await evidence.digest(agency.tenant_id)
    unlocking = await asyncpg.connect(database.admin)
    try:
        transaction = unlocking.transaction()
        await transaction.start()
        await unlocking.execute(
            "UPDATE incidents SET status = 'completed', version = version + 1 WHERE id = $1",
            uuid.UUID(call.incident["id"]),
        )
        answer = asyncio.ensure_future(request())
        await waits_for_a_lock(admin_connection, answer)
        await transaction.commit()
    finally:
        await unlocking.close()
    refused = await answer
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, code)
    assert await evidence.digest(agency.tenant_id) == before


async def waits_for_a_lock(connection: asyncpg.Connection, answer: asyncio.Future[Any]) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not await connection.fetchval(query):
        assert not answer.done(), "it did not wait"
        await asyncio.sleep(0.01)
