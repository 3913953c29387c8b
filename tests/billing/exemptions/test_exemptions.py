"""Reasons why a locked chart has no claim: a biller's, and those that the service derives."""

from __future__ import annotations

import uuid

import pytest

from app.billing.exemptions.models import ExemptionReason
from app.billing.exemptions.service import exempt
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency
from tests.support.charts import locked_call, open_call

EXEMPTIONS = "billing/exemptions"


async def test_a_biller_says_why_a_chart_is_not_billed(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    body = {"incident_id": call.incident["id"], "patient_id": call.patient["id"], "reason": "charity", "note": "Board"}
    made = await agency.biller.expect(201, "POST", EXEMPTIONS, json=body)
    assert {name: made[name] for name in body} == body
    assert made["origin"] == "entered"
    assert made == await agency.biller.expect(200, "GET", f"{EXEMPTIONS}/{made['id']}")
    listed = await agency.biller.expect(200, "GET", EXEMPTIONS, params={"reason": ["charity", "contract"]})
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert [event["action"] for event in await evidence.audit(made["id"])] == ["claim_exemption.created"]
    assert "Board" not in await evidence.records(agency.tenant_id)
    await agency.biller.expect(204, "DELETE", f"{EXEMPTIONS}/{made['id']}?version=1")
    await agency.biller.expect(404, "GET", f"{EXEMPTIONS}/{made['id']}")
    await agency.biller.expect(201, "POST", EXEMPTIONS, json=body | {"reason": "contract"})


async def test_one_reason_for_a_patient_and_one_for_the_call(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    whole = {"incident_id": call.incident["id"], "reason": "contract"}
    for body in (whole, whole | {"patient_id": call.patient["id"]}):
        await agency.biller.expect(201, "POST", EXEMPTIONS, json=body)
        before = await evidence.digest(agency.tenant_id)
        refused = await agency.biller.expect(409, "POST", EXEMPTIONS, json=body)
        assert refused["error"]["code"] == "ALREADY_EXISTS"
        assert await evidence.digest(agency.tenant_id) == before


async def test_only_a_locked_chart_and_its_own_patient(agency: Agency, evidence: Evidence) -> None:
    opened, locked = await open_call(agency), await locked_call(agency)
    before = await evidence.digest(agency.tenant_id)
    unlocked = {"incident_id": opened.incident["id"], "reason": "charity"}
    refused = await agency.biller.expect(409, "POST", EXEMPTIONS, json=unlocked)
    assert refused["error"]["code"] == "CHART_NOT_LOCKED"
    foreign = {"incident_id": locked.incident["id"], "patient_id": opened.patient["id"], "reason": "charity"}
    refused = await agency.biller.expect(422, "POST", EXEMPTIONS, json=foreign)
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == ["patient_id"]
    await agency.biller.expect(404, "POST", EXEMPTIONS, json={"incident_id": str(uuid.uuid4()), "reason": "charity"})
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("role", ["founder", "medic"])
async def test_founder_and_crew_neither_read_nor_write(agency: Agency, evidence: Evidence, role: str) -> None:
    call = await locked_call(agency)
    body = {"incident_id": call.incident["id"], "reason": "charity"}
    made = await agency.biller.expect(201, "POST", EXEMPTIONS, json=body)
    before = await evidence.digest(agency.tenant_id)
    actor = agency.actors[role]
    await actor.expect(403, "GET", EXEMPTIONS)
    await actor.expect(403, "GET", f"{EXEMPTIONS}/{made['id']}")
    await actor.expect(403, "POST", EXEMPTIONS, json=body)
    await actor.expect(403, "DELETE", f"{EXEMPTIONS}/{made['id']}?version=1")
    assert await evidence.digest(agency.tenant_id) == before


async def test_what_the_chart_tells_is_kept_once_and_yields_to_a_biller(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    call = await locked_call(agency)
    incident_id, patient_id = uuid.UUID(call.incident["id"]), uuid.UUID(call.patient["id"])

    async def derive(reason: ExemptionReason) -> None:
        async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
            await exempt(uow, incident_id, patient_id, reason)

    async def shown() -> list[tuple[str, str]]:
        listed = await agency.biller.expect(200, "GET", EXEMPTIONS, params={"incident_id": str(incident_id)})
        return [(item["reason"], item["origin"]) for item in listed["items"]]

    await derive(ExemptionReason.CANCELLED)
    before = await evidence.digest(agency.tenant_id)
    await derive(ExemptionReason.CANCELLED)
    assert await evidence.digest(agency.tenant_id) == before
    await derive(ExemptionReason.NO_TRANSPORT)
    assert await shown() == [("no_transport", "derived")]
    [item] = (await agency.biller.expect(200, "GET", EXEMPTIONS))["items"]
    await agency.biller.expect(204, "DELETE", f"{EXEMPTIONS}/{item['id']}?version={item['version']}")
    body = {"incident_id": str(incident_id), "patient_id": str(patient_id), "reason": "other_agency_bills"}
    await agency.biller.expect(201, "POST", EXEMPTIONS, json=body)
    await derive(ExemptionReason.CANCELLED)
    assert await shown() == [("other_agency_bills", "entered")]


async def test_another_agency_sees_nothing(agency: Agency, other_agency: Agency) -> None:
    call = await locked_call(agency)
    body = {"incident_id": call.incident["id"], "reason": "charity"}
    made = await agency.biller.expect(201, "POST", EXEMPTIONS, json=body)
    await other_agency.biller.expect(404, "GET", f"{EXEMPTIONS}/{made['id']}")
    await other_agency.biller.expect(404, "DELETE", f"{EXEMPTIONS}/{made['id']}?version=1")
    await other_agency.biller.expect(404, "POST", EXEMPTIONS, json=body)
    assert (await other_agency.biller.expect(200, "GET", EXEMPTIONS))["items"] == []
