"""Charges from fee schedules: asked for, and after a schedule changed. A sent claim keeps its charge."""

from __future__ import annotations

from typing import Any

import asyncpg

from app.core.outbox.relay import OutboxRelay
from tests.billing.support.claims import CLAIMS, fire, new_claim
from tests.billing.support.evidence import Evidence
from tests.billing.support.fees import SCHEDULES, add_price, new_payer, new_schedule, now
from tests.support.actors import Agency
from tests.support.charts import fire as fire_incident
from tests.support.charts import locked_call, unlock_call

_ADOPT = "UPDATE claims SET payer_record_id = $2::text::uuid WHERE id = $1::text::uuid"


async def priced(agency: Agency, claim: dict[str, Any]) -> dict[str, Any]:
    body = {"version": claim["version"]}
    found: dict[str, Any] = await agency.biller.expect(200, "POST", f"{CLAIMS}/{claim['id']}/pricing", json=body)
    return found


async def read(agency: Agency, claim: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")
    return found


def charges(claim: dict[str, Any]) -> list[str]:
    return [claim["charge_amount"], *(line["charge"] for line in claim["lines"])]


async def test_a_claim_is_priced_for_its_day_of_service(agency: Agency, evidence: Evidence) -> None:
    schedule = await new_schedule(agency)
    base = await add_price(agency, schedule, "A0429", "700")
    claim = await new_claim(agency)
    assert claim["service_date"] == "2026-11-01"
    shown = await priced(agency, claim)
    assert charges(shown) == ["1065.60", "700.00", "365.60"], "no price: the charge stays as it was typed"
    assert [line["fee_item_id"] for line in shown["lines"]] == [base["id"], None]
    await add_price(agency, schedule, "A0425", "29.25")
    shown = await priced(agency, shown)
    assert charges(shown) == ["1062.70", "700.00", "362.70"]
    before = await evidence.digest(agency.tenant_id)
    assert await priced(agency, shown) == shown
    assert await evidence.digest(agency.tenant_id) == before
    line = shown["lines"][0]
    path = f"{CLAIMS}/{claim['id']}/lines/{line['id']}"
    typed = await agency.biller.expect(200, "PATCH", path, json={"version": line["version"], "charge": "1.00"})
    assert typed["fee_item_id"] is None


async def test_only_a_claim_under_review_is_priced_by_hand(agency: Agency, evidence: Evidence) -> None:
    schedule = await new_schedule(agency)
    await add_price(agency, schedule, "A0429", "700")
    approved = await fire(agency, await new_claim(agency), "approve")
    before = await evidence.digest(agency.tenant_id)
    path = f"{CLAIMS}/{approved['id']}/pricing"
    refused = await agency.biller.expect(409, "POST", path, json={"version": approved["version"]})
    assert refused["error"]["code"] == "CLAIM_NOT_EDITABLE"
    await agency.founder.expect(403, "POST", path, json={"version": approved["version"]})
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_changed_price_reaches_open_claims_and_no_other(
    agency: Agency, relay: OutboxRelay, evidence: Evidence
) -> None:
    schedule = await new_schedule(agency)
    item = await add_price(agency, schedule, "A0429", "700")
    pending, approved, sent = [await priced(agency, await new_claim(agency)) for _ in range(3)]
    typed = await new_claim(agency)
    approved = await fire(agency, approved, "approve")
    await evidence.arrange(sent, "submitted")
    await relay.drain()
    before = {claim["id"]: await read(agency, claim) for claim in (sent, typed)}
    path = f"{SCHEDULES}/{schedule['id']}/items/{item['id']}"
    await agency.biller.expect(200, "PATCH", path, json={"version": 1, "unit_price": "710"})
    await relay.drain()
    assert {claim["id"]: await read(agency, claim) for claim in (sent, typed)} == before
    for claim, status in ((pending, "pending_review"), (approved, "ready_to_export")):
        shown = await read(agency, claim)
        assert (charges(shown), shown["status"]) == (["1075.60", "710.00", "365.60"], status)
        assert shown["version"] == claim["version"] + 1
    report = (await agency.founder.expect(200, "GET", f"{SCHEDULES}/{schedule['id']}/repricings"))["items"]
    biller = await agency.biller.expect(200, "GET", "auth/me")
    assert {
        (one["claim_id"], one["old_charge"], one["new_charge"], one["changed_by"], one["schedule_version"])
        for one in report
    } == {(claim["id"], "1065.60", "1075.60", biller["id"], 3) for claim in (pending, approved)}
    digest = await evidence.digest(agency.tenant_id)
    await agency.biller.expect(200, "PATCH", path, json={"version": 2, "unit_price": "710.00"})
    await relay.drain()
    assert await evidence.digest(agency.tenant_id) == digest


async def test_a_contract_after_the_fact_takes_its_payers_claims(
    agency: Agency, relay: OutboxRelay, admin_connection: asyncpg.Connection
) -> None:
    payer = await new_payer(admin_connection, agency)
    gross = await new_schedule(agency)
    await add_price(agency, gross, "A0429", "700")
    of_payer, of_nobody = [await priced(agency, await new_claim(agency)) for _ in range(2)]
    await admin_connection.execute(_ADOPT, of_payer["id"], payer)
    await relay.drain()
    contract = await new_schedule(agency, payer)
    await add_price(agency, contract, "A0429", "512.34")
    await relay.drain()
    assert charges(await read(agency, of_payer))[1] == "512.34"
    assert charges(await read(agency, of_nobody))[1] == "700.00"
    version = (await now(agency, contract))["version"]
    await agency.biller.expect(204, "DELETE", f"{SCHEDULES}/{contract['id']}?version={version}")
    await relay.drain()
    assert charges(await read(agency, of_payer))[1] == "700.00"
    gone = await agency.biller.expect(200, "GET", f"{SCHEDULES}/{contract['id']}/repricings")
    assert [one["new_charge"] for one in gone["items"]] == ["1065.60", "877.94"]


async def test_a_corrected_chart_dates_its_claims_again(agency: Agency, relay: OutboxRelay) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency, call)
    await unlock_call(agency, call)
    path = f"ems/incidents/{call.incident['id']}"
    body = {"version": call.incident["version"], "depart_scene_time": "2026-11-02T00:20:00-06:00", "reason": "Mistyped"}
    body |= {"arrived_destination_time": "2026-11-02T00:40:00-06:00", "cleared_time": "2026-11-02T01:00:00-06:00"}
    call.incident = await agency.admin.expect(200, "PATCH", path, json=body)
    await relay.drain()
    assert (await read(agency, claim))["service_date"] == "2026-11-01"
    await fire_incident(agency, call, "lock", "admin")
    await relay.drain()
    assert (await read(agency, claim))["service_date"] == "2026-11-02"
