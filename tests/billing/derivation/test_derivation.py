"""Derivations over HTTP: where values come from, overrides, amendments under a claim, and what stale evidence stops."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

import asyncpg

from app.billing.derivation.service import DerivationService
from app.billing.exemptions.models import ExemptionReason
from app.billing.exemptions.service import exempt
from app.core.errors import AppError
from app.core.outbox.relay import OutboxRelay
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.derivation.charted import EPINEPHRINE, drug
from tests.billing.derivation.driver import INCIDENTS, Locked, chart_and_lock
from tests.billing.derivation.facts import Transport
from tests.billing.derivation.transports import TRANSPORTS
from tests.billing.support.claims import CLAIMS, export, fire
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency
from tests.support.charts import Call, unlock_call
from tests.support.charts import fire as fire_incident

ROWS: Mapping[str, Transport] = {row.id: row for row in TRANSPORTS}
WHY = "The odometer was read after the unit had left."


async def drafted(agency: Agency, relay: OutboxRelay, row: str = "T05") -> tuple[Locked, dict[str, Any]]:
    """The row, charted and locked, and the claim that it drafted for its first patient."""
    locked = await chart_and_lock(agency, ROWS[row])
    await relay.drain()
    return locked, await claim_of(agency, locked)


async def claim_of(agency: Agency, locked: Locked, place: int = 0) -> dict[str, Any]:
    listed = await agency.biller.expect(200, "GET", f"{CLAIMS}?incident_id={locked.incident['id']}")
    return next(claim for claim in listed["items"] if claim["patient_id"] == locked.patients[place]["id"])


async def derivation_of(agency: Agency, claim: Mapping[str, Any], who: str = "biller") -> dict[str, Any]:
    answer: dict[str, Any] = await agency.actors[who].expect(200, "GET", f"{CLAIMS}/{claim['id']}/derivation")
    return answer


def valued(derivation: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(value for value in derivation["values"] if value["name"] == name)
    return found


async def override(
    agency: Agency, claim: Mapping[str, Any], name: str, value: Any, *, status: int = 200, **more: Any
) -> Any:
    body = {"version": claim["version"], "name": name, "value": value, "reason": WHY, **more}
    return await agency.biller.expect(status, "POST", f"{CLAIMS}/{claim['id']}/overrides", json=body)


async def derive(agency: Agency, claim: Mapping[str, Any], status: int = 200) -> Any:
    body = {"version": claim["version"]}
    return await agency.biller.expect(status, "POST", f"{CLAIMS}/{claim['id']}/derivation", json=body)


async def amend(
    agency: Agency, locked: Locked, elements: Mapping[str, Any] | None = None, *, added: Mapping[str, Any] | None = None
) -> None:
    """Unlocks the chart, changes elements of the first patient or adds an act, and locks it again."""
    call = Call(await agency.admin.expect(200, "GET", f"{INCIDENTS}/{locked.incident['id']}"), {})
    await unlock_call(agency, call)
    at, why = f"{INCIDENTS}/{locked.incident['id']}", {"reason": "Charted wrongly."}
    patient = f"{at}/patients/{locked.patients[0]['id']}"
    if elements is not None:
        version = (await agency.admin.expect(200, "GET", patient))["version"]
        body = {"version": version, "elements": dict(elements), **why}
        await agency.admin.expect(200, "PATCH", patient, json=body)
    if added is not None:
        body = {"patient_id": locked.patients[0]["id"], **added, **why}
        await agency.admin.expect(201, "POST", f"{at}/interventions", json=body)
    await fire_incident(agency, call, "lock", "admin")


async def sendable(agency: Agency, relay: OutboxRelay, row: str = "T05") -> tuple[Locked, dict[str, Any]]:
    """A drafted claim that lacks nothing: its payer is known, its services have prices, the patient signed on paper."""
    payer = {"name": "Medicare Part B", "payer_id": "00952", "claim_filing_code": "MB"}
    await agency.admin.expect(201, "POST", "billing/payers", json=payer)
    schedule = {"name": "Gross", "kind": "gross", "effective_from": "2026-01-01"}
    made = await agency.biller.expect(201, "POST", "billing/fee-schedules", json=schedule)
    for hcpcs, price in (("A0427", "1200.00"), ("A0433", "1500.00"), ("A0425", "20.05")):
        item = {"hcpcs": hcpcs, "unit_price": price}
        await agency.biller.expect(201, "POST", f"billing/fee-schedules/{made['id']}/items", json=item)
    locked, claim = await drafted(agency, relay, row)
    body = {"version": claim["version"], "signature_on_file": True}
    return locked, await agency.biller.expect(200, "PATCH", f"{CLAIMS}/{claim['id']}", json=body)


async def test_prices_that_come_after_the_draft_reach_it_and_leave_what_was_typed(
    agency: Agency, relay: OutboxRelay
) -> None:
    _, claim = await drafted(agency, relay)
    assert (claim["charge_amount"], [line["fee_item_id"] for line in claim["lines"]]) == ("0.00", [None, None])
    miles = claim["lines"][1]
    body = {"version": miles["version"], "charge": "150.00"}
    await agency.biller.expect(200, "PATCH", f"{CLAIMS}/{claim['id']}/lines/{miles['id']}", json=body)
    schedule = {"name": "Gross", "kind": "gross", "effective_from": "2026-01-01"}
    made = await agency.biller.expect(201, "POST", "billing/fee-schedules", json=schedule)
    path = f"billing/fee-schedules/{made['id']}"
    csv = {"version": made["version"], "csv": "hcpcs,unit_price\nA0427,1200\nA0425,20.05\n"}
    await agency.biller.expect(200, "POST", f"{path}/imports", json=csv)
    await relay.drain()
    priced = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")
    assert [(line["hcpcs"], line["charge"]) for line in priced["lines"]] == [("A0427", "1200.00"), ("A0425", "150.00")]
    assert priced["lines"][0]["fee_item_id"] is not None
    report = (await agency.biller.expect(200, "GET", f"{path}/repricings"))["items"]
    assert [(one["claim_id"], one["old_charge"], one["new_charge"]) for one in report] == [
        (claim["id"], "150.00", "1350.00")
    ]


async def test_a_drafted_claim_is_approved_and_exported_as_it_is(agency: Agency, relay: OutboxRelay) -> None:
    _, claim = await sendable(agency, relay)
    assert [(line["hcpcs"], line["modifiers"], line["charge"]) for line in claim["lines"]] == [
        ("A0427", ["RH"], "1200.00"),
        ("A0425", ["RH"], "168.42"),
    ]
    assert (claim["charge_amount"], claim["payer_name"], claim["member_id"]) == (
        "1368.42",
        "Medicare Part B",
        "1EG4TE5MK73",
    )
    approved = await fire(agency, claim, "approve")
    assert (await export(agency, approved))["claim_ids"] == [claim["id"]]


async def test_every_value_says_where_it_comes_from(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await drafted(agency, relay)
    shown = await derivation_of(agency, claim)
    assert (shown["claim_id"], shown["claim_version"], shown["stale"]) == (claim["id"], claim["version"], False)
    reason = valued(shown, "transport_reason")
    assert (reason["value"], reason["derived"], reason["status"]) == ("A", "A", "derived")
    assert reason["citations"] == [
        {
            "entity": "patient",
            "id": locked.patients[0]["id"],
            "version": locked.patients[0]["version"],
            "field": "elements.ePayment.44",
        }
    ]
    level = valued(shown, "level_of_service")
    assert level["rule"] == "42 CFR 414.605"
    assert {one["entity"] for one in level["citations"]} == {"incident", "patient", "intervention", "crew_member"}
    assert "als_intervention" in [one["code"] for one in level["reasons"]]
    signature = valued(shown, "signature_on_file")
    assert (signature["value"], signature["status"]) == (None, "underivable")


async def test_who_may_see_and_change_a_derivation(agency: Agency, relay: OutboxRelay, evidence: Evidence) -> None:
    _, claim = await drafted(agency, relay)
    full, hidden = await derivation_of(agency, claim), await derivation_of(agency, claim, "founder")
    assert {(one["value"], one["derived"]) for one in hidden["values"]} == {(None, None)}
    assert [one["status"] for one in hidden["values"]] == [one["status"] for one in full["values"]]
    path, before = f"{CLAIMS}/{claim['id']}", await evidence.digest(agency.tenant_id)
    body = {"version": claim["version"], "name": "weight_lb", "value": "150", "reason": WHY}
    for who in ("medic", "supervisor", "founder"):
        await agency.actors[who].expect(200 if who == "founder" else 403, "GET", f"{path}/derivation")
        await agency.actors[who].expect(403, "POST", f"{path}/derivation", json={"version": claim["version"]})
        await agency.actors[who].expect(403, "POST", f"{path}/overrides", json=body)
        await agency.actors[who].expect(403, "DELETE", f"{path}/overrides/weight_lb?version=1")
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_override_stands_beside_what_was_derived_and_survives(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await drafted(agency, relay)
    await override(agency, claim, "loaded_miles", "12.4")
    claim = await claim_of(agency, locked)
    assert claim["loaded_miles"] == "12.4"
    assert [line["units"] for line in claim["lines"]] == ["1.0", "12.4"]
    await amend(agency, locked, {"ePayment.44": [{"value": "D"}]})
    await relay.drain()
    claim = await claim_of(agency, locked)
    shown = await derive(agency, claim)
    miles = valued(shown, "loaded_miles")
    assert (miles["value"], miles["derived"], miles["status"]) == ("12.4", "8.4", "overridden")
    assert (miles["override"]["reason"], miles["override"]["by_user_id"] is not None) == (WHY, True)
    claim = await claim_of(agency, locked)
    assert (claim["transport_reason"], claim["loaded_miles"], claim["stale_since"]) == ("D", "12.4", None)
    typed = {"version": claim["version"], "loaded_miles": "11"}
    claim = await agency.biller.expect(200, "PATCH", f"{CLAIMS}/{claim['id']}", json=typed)
    miles = valued(await derivation_of(agency, claim), "loaded_miles")
    assert (miles["value"], miles["status"], miles["override"]["value"]) == ("11", "entered", "12.4")
    path = f"{CLAIMS}/{claim['id']}/overrides/loaded_miles?version={claim['version']}"
    await agency.biller.expect(204, "DELETE", path)
    claim = await claim_of(agency, locked)
    assert (claim["loaded_miles"], [line["units"] for line in claim["lines"]]) == ("8.4", ["1.0", "8.4"])
    again = f"{CLAIMS}/{claim['id']}/overrides/loaded_miles?version={claim['version']}"
    await agency.biller.expect(404, "DELETE", again)


async def test_what_follows_from_an_overridden_value_follows_the_override(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await drafted(agency, relay)
    shown = await override(agency, claim, "level_of_service", "als2")
    assert (valued(shown, "hcpcs")["value"], valued(shown, "level_of_service")["derived"]) == (
        "A0433",
        "als1_emergency",
    )
    claim = await claim_of(agency, locked)
    assert (claim["level_of_service"], claim["lines"][0]["hcpcs"]) == ("als2", "A0433")


BAD_OVERRIDES: list[dict[str, Any]] = [
    {"name": "payer", "value": {}},
    {"name": "charges", "value": []},
    {"name": "unknown", "value": 1},
    {"name": "loaded_miles", "value": "-1"},
    {"name": "loaded_miles", "value": None},
    {"name": "loaded_miles", "value": "12.45"},
    {"name": "level_of_service", "value": "als3"},
    {"name": "origin_modifier", "value": "X"},
    {"name": "destination_modifier", "value": "S"},
    {"name": "other_modifiers", "value": ["gm"]},
    {"name": "patient_count", "value": True},
    {"name": "certifications", "value": {"yes": ["02"]}},
    {"name": "diagnoses", "value": ["7"]},
    {"name": "weight_lb", "value": "150", "reason": " "},
    {"name": "weight_lb", "value": "150", "reason": None},
    {"name": "weight_lb", "value": "150", "version": 0},
    {"name": "weight_lb", "value": "150", "extra": 1},
]


async def test_a_value_that_no_claim_could_carry_overrides_nothing(
    agency: Agency, relay: OutboxRelay, evidence: Evidence
) -> None:
    _, claim = await drafted(agency, relay)
    before = await evidence.digest(agency.tenant_id)
    for body in BAD_OVERRIDES:
        given = {"name": "weight_lb", "value": "150", **body}
        refused = await override(agency, claim, given.pop("name"), given.pop("value"), status=422, **given)
        assert refused["error"]["code"] == "VALIDATION_FAILED"
    assert await evidence.digest(agency.tenant_id) == before
    await override(agency, {**claim, "version": claim["version"] + 1}, "weight_lb", "150", status=409)
    assert await evidence.digest(agency.tenant_id) == before


async def test_nothing_about_the_patient_in_the_records_of_an_override(
    agency: Agency, relay: OutboxRelay, evidence: Evidence
) -> None:
    _, claim = await drafted(agency, relay)
    await override(agency, claim, "stretcher_purpose", "Broken femur of Erika", reason="Erika Muster told us so")
    text = await evidence.records(agency.tenant_id)
    assert "digest:" in text
    assert not any(secret in text for secret in ("Erika", "femur", "1EG4TE5MK73"))


async def test_what_a_person_entered_stays_when_the_claim_is_derived_again(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await drafted(agency, relay)
    path = f"{CLAIMS}/{claim['id']}"
    body = {"version": claim["version"], "weight_lb": "171", "signature_on_file": True}
    claim = await agency.biller.expect(200, "PATCH", path, json=body)
    line = claim["lines"][0]
    await agency.biller.expect(200, "PATCH", f"{path}/lines/{line['id']}", json={"version": 1, "modifiers": ["SH"]})
    shown = await derive(agency, await claim_of(agency, locked))
    weight = valued(shown, "weight_lb")
    assert (weight["value"], weight["derived"], weight["status"]) == ("171", "140", "entered")
    claim = await claim_of(agency, locked)
    assert (claim["weight_lb"], claim["signature_on_file"], claim["lines"][0]["modifiers"]) == ("171.00", True, ["SH"])


async def test_a_claim_entered_by_hand_can_be_derived_and_keeps_what_it_says(
    agency: Agency, relay: OutboxRelay
) -> None:
    locked = await chart_and_lock(agency, ROWS["T05"])
    body = {"incident_id": locked.incident["id"], "loaded_miles": "3.1"}
    claim = await agency.biller.expect(201, "POST", CLAIMS, json=body)
    assert (await derivation_of(agency, claim))["values"] == []
    shown = await derive(agency, claim)
    assert (valued(shown, "loaded_miles")["status"], valued(shown, "hcpcs")["value"]) == ("entered", "A0427")
    claim = await claim_of(agency, locked)
    assert (claim["loaded_miles"], claim["transport_reason"], len(claim["lines"])) == ("3.1", "A", 2)


async def test_an_amended_fact_makes_the_claim_stale_and_says_which(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await sendable(agency, relay)
    await amend(agency, locked, {"ePayment.44": [{"value": "D"}]})
    refused = await fire(agency, claim, "approve", status=409)
    [guard] = refused["error"]["details"]["failed_guards"]
    assert guard["name"] == "evidence_current"
    assert [one["field"] for one in guard["problems"]] == ["patient.elements.ePayment.44"]
    await relay.drain()
    claim = await claim_of(agency, locked)
    assert claim["stale_since"] is not None
    shown = await derivation_of(agency, claim)
    [changed] = shown["changed"]
    assert (shown["stale"], changed["field"], changed["old"], changed["new"]) == (
        True,
        "elements.ePayment.44",
        [{"value": "A"}],
        [{"value": "D"}],
    )
    [hidden] = (await derivation_of(agency, claim, "founder"))["changed"]
    assert (hidden["field"], hidden["old"], hidden["new"]) == ("elements.ePayment.44", None, None)
    assert valued(await derive(agency, claim), "transport_reason")["value"] == "D"
    claim = await claim_of(agency, locked)
    assert claim["stale_since"] is None
    await fire(agency, claim, "approve")


async def test_an_amendment_of_what_no_value_rests_on_changes_nothing(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await sendable(agency, relay)
    await amend(agency, locked, {"eHistory.17": [{"value": "3117001"}]})
    await relay.drain()
    assert await claim_of(agency, locked) == claim
    await fire(agency, claim, "approve")


async def test_a_change_that_was_taken_back_leaves_no_mark(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await sendable(agency, relay)
    await amend(agency, locked, {"ePayment.44": [{"value": "D"}]})
    await relay.drain()
    assert (await claim_of(agency, locked))["stale_since"] is not None
    await amend(agency, locked, {"ePayment.44": [{"value": "A"}]})
    await relay.drain()
    claim = await claim_of(agency, locked)
    assert claim["stale_since"] is None
    await fire(agency, claim, "approve")


async def test_an_act_that_comes_into_the_chart_later_makes_the_claim_stale(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await sendable(agency, relay)
    await amend(agency, locked, added=drug(EPINEPHRINE, "10:12", "1"))
    await fire(agency, claim, "approve", status=409)
    await relay.drain()
    claim = await claim_of(agency, locked)
    [changed] = (await derivation_of(agency, claim))["changed"]
    assert (changed["entity"], changed["field"], changed["old"], changed["new"]) == (
        "intervention",
        "rxcui",
        None,
        EPINEPHRINE,
    )


async def test_no_claim_is_drafted_where_a_biller_said_why_there_is_none(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await drafted(agency, relay)
    await agency.admin.expect(204, "DELETE", f"{CLAIMS}/{claim['id']}?version={claim['version']}")
    body = {"incident_id": locked.incident["id"], "patient_id": locked.patients[0]["id"], "reason": "charity"}
    made = await agency.biller.expect(201, "POST", "billing/exemptions", json=body)
    await amend(agency, locked, {"ePayment.44": [{"value": "D"}]})
    await relay.drain()
    listed = await agency.biller.expect(200, "GET", f"{CLAIMS}?incident_id={locked.incident['id']}")
    assert listed["items"] == []
    assert await agency.biller.expect(200, "GET", f"billing/exemptions/{made['id']}") == made


async def test_a_claim_takes_the_charts_reasons_for_none_away(
    agency: Agency, relay: OutboxRelay, runtime: Runtime
) -> None:
    """The reason of a call that had no patient would else stand for a patient who was charted later."""
    locked = await chart_and_lock(agency, ROWS["T05"])
    incident_id = uuid.UUID(locked.incident["id"])
    async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
        await exempt(uow, incident_id, None, ExemptionReason.NO_PATIENT)
    await relay.drain()
    assert (await claim_of(agency, locked))["status"] == "pending_review"
    asked = f"billing/exemptions?incident_id={incident_id}"
    assert (await agency.biller.expect(200, "GET", asked))["items"] == []


async def test_a_dose_that_was_counted_is_evidence(agency: Agency, relay: OutboxRelay) -> None:
    """Three full doses of one drug make ALS2, fractions of a dose do not."""
    locked, claim = await drafted(agency, relay, "T12")
    assert claim["level_of_service"] == "als2"
    call = Call(await agency.admin.expect(200, "GET", f"{INCIDENTS}/{locked.incident['id']}"), {})
    await unlock_call(agency, call)
    path = f"{INCIDENTS}/{locked.incident['id']}/interventions"
    given = (await agency.admin.expect(200, "GET", path))["items"][0]
    body = {"version": given["version"], "dose": "0.1", "reason": "Charted wrongly."}
    await agency.admin.expect(200, "PATCH", f"{path}/{given['id']}", json=body)
    await fire_incident(agency, call, "lock", "admin")
    await relay.drain()
    claim = await claim_of(agency, locked)
    assert claim["stale_since"] is not None
    [changed] = (await derivation_of(agency, claim))["changed"]
    assert (changed["entity"], changed["id"], changed["field"]) == ("intervention", given["id"], "dose")


async def test_an_approved_claim_is_not_exported_from_stale_evidence(
    agency: Agency, relay: OutboxRelay, evidence: Evidence
) -> None:
    locked, claim = await sendable(agency, relay)
    approved = await fire(agency, claim, "approve")
    await amend(agency, locked, {"eExam.01": [{"value": "90"}]})
    before = await evidence.digest(agency.tenant_id)
    refused = await export(agency, approved, status=409)
    [named] = refused["error"]["details"]["claims"]
    assert [guard["name"] for guard in named["failed_guards"]] == ["evidence_current"]
    assert await evidence.digest(agency.tenant_id) == before
    await relay.drain()
    marked = await claim_of(agency, locked)
    assert (marked["status"], marked["stale_since"] is None) == ("ready_to_export", False)
    await export(agency, marked, status=409)


async def test_a_claim_that_was_sent_turns_stale_and_may_be_corrected(
    agency: Agency, relay: OutboxRelay, evidence: Evidence
) -> None:
    locked, claim = await sendable(agency, relay)
    await evidence.arrange(claim, "submitted")
    await amend(agency, locked, {"eExam.01": [{"value": "90"}]})
    await relay.drain()
    claim = await claim_of(agency, locked)
    assert claim["stale_since"] is not None and "correct" in claim["allowed_actions"]
    await derive(agency, claim, status=409)
    corrected = await fire(agency, claim, "correct")
    await derive(agency, corrected)
    claim = await claim_of(agency, locked)
    assert (claim["frequency"], claim["weight_lb"], claim["stale_since"]) == ("7", "198.00", None)


async def test_a_patient_who_turns_out_transported_gets_a_claim_and_loses_the_reason(
    agency: Agency, relay: OutboxRelay
) -> None:
    locked = await chart_and_lock(agency, ROWS["T114"])
    await relay.drain()
    asked = f"billing/exemptions?incident_id={locked.incident['id']}"
    assert [one["reason"] for one in (await agency.biller.expect(200, "GET", asked))["items"]] == ["other_unit"]
    taken = {"eDisposition.30": [{"value": "4230001"}], "eDisposition.29": [{"value": "4229001"}]}
    await amend(agency, locked, taken)
    await relay.drain()
    assert (await claim_of(agency, locked))["status"] == "pending_review"
    assert (await agency.biller.expect(200, "GET", asked))["items"] == []


async def test_one_claim_however_often_the_chart_is_followed(
    agency: Agency, relay: OutboxRelay, runtime: Runtime
) -> None:
    locked, claim = await drafted(agency, relay)
    await amend(agency, locked)
    await relay.drain()

    async def follow() -> None:
        async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
            await DerivationService(uow).follow_chart(_id(locked))

    await asyncio.gather(*(follow() for _ in range(4)))
    assert await claim_of(agency, locked) == claim
    second = await chart_and_lock(agency, ROWS["T05"])
    locked = second

    async def follow_or_lose() -> None:
        with contextlib.suppress(AppError, asyncpg.UniqueViolationError):  # the relay tries again
            await follow()

    body = {"incident_id": second.incident["id"]}
    answers = await asyncio.gather(
        *(follow_or_lose() for _ in range(2)), *(agency.biller.post(CLAIMS, json=body) for _ in range(3))
    )
    assert all(answer is None or answer.status_code in (201, 409) for answer in answers)
    listed = await agency.biller.expect(200, "GET", f"{CLAIMS}?incident_id={second.incident['id']}")
    assert len(listed["items"]) == 1


async def test_a_derivation_costs_the_same_statements_however_large_the_chart(
    agency: Agency, relay: OutboxRelay, runtime: Runtime
) -> None:
    costs = []
    for row in ("T10", "T21"):
        locked, claim = await drafted(agency, relay, row)
        async with counted(runtime.database) as statements:
            await derive(agency, claim)
        costs.append(len(statements))
        async with counted(runtime.database) as statements:
            await derivation_of(agency, await claim_of(agency, locked))
        costs.append(len(statements))
    assert costs[:2] == costs[2:]
    assert costs[0] <= 40 and costs[1] <= 20


def _id(locked: Locked) -> uuid.UUID:
    return uuid.UUID(locked.incident["id"])


async def test_a_notice_on_file_is_on_the_claim_once_it_is_derived_again(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await drafted(agency, relay, "T98")
    assert claim["modifiers"] == ["RH"]
    notice = {
        "incident_id": locked.incident["id"],
        "patient_id": locked.patients[0]["id"],
        "signer_name": "Erika Muster",
        "signed_on": "2026-11-20",
        "option": "1",
        "reason": "Medicare may not find the ambulance necessary.",
    }
    await agency.biller.expect(201, "POST", "billing/notices", json=notice)
    assert valued(await derive(agency, claim), "other_modifiers")["value"] == ["GA"]
    assert (await claim_of(agency, locked))["modifiers"] == ["RH", "GA"]


async def test_a_state_may_leave_an_act_to_emts_from_a_day_on(agency: Agency, relay: OutboxRelay) -> None:
    locked, claim = await drafted(agency, relay, "T05")
    assert claim["level_of_service"] == "als1_emergency"
    left = {"state": "IL", "kind": "procedure", "code": "392230005", "level": "bls", "effective_from": "2026-11-21"}
    made = await agency.admin.expect(201, "POST", "billing/als-acts", json=left)
    assert valued(await derive(agency, claim), "level_of_service")["value"] == "als1_emergency"
    earlier = {"version": made["version"], "effective_from": "2026-01-01"}
    await agency.admin.expect(200, "PATCH", f"billing/als-acts/{made['id']}", json=earlier)
    shown = await derive(agency, await claim_of(agency, locked))
    assert valued(shown, "level_of_service")["value"] == "bls_emergency"
    assert (await claim_of(agency, locked))["lines"][0]["hcpcs"] == "A0429"


async def test_a_coverage_that_a_biller_found_is_on_the_claim_once_it_is_derived_again(
    agency: Agency, relay: OutboxRelay
) -> None:
    locked, claim = await drafted(agency, relay, "T107")
    payer = valued(await derivation_of(agency, claim), "payer")
    assert (payer["value"], payer["status"], [one["code"] for one in payer["reasons"]]) == (
        None,
        "underivable",
        ["no_coverage"],
    )
    record = {"name": "Prairie Mutual", "payer_id": "60054", "claim_filing_code": "CI"}
    record = await agency.admin.expect(201, "POST", "billing/payers", json=record)
    coverage = {"incident_id": locked.incident["id"], "patient_id": locked.patients[0]["id"], "member_id": "PM1"}
    body = coverage | {"payer_record_id": record["id"]}
    made = await agency.biller.expect(201, "POST", "billing/coverages", json=body)
    await derive(agency, claim)
    claim = await claim_of(agency, locked)
    assert (claim["payer_name"], claim["member_id"], claim["coverage_id"]) == ("Prairie Mutual", "PM1", made["id"])


async def test_a_secondary_claim_names_the_second_payer(agency: Agency, relay: OutboxRelay, evidence: Evidence) -> None:
    locked, claim = await drafted(agency, relay, "T05")
    patient = {"incident_id": locked.incident["id"], "patient_id": locked.patients[0]["id"]}
    record = {"name": "Prairie Mutual", "payer_id": "60054", "claim_filing_code": "CI"}
    record = await agency.admin.expect(201, "POST", "billing/payers", json=record)
    second = {**patient, "sequence": "S", "payer_record_id": record["id"], "member_id": "PM2"}
    await agency.biller.expect(201, "POST", "billing/coverages", json=second)
    await evidence.arrange(claim, "paid")
    made = await agency.biller.expect(201, "POST", CLAIMS, json={**patient, "payer_sequence": "S"})
    await derive(agency, made)
    made = await agency.biller.expect(200, "GET", f"{CLAIMS}/{made['id']}")
    assert (made["payer_name"], made["claim_filing_code"], made["member_id"]) == ("Prairie Mutual", "CI", "PM2")
    assert made["lines"][0]["hcpcs"] == "A0427"
