"""The edits over HTTP: what a claim is told, what stops it, what is kept, and what a payer's record switches."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from app.core.outbox.relay import OutboxRelay
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.claims import BASE_LINE, CLAIMS, MILEAGE_LINE, approved_claim, export, fire, new_claim
from tests.billing.support.evidence import Evidence
from tests.billing.support.parties import cover, medicare
from tests.ems.findings import findings, readiness
from tests.support.actors import Agency
from tests.support.charts import locked_call, unlock_call

NON_EMERGENCY = {"hcpcs": "A0428", "modifiers": ["RH"], "units": "1", "charge": "400", "diagnosis_pointers": [1]}
PLANNED: dict[str, Any] = {
    "lines": [NON_EMERGENCY, MILEAGE_LINE],
    "certifications": {"yes": ["04", "12"], "no": []},
    "diagnoses": ["I63.9", "Z74.01"],
}
_ADOPT = "UPDATE claims SET payer_record_id = $2::text::uuid WHERE id = $1::text::uuid"
_COUNTS = "SELECT blocking_edits, warning_edits, version FROM claims WHERE id = $1::text::uuid"
_KEPT = (
    "SELECT claim_version, blocking, warnings, findings FROM claim_scrubs WHERE claim_id = $1::text::uuid ORDER BY id"
)


async def scrubbed(agency: Agency, claim: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}/scrub")
    return answer


def said(answer: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(one["id"], one["severity"], one["field"], one["code"]) for one in answer["findings"]]


async def counts(admin_connection: asyncpg.Connection, claim: dict[str, Any]) -> list[Any]:
    """The claim's own columns: blocking, warnings, version."""
    row = await admin_connection.fetchrow(_COUNTS, claim["id"])
    assert row is not None
    return [*row]


async def test_a_claim_in_order_has_no_blocking_finding(agency: Agency) -> None:
    claim = await new_claim(agency)
    answer = await scrubbed(agency, claim)
    assert (answer["claim_id"], answer["claim_version"], answer["blocking"]) == (claim["id"], 1, 0)
    assert said(answer) == [("E13", "warning", "payer_record_id", "payer_unlisted")]
    assert answer["warnings"] == 1


async def test_what_an_edit_finds_stops_approval_and_is_told_with_its_reasons(
    agency: Agency, evidence: Evidence
) -> None:
    claim = await new_claim(agency, **PLANNED)
    [told] = [one for one in (await scrubbed(agency, claim))["findings"] if one["severity"] == "blocking"]
    assert (told["id"], told["field"], told["code"]) == (
        "E48",
        "patient.elements.ePayment.03",
        "certificate_missing",
    )
    assert told["source"] == "42 CFR 410.40(e)"
    assert all(told[name] for name in ("what", "why", "fix", "message"))
    before = await evidence.digest(agency.tenant_id)
    refused = await fire(agency, claim, "approve", status=409)
    [guard] = refused["error"]["details"]["failed_guards"]
    assert guard["name"] == "edits_passed"
    assert [(one["edit"], one["field"], one["code"]) for one in guard["problems"]] == [
        ("E48", "patient.elements.ePayment.03", "certificate_missing")
    ]
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_structural_problem_names_its_edit(agency: Agency) -> None:
    call = await locked_call(agency, patient={"destination_street": None})
    refused = await fire(agency, await new_claim(agency, call), "approve", status=409)
    [guard] = refused["error"]["details"]["failed_guards"]
    assert guard["name"] == "content_valid"
    assert [(one["edit"], one["field"]) for one in guard["problems"]] == [("E27", "patient.destination_street")]


@pytest.mark.parametrize(("switch", "blocking"), [("off", 0), ("warning", 0), ("blocking", 1)])
async def test_a_payers_record_switches_an_edit(
    agency: Agency, admin_connection: asyncpg.Connection, switch: str, blocking: int
) -> None:
    record = await medicare(agency, edits={"E48": switch}, requires_prior_authorization=False)
    claim = await new_claim(agency, **PLANNED)
    await admin_connection.execute(_ADOPT, claim["id"], record["id"])
    answer = await scrubbed(agency, claim)
    assert answer["blocking"] == blocking
    assert [one["severity"] for one in answer["findings"] if one["id"] == "E48"] == (
        [] if switch == "off" else [switch]
    )
    await fire(agency, claim, "approve", status=409 if blocking else 200)


@pytest.mark.parametrize("edit", ["E01", "E30", "E99"])
async def test_what_no_837p_may_lack_is_not_switched(agency: Agency, evidence: Evidence, edit: str) -> None:
    before = await evidence.digest(agency.tenant_id)
    body = {"name": "Prairie", "payer_id": "77777", "claim_filing_code": "CI", "edits": {edit: "off"}}
    refused = await agency.biller.expect(422, "POST", "billing/payers", json=body)
    assert [one["code"] for one in refused["error"]["details"]["problems"]] == ["unknown_edit"]
    assert await evidence.digest(agency.tenant_id) == before


OFFERED: dict[str, dict[str, Any]] = {
    "E19": {"lines": [{**BASE_LINE, "hcpcs": "A0431"}, {**MILEAGE_LINE, "hcpcs": "A0436"}]},
    "E32": {"lines": [BASE_LINE, {**MILEAGE_LINE, "modifiers": ["SH", "GY"]}]},
    "E42": {"lines": [{**BASE_LINE, "units": "2"}, MILEAGE_LINE]},
}


@pytest.mark.parametrize("edit", sorted(OFFERED))
async def test_an_offer_can_be_sent_as_it_is_and_cures(agency: Agency, edit: str) -> None:
    claim = await new_claim(agency, **OFFERED[edit])
    found = [one for one in (await scrubbed(agency, claim))["findings"] if one["id"] == edit]
    offer = next(one["offer"] for one in found if one["offer"] is not None)
    await agency.biller.expect(200, offer["method"], offer["path"], json=offer["body"])
    left = await scrubbed(agency, claim)
    assert [one["id"] for one in left["findings"] if one["id"] == edit] == []
    assert left["blocking"] == 0


async def test_the_verdict_is_kept_with_the_version_that_was_judged(
    agency: Agency, admin_connection: asyncpg.Connection, relay: OutboxRelay
) -> None:
    claim = await new_claim(agency, **PLANNED)
    await relay.drain()
    assert await counts(admin_connection, claim) == [1, 1, 1]
    await relay.drain()
    patch = {"version": 1, "diagnoses": ["I63.9"]}
    await agency.biller.expect(200, "PATCH", f"{CLAIMS}/{claim['id']}", json=patch)
    await relay.drain()
    assert await counts(admin_connection, claim) == [1, 2, 2]
    kept = await admin_connection.fetch(_KEPT, claim["id"])
    assert [tuple(row)[:3] for row in kept] == [(1, 1, 1), (2, 1, 2)]
    assert "I63" not in str(kept)
    assert "1EG4" not in str(kept)


async def test_a_corrected_chart_is_judged_again(
    agency: Agency, admin_connection: asyncpg.Connection, relay: OutboxRelay
) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency, call, **PLANNED)
    await relay.drain()
    assert (await counts(admin_connection, claim))[0] == 1
    await unlock_call(agency, call)
    certified = {
        "ePayment.02": [{"value": "9922005"}],
        "ePayment.03": [{"value": "2026-10-31T09:00:00-05:00"}],
        "ePayment.05": [{"value": "2605005"}],
    }
    path = f"ems/incidents/{call.incident['id']}/patients/{call.patient['id']}"
    body = {"version": call.patient["version"], "elements": certified, "reason": "The certification came."}
    await agency.admin.expect(200, "PATCH", path, json=body)
    call.incident = await agency.admin.expect(200, "GET", f"ems/incidents/{call.incident['id']}")
    locked = {"action": "lock", "version": call.incident["version"]}
    await agency.admin.expect(200, "POST", f"ems/incidents/{call.incident['id']}/transitions", json=locked)
    await relay.drain()
    assert (await counts(admin_connection, claim))[0] == 0


async def test_a_coverage_is_a_reason_to_judge_again(
    agency: Agency, admin_connection: asyncpg.Connection, relay: OutboxRelay
) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency, call)
    await relay.drain()
    await admin_connection.execute("UPDATE claims SET payer_sequence = 'S' WHERE id = $1::text::uuid", claim["id"])
    record = await medicare(agency)
    await cover(agency, call, sequence="P", payer_record_id=record["id"])
    await relay.drain()
    kept = await admin_connection.fetch(_KEPT, claim["id"])
    assert "E15" in kept[-1]["findings"]
    assert "E14" not in kept[-1]["findings"]


async def test_a_claim_that_went_out_shows_the_verdict_with_which_it_went(agency: Agency) -> None:
    claim = await approved_claim(agency)
    await export(agency, claim)
    shown = await scrubbed(agency, claim)
    assert (shown["claim_version"], shown["blocking"]) == (claim["version"], 0)
    assert said(shown) == [("E13", "warning", "payer_record_id", "payer_unlisted")]
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": tenant["version"], "zip": "62701"}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)
    assert await scrubbed(agency, claim) == shown


async def test_an_export_asks_the_edits_again(
    agency: Agency, evidence: Evidence, admin_connection: asyncpg.Connection
) -> None:
    record = await medicare(agency, edits={"E48": "off"}, requires_prior_authorization=False)
    claim = await new_claim(agency, **PLANNED)
    await admin_connection.execute(_ADOPT, claim["id"], record["id"])
    claim = await fire(agency, claim, "approve")
    switched = {"version": record["version"], "edits": {}}
    await agency.biller.expect(200, "PATCH", f"billing/payers/{record['id']}", json=switched)
    before = await evidence.digest(agency.tenant_id)
    refused = await export(agency, claim, status=409)
    told = {
        problem["edit"]
        for one in refused["error"]["details"]["claims"]
        for guard in one["failed_guards"]
        for problem in guard["problems"]
    }
    assert told == {"E48"}
    assert await evidence.digest(agency.tenant_id) == before


async def test_the_same_transport_is_not_billed_twice(agency: Agency) -> None:
    await new_claim(agency, await locked_call(agency))
    second = await new_claim(agency, await locked_call(agency))
    refused = await fire(agency, second, "approve", status=409)
    [guard] = refused["error"]["details"]["failed_guards"]
    assert [(one["edit"], one["code"]) for one in guard["problems"]] == [("E53", "duplicate")]


async def test_readiness_tells_the_same(agency: Agency) -> None:
    call = await locked_call(agency)
    await new_claim(agency, call, **PLANNED)
    told = findings(await readiness(agency.biller, call.incident["id"]), stage="payment")
    assert [(one["severity"], one["code"], one["entity"], one["field"], one["rule"]) for one in told] == [
        ("blocking", "certificate_missing", "patient", "elements.ePayment.03", "42 CFR 410.40(e)"),
        ("warning", "payer_unlisted", "claim", "payer_record_id", "2010BB NM1; 2000B SBR09"),
    ]


async def test_the_verdict_is_clinical(agency: Agency) -> None:
    claim = await new_claim(agency)
    for who in ("medic", "supervisor", "founder"):
        await agency.actors[who].expect(403, "GET", f"{CLAIMS}/{claim['id']}/scrub")


async def test_a_medicare_number_is_kept_without_its_dashes(agency: Agency) -> None:
    claim = await new_claim(agency, member_id="1EG4-TE5-MK73")
    assert claim["member_id"] == "1EG4TE5MK73"
    path = f"{CLAIMS}/{claim['id']}"
    changed = await agency.biller.expect(200, "PATCH", path, json={"version": 1, "member_id": "1eg4 te5 mk72"})
    assert changed["member_id"] == "1EG4TE5MK72"
    body = {"version": 2, "claim_filing_code": "CI", "member_id": "W12-34"}
    assert (await agency.biller.expect(200, "PATCH", path, json=body))["member_id"] == "W12-34"


async def test_the_statements_do_not_grow_with_what_is_found(agency: Agency, runtime: Runtime) -> None:
    plain = await new_claim(agency)
    line = {"hcpcs": "A0422", "units": "1", "charge": "1"}
    full = await new_claim(agency, lines=[BASE_LINE, MILEAGE_LINE, *([line] * 20)])
    sent = []
    for claim in (plain, full):
        async with counted(runtime.database) as statements:
            await scrubbed(agency, claim)
        sent.append(len(statements))
    assert sent[0] == sent[1]
