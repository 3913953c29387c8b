"""Appeals: levels and their deadlines, the letter, filing, the payer's answers, and the packet."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest

from app.billing.appeals.letters import propose
from app.billing.claims.models import Claim, ClaimLine
from app.billing.denials.models import Denial
from app.billing.public import attach_appeal_draft
from app.core.errors import NotFound
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.billing.support.claims import fire
from tests.billing.support.denials import DENIALS, denials_of, refused_claim
from tests.billing.support.evidence import Evidence
from tests.billing.support.remittances import claim_of, decided, denied, pay, submitted_claim
from tests.support.actors import Agency

APPEALS = "billing/appeals"
D = Decimal
_ADOPT = "UPDATE claims SET payer_record_id = $2::text::uuid WHERE id = $1::text::uuid"


async def refusal(agency: Agency, runtime: Runtime, reason: str = "50", **more: Any) -> dict[str, Any]:
    [denial] = await denials_of(agency, await refused_claim(agency, runtime, reason, **more))
    return denial


async def draft(agency: Agency, denial: dict[str, Any], *, status: int = 201, **more: Any) -> Any:
    body = {"denial_id": denial["id"], **more}
    return await agency.biller.expect(status, "POST", APPEALS, json=body)


async def move(agency: Agency, appeal: dict[str, Any], action: str, *, status: int = 200, **more: Any) -> Any:
    body = {"action": action, "version": appeal["version"], **more}
    return await agency.biller.expect(status, "POST", f"{APPEALS}/{appeal['id']}/transitions", json=body)


def after(day: str, days: int) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()


async def of_denial(agency: Agency, denial: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await agency.biller.expect(200, "GET", f"{DENIALS}/{denial['id']}")
    return found


async def test_a_draft_has_level_deadline_amount_and_a_letter_of_what_the_claim_says(
    agency: Agency, runtime: Runtime
) -> None:
    denial = await refusal(agency, runtime)
    appeal = await draft(agency, denial)
    assert (appeal["status"], appeal["level"], appeal["level_name"]) == ("draft", 1, "Redetermination")
    assert (appeal["amount"], appeal["file_by"]) == ("1015.60", denial["appeal_by"])
    assert appeal["allowed_actions"] == ["file", "withdraw"]
    for said in ("CO-50", "1015.60", "Stroke symptoms", "A0429", denial["notice_on"]):
        assert said in appeal["letter"]
    assert (await of_denial(agency, denial))["status"] == "open"


async def test_a_letter_says_nothing_that_neither_claim_nor_refusal_says(agency: Agency, runtime: Runtime) -> None:
    appeal = await draft(agency, await refusal(agency, runtime, stretcher_purpose=None))
    assert "stretcher" not in appeal["letter"]
    assert "None" not in appeal["letter"]


async def test_filing_moves_refusal_and_claim(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    denial = await refusal(agency, runtime)
    appeal = await draft(agency, denial)
    filed = await move(agency, appeal, "file", on=denial["appeal_by"], reference="R-4711")
    assert (filed["status"], filed["filed_on"], filed["reference"]) == ("filed", denial["appeal_by"], "R-4711")
    assert (await of_denial(agency, denial))["status"] == "appealed"
    claim = await claim_of(agency, {"id": denial["claim_id"]})
    assert claim["status"] == "appeal_needed"
    assert [event["action"] for event in await evidence.audit(appeal["id"])] == ["appeal.created", "appeal.filed"]


async def test_after_its_last_day_an_appeal_is_filed_only_with_the_reason_for_the_delay(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    denial = await refusal(agency, runtime)
    appeal, late = await draft(agency, denial), after(denial["appeal_by"], 1)
    before = await evidence.digest(agency.tenant_id)
    refused = await move(agency, appeal, "file", status=409, on=late)
    assert [guard["name"] for guard in refused["error"]["details"]["failed_guards"]] == ["in_time"]
    assert await evidence.digest(agency.tenant_id) == before
    assert (await move(agency, appeal, "file", on=late, reason="A flood closed the office"))["status"] == "filed"


async def test_a_lost_level_leads_to_the_next_with_its_own_clock(agency: Agency, runtime: Runtime) -> None:
    denial = await refusal(agency, runtime)
    day = denial["notice_on"]
    names = []
    for level, days in ((1, 125), (2, 185), (3, 65), (4, 65)):
        appeal = await draft(agency, denial)
        assert (appeal["level"], appeal["against_on"], appeal["file_by"]) == (level, day, after(day, days))
        names.append(appeal["level_name"])
        appeal = await move(agency, appeal, "file", on=day)
        assert (await of_denial(agency, denial))["status"] == "appealed"
        day = after(day, 30)
        appeal = await move(agency, appeal, "lose", on=day)
        assert (appeal["status"], appeal["awarded_amount"], appeal["decided_on"]) == ("lost", "0.00", day)
        assert (await of_denial(agency, denial))["status"] == "open"
    assert len(set(names)) == 4
    # the fifth is a court's, and takes nothing below its amount in controversy
    appeal = await draft(agency, denial)
    refused = await move(agency, appeal, "file", status=409, on=day)
    assert [guard["name"] for guard in refused["error"]["details"]["failed_guards"]] == ["amount_in_controversy"]


async def test_other_payers_have_their_own_days_and_no_least_amount(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    payer = {"name": "Acme Health", "payer_id": "60054", "claim_filing_code": "CI", "appeal_days": 60}
    record = await agency.biller.expect(201, "POST", "billing/payers", json=payer)
    claim = await submitted_claim(agency, claim_filing_code="CI")
    await evidence.connection.execute(_ADOPT, claim["id"], record["id"])
    await pay(runtime, agency, denied(claim))
    [denial] = await denials_of(agency, claim)
    assert denial["payer_record_id"] == record["id"]
    assert denial["appeal_by"] == after(denial["notice_on"], 60)
    for _ in range(3):
        appeal = await draft(agency, denial, amount="1.00")
        appeal = await move(agency, appeal, "file", on=appeal["against_on"])
        await move(agency, appeal, "lose", on=appeal["against_on"])


async def test_a_won_appeal_waits_for_its_money(agency: Agency, runtime: Runtime) -> None:
    denial = await refusal(agency, runtime)
    day = denial["notice_on"]
    appeal = await move(agency, await draft(agency, denial), "file", on=day)
    won = await move(agency, appeal, "win", on=day)
    assert (won["status"], won["awarded_amount"], won["allowed_actions"]) == ("won", "1015.60", [])
    assert (await of_denial(agency, denial))["status"] == "appealed"
    claim = await claim_of(agency, {"id": denial["claim_id"]})
    assert claim["status"] == "appeal_needed"
    refused = await draft(agency, denial, status=409)
    assert refused["error"]["details"] == {"reason": "won"}
    await pay(runtime, agency, decided(claim), trace="AFTER")
    settled = await of_denial(agency, denial)
    assert (settled["status"], settled["resolution"]) == ("resolved", "paid")
    assert (await claim_of(agency, claim))["status"] == "paid"


async def test_a_part_is_won_and_the_rest_may_be_appealed_further(agency: Agency, runtime: Runtime) -> None:
    denial = await refusal(agency, runtime)
    day = denial["notice_on"]
    appeal = await move(agency, await draft(agency, denial), "file", on=day)
    for awarded in ("0.00", "1015.60", "2000.00"):
        await move(agency, appeal, "win_partly", status=422, on=day, awarded_amount=awarded)
    part = await move(agency, appeal, "win_partly", on=day, awarded_amount="400.00")
    assert (part["status"], part["awarded_amount"]) == ("partly_won", "400.00")
    assert (await draft(agency, denial))["level"] == 2


async def test_what_cannot_be_appealed(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    denial = await refusal(agency, runtime)
    [given_up] = await denials_of(agency, await refused_claim(agency, runtime))
    body = {"action": "give_up", "version": 1, "reason": "Too small"}
    await agency.biller.expect(200, "POST", f"{DENIALS}/{given_up['id']}/transitions", json=body)
    before = await evidence.digest(agency.tenant_id)
    assert (await draft(agency, given_up, status=409))["error"]["code"] == "NOT_APPEALABLE"
    await draft(agency, {"id": denial["claim_id"]}, status=422)
    await draft(agency, denial, status=422, amount="1015.61")
    await draft(agency, denial, status=422, amount="0.00")
    assert await evidence.digest(agency.tenant_id) == before
    appeal = await draft(agency, denial)
    assert (await draft(agency, denial, status=409))["error"]["code"] == "ALREADY_EXISTS"
    await move(agency, appeal, "withdraw")
    assert (await draft(agency, denial))["level"] == 1


async def test_only_drafts_change_and_days_do_not_run_backwards(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    denial = await refusal(agency, runtime)
    appeal, day = await draft(agency, denial), denial["notice_on"]
    path = f"{APPEALS}/{appeal['id']}"
    patch = {"version": appeal["version"], "letter": "Please decide again.\n\nThank you.", "file_by": None}
    revised = await agency.biller.expect(200, "PATCH", path, json=patch)
    assert (revised["letter"], revised["file_by"]) == ("Please decide again.\n\nThank you.", None)
    await agency.biller.expect(409, "PATCH", path, json=patch)
    await agency.biller.expect(422, "PATCH", path, json={"version": 2, "amount": "2000.00"})
    await move(agency, revised, "file", status=422, on=after(day, -1))
    await move(agency, revised, "file", status=422)
    filed = await move(agency, revised, "file", on=day)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(409, "PATCH", path, json={"version": filed["version"], "letter": "Late"})
    assert refused["error"]["code"] == "APPEAL_NOT_EDITABLE"
    await move(agency, filed, "lose", status=422, on=after(day, -1))
    await move(agency, filed, "win", status=422, on=day, awarded_amount="1.00")
    await move(agency, filed, "file", status=409, on=day)
    assert await evidence.digest(agency.tenant_id) == before


async def test_two_billers_begin_one_appeal(agency: Agency, runtime: Runtime) -> None:
    denial = await refusal(agency, runtime)
    body = {"denial_id": denial["id"]}
    answers = await asyncio.gather(*(actor.post(APPEALS, json=body) for actor in (agency.biller, agency.admin)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_payment_and_a_filing_at_once_leave_a_settled_refusal(agency: Agency, runtime: Runtime) -> None:
    denial = await refusal(agency, runtime)
    appeal = await draft(agency, denial)
    claim = await claim_of(agency, {"id": denial["claim_id"]})
    body = {"action": "file", "version": 1, "on": denial["notice_on"]}
    [decisions], answer = await asyncio.gather(
        pay(runtime, agency, decided(claim), trace="RACE"),
        agency.biller.post(f"{APPEALS}/{appeal['id']}/transitions", json=body),
    )
    assert answer.status_code == 200, answer.text
    assert decisions["status"] == "posted"
    assert (await claim_of(agency, claim))["status"] == "paid"
    assert (await of_denial(agency, denial))["resolution"] == "paid"


async def test_the_founder_sees_appeals_without_letters(agency: Agency, runtime: Runtime) -> None:
    appeal = await draft(agency, await refusal(agency, runtime))
    seen = await agency.founder.expect(200, "GET", f"{APPEALS}/{appeal['id']}")
    assert (seen["letter"], seen["amount"]) == (None, "1015.60")
    await agency.founder.expect(403, "GET", f"{APPEALS}/{appeal['id']}/packet.pdf")
    await agency.medic.expect(403, "GET", f"{APPEALS}/{appeal['id']}")
    await agency.founder.expect(403, "POST", APPEALS, json={"denial_id": appeal["denial_id"]})


async def test_another_agency_sees_none(agency: Agency, other_agency: Agency, runtime: Runtime) -> None:
    denial = await refusal(agency, runtime)
    appeal = await draft(agency, denial)
    for path in ("", "/packet.pdf"):
        await other_agency.biller.expect(404, "GET", f"{APPEALS}/{appeal['id']}{path}")
    await draft(other_agency, denial, status=422)
    assert (await other_agency.biller.expect(200, "GET", APPEALS))["items"] == []


async def pdf_of(agency: Agency, appeal: dict[str, Any]) -> bytes:
    answer = await agency.biller.get(f"{APPEALS}/{appeal['id']}/packet.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    content: bytes = answer.content
    assert content.startswith(b"%PDF-")
    return content


async def test_the_same_records_make_the_same_packet(agency: Agency, runtime: Runtime) -> None:
    appeal = await draft(agency, await refusal(agency, runtime))
    first = await pdf_of(agency, appeal)
    assert await pdf_of(agency, appeal) == first
    body = {"version": appeal["version"], "letter": "Another letter, with 漢字 and 🚑."}
    await agency.biller.expect(200, "PATCH", f"{APPEALS}/{appeal['id']}", json=body)
    assert await pdf_of(agency, appeal) != first


def test_a_letter_of_a_claim_that_says_nothing_is_still_a_letter() -> None:
    claim = Claim.__new__(Claim)
    claim.__dict__.update(transport_reason=None, stretcher_purpose=None, round_trip_purpose=None, certifications={})
    denial = Denial.__new__(Denial)
    denial.__dict__.update(notice_on=dt.date(2026, 11, 9), amount=D("10.00"), codes=[], category="other")
    lines: list[ClaimLine] = []
    assert propose(claim, lines, denial).split("\n\n") == [
        "By your decision of 2026-11-09 you refused 10.00 USD of this claim. We ask you to decide again.",
        "We ask you to review the decision on the enclosed records.",
        "We ask you to pay the 10.00 USD that were refused.",
    ]


@pytest.mark.parametrize("action", ["flag_appeal", "resubmit"])
async def test_a_claim_that_moved_meanwhile_keeps_its_state(agency: Agency, runtime: Runtime, action: str) -> None:
    denial = await refusal(agency, runtime)
    appeal = await draft(agency, denial)
    claim = await fire(agency, await claim_of(agency, {"id": denial["claim_id"]}), action)
    await move(agency, appeal, "file", on=denial["notice_on"])
    assert (await claim_of(agency, claim))["status"] == claim["status"]


async def test_a_letter_that_another_domain_wrote_becomes_the_draft(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    denial = await refusal(agency, runtime)
    claim_id, principal = uuid.UUID(denial["claim_id"]), Principal.system(agency.tenant_id)
    ids = []
    for letter in ("A first letter.", "A second letter."):
        async with runtime.unit_of_work(principal) as uow:
            ids.append(await attach_appeal_draft(uow, claim_id, letter))
    assert ids[0] == ids[1]
    appeal = await agency.biller.expect(200, "GET", f"{APPEALS}/{ids[0]}")
    assert (appeal["status"], appeal["level"], appeal["letter"]) == ("draft", 1, "A second letter.")
    await move(agency, appeal, "file", on=denial["notice_on"])
    before = await evidence.digest(agency.tenant_id)
    with pytest.raises(NotFound):  # the refusal is appealed: nothing is open
        async with runtime.unit_of_work(principal) as uow:
            await attach_appeal_draft(uow, claim_id, "A third letter.")
    assert await evidence.digest(agency.tenant_id) == before
