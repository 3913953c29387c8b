"""Claims made over HTTP: the vocabulary of the billing tests."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from tests.support.actors import Agency
from tests.support.charts import Call, locked_call

CLAIMS = "billing/claims"
EXPORTS = "billing/exports"

BASE_LINE: Mapping[str, Any] = {
    "hcpcs": "A0429",
    "modifiers": ["RH"],
    "units": "1",
    "charge": "650.00",
    "diagnosis_pointers": [1, 2],
}
MILEAGE_LINE: Mapping[str, Any] = {"hcpcs": "A0425", "modifiers": ["RH"], "units": "12.4", "charge": "365.60"}
CLAIM: Mapping[str, Any] = {
    "payer_name": "Medicare Part B IL",
    "payer_id": "00952",
    "claim_filing_code": "MB",
    "member_id": "1EG4TE5MK73",
    "diagnoses": ["I63.9", "R47.01"],
    "lines": [BASE_LINE, MILEAGE_LINE],
    "loaded_miles": "12.4",
    "weight_lb": "154",
    "transport_reason": "A",
    "stretcher_purpose": "Stroke symptoms",
    "certifications": {"yes": ["06", "09"], "no": ["12"]},
    "signature_on_file": True,
}


_SECONDS = itertools.count(1)


async def another_call(agency: Agency) -> Call:
    """A locked call that left the scene at a second of its own: the same member is not billed for it twice."""
    minute, second = divmod(next(_SECONDS) % 900, 60)
    return await locked_call(agency, depart_scene_time=f"2026-11-01T10:{20 + minute}:{second:02}-06:00")


def claim_body(call: Call, **changes: Any) -> dict[str, Any]:
    """What makes a claim of `call` that can be sent as it is."""
    return {"incident_id": call.incident["id"], **CLAIM, **changes}


async def new_claim(agency: Agency, call: Call | None = None, **changes: Any) -> dict[str, Any]:
    """A claim in `pending_review`, of a call of its own unless given."""
    body = claim_body(call or await another_call(agency), **changes)
    made: dict[str, Any] = await agency.biller.expect(201, "POST", CLAIMS, json=body)
    return made


async def fire(agency: Agency, claim: Mapping[str, Any], action: str, *, status: int = 200, **more: Any) -> Any:
    """A transition by the biller, with the version that `claim` shows."""
    body = {"action": action, "version": claim["version"], **more}
    return await agency.biller.expect(status, "POST", f"{CLAIMS}/{claim['id']}/transitions", json=body)


async def approved_claim(agency: Agency, call: Call | None = None, **changes: Any) -> dict[str, Any]:
    approved: dict[str, Any] = await fire(agency, await new_claim(agency, call, **changes), "approve")
    return approved


async def export(agency: Agency, *claims: Mapping[str, Any], status: int = 201, **more: Any) -> Any:
    body = {"claim_ids": [claim["id"] for claim in claims], **more}
    return await agency.biller.expect(status, "POST", EXPORTS, json=body)
