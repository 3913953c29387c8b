"""Every state by action by person of the claim's state machine, generated from its declaration."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.billing.claims.lifecycle import ClaimStatus, ClaimTransition, InternalTransition, claim_lifecycle
from tests.billing.support.claims import CLAIMS, approved_claim, fire, new_claim
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency
from tests.support.charts import locked_call, unlock_call

TARGETS = {
    (source.value, transition.action.value): transition.target.value
    for transition in claim_lifecycle.transitions
    for source in transition.sources
}
PEOPLE = ("admin", "biller", "medic", "supervisor", "founder")
MAY = frozenset({"admin", "biller"})
"""Who may fire, from the decisions and not from the code."""
ACTIONS = tuple(action.value for action in ClaimTransition)
AUDITED = {str(transition.action): transition.audit_action.value for transition in claim_lifecycle.transitions}


def test_the_declaration_is_the_decided_one() -> None:
    assert TARGETS == {
        ("pending_review", "approve"): "ready_to_export",
        ("ready_to_export", "export"): "exported",
        ("exported", "submit"): "submitted",
        ("ready_to_export", "reopen"): "pending_review",
        ("exported", "reject"): "pending_review",
        ("submitted", "reject"): "pending_review",
        ("submitted", "pay"): "paid",
        ("submitted", "deny"): "denied",
        ("denied", "flag_appeal"): "appeal_needed",
        ("denied", "resubmit"): "pending_review",
        ("appeal_needed", "resubmit"): "pending_review",
        ("appeal_needed", "pay"): "paid",
        ("appeal_needed", "deny"): "denied",
        ("denied", "pay"): "paid",
        ("paid", "reverse"): "submitted",
        ("closed", "reopen"): "pending_review",
        ("submitted", "correct"): "pending_review",
        ("paid", "correct"): "pending_review",
        ("denied", "correct"): "pending_review",
        ("submitted", "void"): "closed",
        ("paid", "void"): "closed",
        ("denied", "void"): "closed",
        ("pending_review", "close"): "closed",
        ("paid", "close"): "closed",
        ("denied", "close"): "closed",
        ("appeal_needed", "close"): "closed",
    }
    assert claim_lifecycle.internal == {InternalTransition.EXPORT}


@pytest.mark.parametrize("state", [status.value for status in ClaimStatus])
async def test_matrix(agency: Agency, evidence: Evidence, state: str) -> None:
    """The right people move the claim and leave one record of each kind; all others leave nothing at all."""
    claim = await new_claim(agency)
    path = f"{CLAIMS}/{claim['id']}/transitions"
    for action in ACTIONS:
        for who in PEOPLE:
            version = await evidence.arrange(claim, state)
            before = await evidence.digest(agency.tenant_id)
            body = {"action": action, "version": version, "reason": "CO-50"}
            answer = await agency.actors[who].post(path, json=body)
            if who not in MAY:
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
                assert await evidence.digest(agency.tenant_id) == before
            elif (state, action) not in TARGETS:
                error = answer.json()["error"]
                assert (answer.status_code, error["code"]) == (409, "INVALID_TRANSITION")
                assert (error["details"]["state"], error["details"]["action"]) == (state, action)
                assert set(error["details"]["allowed_actions"]) == offered(state)
                assert await evidence.digest(agency.tenant_id) == before
            else:
                await assert_moved(evidence, answer.json(), claim, action, state, version)


def offered(state: str) -> set[str]:
    return {action for source, action in TARGETS if source == state and action != "export"}


async def assert_moved(
    evidence: Evidence, answer: dict[str, Any], claim: dict[str, Any], action: str, state: str, version: int
) -> None:
    target = TARGETS[state, action]
    assert (answer["status"], answer["version"]) == (target, version + 1)
    assert set(answer["allowed_actions"]) == offered(target)
    audited = (await evidence.audit(claim["id"]))[-1]
    assert audited["action"] == AUDITED[action]
    assert audited["metadata_json"] == {"action": action, "from": state, "to": target, "reason": "CO-50"}
    assert audited["changed_fields_json"]["status"] == [state, target]
    assert audited["actor_user_id"] is not None
    published = [event for event in await evidence.outbox(claim["id"]) if event["payload"]["version"] == version + 1]
    assert [event["topic"] for event in published] == ["claim.status_changed"]
    payload = published[0]["payload"]
    assert (payload["status"], payload["incident_id"], payload["patient_id"], payload["entity_type"]) == (
        target,
        claim["incident_id"],
        claim["patient_id"],
        "claim",
    )


@pytest.mark.parametrize("state", ["pending_review", "ready_to_export"])
async def test_export_cannot_be_asked_for_as_a_transition(agency: Agency, evidence: Evidence, state: str) -> None:
    claim = await new_claim(agency)
    version = await evidence.arrange(claim, state)
    before = await evidence.digest(agency.tenant_id)
    await fire(agency, {**claim, "version": version}, "export", status=422)
    assert await evidence.digest(agency.tenant_id) == before


async def test_the_payers_decision_and_what_undoes_it(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    claim["version"] = await evidence.arrange(claim, "exported")
    submitted = await fire(agency, claim, "submit")
    assert submitted["submitted_at"] > claim["created_at"]
    denied = await fire(
        agency, submitted, "deny", reason="CO-50 not necessary", patient_responsibility_amount="1015.60"
    )
    assert (denied["denial_reason"], denied["patient_responsibility_amount"]) == ("CO-50 not necessary", "1015.60")
    appealed = await fire(agency, denied, "flag_appeal")
    assert appealed["denial_reason"] == "CO-50 not necessary"
    paid = await fire(agency, appealed, "pay", patient_responsibility_amount="203.1")
    assert paid["paid_at"] > claim["created_at"]
    assert (paid["denial_reason"], paid["patient_responsibility_amount"]) == (None, "203.10")
    reversed_ = await fire(agency, paid, "reverse")
    assert (reversed_["paid_at"], reversed_["patient_responsibility_amount"]) == (None, None)
    assert reversed_["submitted_at"] == submitted["submitted_at"]
    denied = await fire(agency, reversed_, "deny", reason="CO-29")
    again = await fire(agency, denied, "resubmit")
    assert (again["status"], again["denial_reason"], again["submitted_at"]) == ("pending_review", None, None)


@pytest.mark.parametrize("state", ["exported", "submitted"])
async def test_a_rejected_claim_was_not_submitted(agency: Agency, evidence: Evidence, state: str) -> None:
    claim = await new_claim(agency)
    claim["version"] = await evidence.arrange(claim, state)
    rejected = await fire(agency, claim, "reject", reason="277CA A7")
    assert (rejected["status"], rejected["submitted_at"]) == ("pending_review", None)


async def test_a_denial_needs_its_reason(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    claim["version"] = await evidence.arrange(claim, "submitted")
    before = await evidence.digest(agency.tenant_id)
    refused = await fire(agency, claim, "deny", status=422)
    assert refused["error"]["details"]["problems"][0]["field"] == "reason"
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize(
    ("action", "amount"),
    [("submit", "1.00"), ("pay", "1015.61"), ("pay", "-0.01"), ("pay", "0.001"), ("pay", 1.555), ("pay", "NaN")],
)
async def test_what_the_patient_owes_is_part_of_the_charge(
    agency: Agency, evidence: Evidence, action: str, amount: Any
) -> None:
    claim = await new_claim(agency)
    claim["version"] = await evidence.arrange(claim, "exported" if action == "submit" else "submitted")
    before = await evidence.digest(agency.tenant_id)
    await fire(agency, claim, action, status=422, patient_responsibility_amount=amount)
    assert await evidence.digest(agency.tenant_id) == before


async def test_stale_versions_are_refused_with_the_servers(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    closed = await fire(agency, claim, "approve")
    before = await evidence.digest(agency.tenant_id)
    refused = await fire(agency, claim, "reopen", status=409)
    assert refused["error"]["code"] == "CONFLICT"
    assert refused["error"]["details"]["server_version"] == closed["version"]
    assert await evidence.digest(agency.tenant_id) == before


async def test_of_two_racing_transitions_one_wins(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    body = {"action": "approve", "version": claim["version"]}
    path = f"{CLAIMS}/{claim['id']}/transitions"
    answers = await asyncio.gather(*(agency.actors[who].post(path, json=body) for who in ("biller", "admin", "biller")))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {a.json()["error"]["code"] for a in answers if a.status_code == 409} == {"INVALID_TRANSITION"}
    assert [event["action"] for event in await evidence.audit(claim["id"])] == ["claim.created", "claim.approved"]
    assert len(await evidence.outbox(claim["id"])) == 2


async def test_an_unlocked_chart_holds_up_approval(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency, call)
    await unlock_call(agency, call)
    before = await evidence.digest(agency.tenant_id)
    refused = await fire(agency, claim, "approve", status=409)
    guards = refused["error"]["details"]["failed_guards"]
    assert [guard["name"] for guard in guards] == ["chart_locked"]
    assert await evidence.digest(agency.tenant_id) == before


async def test_approval_says_everything_that_an_837p_lacks(agency: Agency, evidence: Evidence) -> None:
    """Chart, agency and claim at once, in the API's names and without a single value."""
    call = await locked_call(
        agency, patient={"home_street": None, "last_name": "Geheim"}, location_zip=None, depart_scene_time=None
    )
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    patch = {"version": tenant["version"], "zip": "62701", "receiver_id": None, "ein": None}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=patch)
    mileage = {"hcpcs": "A0425", "modifiers": ["XS"], "units": "7.7", "charge": "0", "diagnosis_pointers": [3]}
    claim = await new_claim(agency, call, lines=[mileage], signature_on_file=None)
    before = await evidence.digest(agency.tenant_id)
    refused = await fire(agency, claim, "approve", status=409)
    [guard] = refused["error"]["details"]["failed_guards"]
    found = {(problem["field"], problem["code"]) for problem in guard["problems"]}
    assert found == {
        ("incident.depart_scene_time", "missing"),
        ("signature_on_file", "missing"),
        ("tenant.receiver_id", "missing"),
        ("tenant.ein", "missing"),
        ("tenant.zip", "billing_zip"),
        ("patient.home_street", "missing"),
        ("incident.location_zip", "missing"),
        ("charge_amount", "charge_zero"),
        ("lines", "base_code"),
        ("lines[0].hcpcs", "mileage_without_base"),
        ("lines[0].modifiers", "origin_destination"),
        ("lines[0].diagnosis_pointers", "pointer"),
        ("loaded_miles", "miles_units"),
    }
    assert all(problem["message"] for problem in guard["problems"])
    assert "Geheim" not in str(refused)
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_line_that_the_approver_has_not_seen_holds_up_approval(agency: Agency) -> None:
    """A changed line is a changed claim, even where the charge stays what it was."""
    seen = await new_claim(agency)
    line = seen["lines"][0]
    path = f"{CLAIMS}/{seen['id']}/lines/{line['id']}"
    await agency.biller.expect(200, "PATCH", path, json={"version": line["version"], "hcpcs": "A0427"})
    refused = await fire(agency, seen, "approve", status=409)
    assert refused["error"]["code"] == "CONFLICT"


async def test_reopen_makes_editable_again(agency: Agency) -> None:
    claim = await approved_claim(agency)
    path = f"{CLAIMS}/{claim['id']}"
    refused = await agency.biller.expect(409, "PATCH", path, json={"version": claim["version"], "payer_id": "12"})
    assert refused["error"]["code"] == "CLAIM_NOT_EDITABLE"
    reopened = await fire(agency, claim, "reopen")
    body = {"version": reopened["version"], "payer_id": "12345"}
    assert (await agency.biller.expect(200, "PATCH", path, json=body))["payer_id"] == "12345"


async def test_a_correction_is_a_replacement_and_a_void_opened_again_an_original(
    agency: Agency, evidence: Evidence
) -> None:
    claim = await new_claim(agency)
    claim["version"] = await evidence.arrange(claim, "paid")
    corrected = await fire(agency, claim, "correct")
    assert (corrected["frequency"], corrected["submitted_at"], corrected["paid_at"]) == ("7", None, None)
    corrected["version"] = await evidence.arrange(corrected, "denied")
    voided = await fire(agency, corrected, "void")
    assert (voided["status"], voided["frequency"], voided["denial_reason"]) == ("closed", "8", "CO-50")
    reopened = await fire(agency, voided, "reopen")
    assert (reopened["frequency"], reopened["denial_reason"]) == ("1", None)


async def test_a_claim_opened_again_before_its_export_stays_a_replacement(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    claim["version"] = await evidence.arrange(claim, "submitted")
    corrected = await fire(agency, claim, "correct")
    corrected["version"] = await evidence.arrange(corrected, "ready_to_export")
    assert (await fire(agency, corrected, "reopen"))["frequency"] == "7"
