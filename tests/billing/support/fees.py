"""Fee schedules made over HTTP: the vocabulary of the tests about prices."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg

from tests.support.actors import Agency

SCHEDULES = "billing/fee-schedules"
_PAYER = """
INSERT INTO payers (id, tenant_id, name, payer_id, claim_filing_code, timely_filing_days)
VALUES ($1, $2, $3, $4, 'MB', $5)
"""


async def new_payer(
    connection: asyncpg.Connection, agency: Agency, name: str = "Medicare Part B IL", days: int | None = 365
) -> str:
    """Written by a superuser; its id."""
    payer_id = uuid.uuid4()
    await connection.execute(_PAYER, payer_id, agency.tenant_id, name, "00952", days)
    return str(payer_id)


async def new_schedule(agency: Agency, payer: str | None = None, **fields: Any) -> dict[str, Any]:
    """Gross prices of 2026; with a payer, those of its contract."""
    body = {"name": "Gross 2026", "kind": "gross", "effective_from": "2026-01-01"}
    if payer is not None:
        body |= {"name": "Contract 2026", "kind": "contract", "payer_record_id": payer}
    made: dict[str, Any] = await agency.biller.expect(201, "POST", SCHEDULES, json=body | fields)
    return made


async def add_price(agency: Agency, schedule: dict[str, Any], hcpcs: str, price: str, **fields: Any) -> dict[str, Any]:
    body = {"hcpcs": hcpcs, "unit_price": price, **fields}
    made: dict[str, Any] = await agency.biller.expect(201, "POST", f"{SCHEDULES}/{schedule['id']}/items", json=body)
    return made


async def now(agency: Agency, schedule: dict[str, Any]) -> dict[str, Any]:
    """The schedule as it is."""
    found: dict[str, Any] = await agency.biller.expect(200, "GET", f"{SCHEDULES}/{schedule['id']}")
    return found
