"""Advance beneficiary notices: signed before the transport, or not at all."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.billing.notices.service import notice_for
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency
from tests.support.charts import Call, open_call

NOTICES = "billing/notices"
SIGNED = {
    "signer_name": "Erika Muster",
    "signed_on": "2026-11-01",
    "option": "1",
    "reason": "Past the nearest hospital",
    "estimated_cost": "650.00",
}


def of(call: Call, **fields: Any) -> dict[str, Any]:
    return {"incident_id": call.incident["id"], "patient_id": call.patient["id"], **SIGNED, **fields}


async def test_a_notice_is_kept_and_the_last_one_counts(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    call = await open_call(agency)
    later = await agency.biller.expect(201, "POST", NOTICES, json=of(call))
    assert {name: later[name] for name in SIGNED} == SIGNED and later["is_voluntary"] is False
    body = of(call, signed_on="2026-10-30", is_voluntary=True)
    earlier = await agency.biller.expect(201, "POST", NOTICES, json=body)

    async def counting() -> str | None:
        async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
            found = await notice_for(uow, uuid.UUID(call.patient["id"]))
        return None if found is None else str(found.id)

    assert await counting() == later["id"]
    await agency.biller.expect(204, "DELETE", f"{NOTICES}/{later['id']}?version=1")
    assert await counting() == earlier["id"]
    path = f"{NOTICES}/{earlier['id']}"
    revised = await agency.biller.expect(200, "PATCH", path, json={"version": 1, "option": "3", "estimated_cost": None})
    assert (revised["option"], revised["estimated_cost"]) == ("3", None)
    await agency.biller.expect(204, "DELETE", f"{path}?version=2")
    assert await counting() is None
    assert "nearest" not in str(await evidence.audit(earlier["id"]))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"signed_on": "2026-11-02"}, "signed_on"),
        ({"option": "4"}, "option"),
        ({"reason": "  "}, "reason"),
        ({"estimated_cost": "-1"}, "estimated_cost"),
        ({"signed_on": None}, "signed_on"),
    ],
    ids=["after the transport", "option", "no reason", "negative", "unsigned"],
)
async def test_what_told_nothing_in_advance(
    agency: Agency, evidence: Evidence, fields: dict[str, Any], field: str
) -> None:
    call = await open_call(agency)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", NOTICES, json=of(call, **fields))
    assert {one["field"] for one in refused["error"]["details"]["problems"]} == {field}
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("role", ["founder", "medic"])
async def test_founder_and_crew_neither_read_nor_write(agency: Agency, evidence: Evidence, role: str) -> None:
    call = await open_call(agency)
    made = await agency.biller.expect(201, "POST", NOTICES, json=of(call))
    before = await evidence.digest(agency.tenant_id)
    actor = agency.actors[role]
    await actor.expect(403, "GET", NOTICES)
    await actor.expect(403, "GET", f"{NOTICES}/{made['id']}")
    await actor.expect(403, "POST", NOTICES, json=of(call))
    assert await evidence.digest(agency.tenant_id) == before
