"""Trip reconciliation: every locked chart has a claim or a reason, or it is listed here."""

from __future__ import annotations

from typing import Any

import asyncpg

from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.claims import CLAIMS, claim_body, new_claim
from tests.support.actors import Agency
from tests.support.charts import add_patient, lock_call, locked_call, open_call

TRIPS = "billing/reconciliation"
EXEMPTIONS = "billing/exemptions"
_NOBODY = """
INSERT INTO incidents (id, tenant_id, created_by, status, incident_number)
SELECT gen_random_uuid(), $1, id, 'locked', '26-9' FROM users WHERE tenant_id = $1 LIMIT 1 RETURNING id
"""


async def trips(agency: Agency, **params: Any) -> list[tuple[str, str | None]]:
    page = await agency.biller.expect(200, "GET", TRIPS, params=params)
    return [(item["incident_id"], item["patient_id"]) for item in page["items"]]


async def exempt(agency: Agency, **body: Any) -> Any:
    return await agency.biller.expect(201, "POST", EXEMPTIONS, json=body)


async def test_a_trip_is_open_until_it_has_a_claim_or_a_reason(agency: Agency) -> None:
    await open_call(agency)
    billed, excused, waiting = [await locked_call(agency, incident_number=f"26-{n}") for n in range(3)]
    both = [(call.incident["id"], call.patient["id"]) for call in (billed, excused, waiting)]
    assert await trips(agency) == both
    claim = await new_claim(agency, billed)
    reason = {"incident_id": excused.incident["id"], "patient_id": excused.patient["id"], "reason": "charity"}
    exemption = await exempt(agency, **reason)
    assert await trips(agency) == both[2:]
    assert await trips(agency, incident_number=["26-1", "26-2"], sort="-created_at") == both[2:]
    [item] = (await agency.biller.expect(200, "GET", TRIPS, params={"state": "exempt"}))["items"]
    assert (item["exemption_id"], item["reason"], item["origin"]) == (exemption["id"], "charity", "entered")
    assert (item["incident_number"], item["state"]) == ("26-1", "exempt")
    await agency.biller.expect(204, "DELETE", f"{EXEMPTIONS}/{exemption['id']}?version=1")
    await agency.admin.expect(204, "DELETE", f"{CLAIMS}/{claim['id']}?version=1")
    assert await trips(agency) == both
    assert await trips(agency, state="exempt") == []


async def test_each_patient_of_a_call_is_a_trip(agency: Agency) -> None:
    call = await open_call(agency)
    second = await add_patient(agency, call.incident, last_name="Zweite")
    await lock_call(agency, call)
    incident, first = call.incident["id"], call.patient["id"]
    assert sorted(await trips(agency)) == sorted([(incident, first), (incident, second["id"])])
    await agency.biller.expect(201, "POST", CLAIMS, json=claim_body(call, patient_id=first))
    assert await trips(agency) == [(incident, second["id"])]
    await exempt(agency, incident_id=incident, reason="contract")
    assert await trips(agency) == []
    assert await trips(agency, state="exempt") == [(incident, second["id"])]
    own = await exempt(agency, incident_id=incident, patient_id=second["id"], reason="charity")
    [item] = (await agency.biller.expect(200, "GET", TRIPS, params={"state": "exempt"}))["items"]
    assert item["exemption_id"] == own["id"], "the patient's own reason goes before the call's"


async def test_a_chart_without_patients_is_a_trip(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    incident = str(await admin_connection.fetchval(_NOBODY, agency.tenant_id))
    assert await trips(agency) == [(incident, None)]
    await exempt(agency, incident_id=incident, reason="no_patient")
    assert await trips(agency) == []
    assert await trips(agency, state="exempt") == [(incident, None)]


async def test_pages_cost_the_same_and_lose_nothing(agency: Agency, runtime: Runtime) -> None:
    calls = [await locked_call(agency) for _ in range(3)]
    expected = [(call.incident["id"], call.patient["id"]) for call in calls]
    seen: list[tuple[str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        async with counted(runtime.database) as statements:
            page = await agency.biller.expect(200, "GET", TRIPS, params={"limit": 1, **cursor})
        assert len([one for one in statements if "claim_exemptions" in one]) == 1
        seen += [(item["incident_id"], item["patient_id"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == expected


async def test_founder_crew_and_other_agencies_see_none(agency: Agency, other_agency: Agency) -> None:
    await locked_call(agency)
    await agency.founder.expect(403, "GET", TRIPS)
    await agency.medic.expect(403, "GET", TRIPS)
    assert (await other_agency.biller.expect(200, "GET", TRIPS))["items"] == []
