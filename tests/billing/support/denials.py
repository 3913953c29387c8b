"""Claims that a payer refused: the vocabulary of the tests of denials and appeals."""

from __future__ import annotations

from typing import Any

from app.core.runtime import Runtime
from tests.billing.support.remittances import claim_of, denied, pay, submitted_claim
from tests.support.actors import Agency

DENIALS = "billing/denials"


async def denials_of(agency: Agency, claim: dict[str, Any], *, who: str = "biller") -> list[dict[str, Any]]:
    params = {"claim_id": claim["id"], "sort": "created_at"}
    page = await agency.actors[who].expect(200, "GET", DENIALS, params=params)
    found: list[dict[str, Any]] = page["items"]
    return found


async def refused_claim(agency: Agency, runtime: Runtime, reason: str = "50", **more: Any) -> dict[str, Any]:
    claim = await submitted_claim(agency, **more)
    await pay(runtime, agency, denied(claim, reason, status="1"), trace=claim["claim_number"])
    return await claim_of(agency, claim)
