"""Refusals are recorded with the decision that makes them, settled by the next, and worked on by people."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from app.core.runtime import Runtime
from tests.billing.support.claims import fire
from tests.billing.support.denials import DENIALS, denials_of, refused_claim
from tests.billing.support.evidence import Evidence
from tests.billing.support.remittances import (
    PAID_BASE,
    balances_of,
    claim_of,
    decided,
    denied,
    pay,
    run_posting,
    submitted_claim,
)
from tests.support.actors import Agency

D = Decimal
MEDICARE_DAYS = 125


async def transition(agency: Agency, denial: dict[str, Any], action: str, *, status: int = 200, **more: Any) -> Any:
    body = {"action": action, "version": denial["version"], **more}
    return await agency.biller.expect(status, "POST", f"{DENIALS}/{denial['id']}/transitions", json=body)


async def test_a_refusal_is_recorded_with_owner_deadline_and_plain_words(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    [decision] = await pay(runtime, agency, denied(claim, "50", status="1"))
    [denial] = await denials_of(agency, claim)
    assert denial["remittance_claim_id"] == decision["id"]
    assert (denial["status"], denial["amount"], denial["whole"]) == ("open", "1015.60", True)
    assert (denial["category"], denial["owner"], denial["remedy"]) == ("medical_necessity", "clinical", "appeal")
    assert denial["allowed_actions"] == ["give_up"]
    [code] = denial["codes"]
    assert code["code"] == "CO-50"
    assert all(code[name] for name in ("means", "cause", "fix"))
    notice_on, until = (dt.date.fromisoformat(denial[name]) for name in ("notice_on", "appeal_by"))
    assert (until - notice_on).days == MEDICARE_DAYS
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "denied_receivable": D("1015.60")}


async def test_a_paid_claim_has_no_refusal_and_a_partly_refused_one_has_one_of_that_part(
    agency: Agency, runtime: Runtime
) -> None:
    paid, partly = await submitted_claim(agency), await submitted_claim(agency)
    bundled = (("CO", "97", D("365.60")),)
    await pay(runtime, agency, decided(paid), decided(partly, PAID_BASE, bundled))
    assert await denials_of(agency, paid) == []
    [denial] = await denials_of(agency, partly)
    assert (denial["amount"], denial["whole"], denial["category"]) == ("365.60", False, "bundled")
    assert (await claim_of(agency, partly))["status"] == "paid"


async def test_posting_a_file_again_records_no_second_refusal(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    [decision] = await pay(runtime, agency, denied(claim))
    await run_posting(runtime, agency, decision["remittance_id"])
    assert len(await denials_of(agency, claim)) == 1


async def test_what_the_payer_decides_next_settles_a_refusal(agency: Agency, runtime: Runtime) -> None:
    claim = await refused_claim(agency, runtime)
    await pay(runtime, agency, decided(claim), trace="SECOND")
    [denial] = await denials_of(agency, claim)
    assert (denial["status"], denial["resolution"], denial["allowed_actions"]) == ("resolved", "paid", [])


async def test_a_second_refusal_supersedes_the_first(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    claim = await refused_claim(agency, runtime, "16")
    claim = await fire(agency, claim, "flag_appeal")
    await pay(runtime, agency, denied(claim, "50"), trace="SECOND")
    first, second = await denials_of(agency, claim)
    assert (first["status"], first["resolution"], first["category"]) == ("resolved", "superseded", "incomplete")
    assert (second["status"], second["resolution"], second["category"]) == ("open", None, "medical_necessity")
    assert [event["action"] for event in await evidence.audit(first["id"])] == ["denial.recorded", "denial.resolved"]


async def test_a_reversal_takes_the_refusal_of_a_part_back(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    bundled = (("CO", "97", D("365.60")),)
    said = decided(claim, PAID_BASE, bundled)
    await pay(runtime, agency, said)
    await pay(runtime, agency, said.reversed(), trace="SECOND")
    [denial] = await denials_of(agency, claim)
    assert (denial["status"], denial["resolution"]) == ("resolved", "reversed")


async def test_a_later_payer_leaves_the_first_ones_refusal_open(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    bundled = (("CO", "97", D("365.60")),)
    await pay(runtime, agency, decided(claim, PAID_BASE, bundled, status="19"))
    prior = (("OA", "23", D("536.20")), ("PR", "3", D("13.80")))
    later = decided(claim, prior, (("OA", "23", D("365.60")),), status="2")
    for trace, said in (("SECOND", later), ("THIRD", later.reversed())):
        [decision] = await pay(runtime, agency, said, trace=trace)
        assert decision["status"] == "posted", decision["hold_reason"]
    [denial] = await denials_of(agency, claim)
    assert (denial["status"], denial["amount"]) == ("open", "365.60")


async def test_a_biller_gives_a_refusal_up_with_a_reason_and_takes_it_up_again(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    [denial] = await denials_of(agency, await refused_claim(agency, runtime))
    before = await evidence.digest(agency.tenant_id)
    await transition(agency, denial, "give_up", status=422)
    await transition(agency, denial, "resume", status=409)
    await transition(agency, denial, "resolve", status=422, reason="Nobody may say so")
    assert await evidence.digest(agency.tenant_id) == before
    given_up = await transition(agency, denial, "give_up", reason="The certificate was never signed")
    assert (given_up["status"], given_up["allowed_actions"]) == ("given_up", ["resume"])
    await transition(agency, denial, "resume", status=409)  # stale
    assert (await transition(agency, given_up, "resume"))["status"] == "open"


async def test_a_refusal_is_given_to_a_biller_and_to_nobody_else(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    [denial] = await denials_of(agency, await refused_claim(agency, runtime))
    biller, medic = [(await agency.actors[who].expect(200, "GET", "auth/me"))["id"] for who in ("biller", "medic")]
    before = await evidence.digest(agency.tenant_id)
    body = {"version": denial["version"], "assigned_to_user_id": medic}
    refusal = await agency.biller.expect(422, "PATCH", f"{DENIALS}/{denial['id']}", json=body)
    assert "assigned_to_user_id" in str(refusal["error"]["details"])
    assert await evidence.digest(agency.tenant_id) == before
    body = {"version": denial["version"], "assigned_to_user_id": biller, "appeal_by": "2027-01-31"}
    revised = await agency.biller.expect(200, "PATCH", f"{DENIALS}/{denial['id']}", json=body)
    assert (revised["assigned_to_user_id"], revised["appeal_by"]) == (biller, "2027-01-31")
    mine = await agency.biller.expect(200, "GET", DENIALS, params={"assigned_to_user_id": biller})
    assert [one["id"] for one in mine["items"]] == [denial["id"]]


async def test_the_list_is_by_deadline_and_is_filtered(agency: Agency, runtime: Runtime) -> None:
    for reason in ("50", "29", "16"):
        await refused_claim(agency, runtime, reason)
    everything = (await agency.biller.expect(200, "GET", DENIALS))["items"]
    assert len(everything) == 3
    days = ["2027-02-01", None, "2027-01-01"]
    for denial, day in zip(everything, days, strict=True):
        body = {"version": denial["version"], "appeal_by": day}
        await agency.biller.expect(200, "PATCH", f"{DENIALS}/{denial['id']}", json=body)
    found: list[Any] = []
    params: dict[str, Any] = {"limit": 1}
    while True:
        page = await agency.biller.expect(200, "GET", DENIALS, params=params)
        found += [one["appeal_by"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert found == ["2027-01-01", "2027-02-01", None]
    for params, count in (
        ({"category": "timely_filing"}, 1),
        ({"category": ["timely_filing", "incomplete"]}, 2),
        ({"owner": "clinical"}, 1),
        ({"remedy": "correct"}, 1),
        ({"status": "resolved"}, 0),
        ({"appeal_by_to": "2027-02-01"}, 1),
        ({"appeal_by_from": "2027-02-01", "appeal_by_to": "2027-03-01"}, 1),
    ):
        page = await agency.biller.expect(200, "GET", DENIALS, params=params)
        assert len(page["items"]) == count, params


@pytest.mark.parametrize(("who", "status"), [("admin", 200), ("founder", 200), ("medic", 403)])
async def test_who_reads_refusals(agency: Agency, runtime: Runtime, who: str, status: int) -> None:
    claim = await refused_claim(agency, runtime)
    [denial] = await denials_of(agency, claim)
    await agency.actors[who].expect(status, "GET", f"{DENIALS}/{denial['id']}")


async def test_another_agency_sees_none(agency: Agency, other_agency: Agency, runtime: Runtime) -> None:
    [denial] = await denials_of(agency, await refused_claim(agency, runtime))
    await other_agency.biller.expect(404, "GET", f"{DENIALS}/{denial['id']}")
    body = {"action": "give_up", "version": denial["version"], "reason": "Not theirs"}
    await other_agency.biller.expect(404, "POST", f"{DENIALS}/{denial['id']}/transitions", json=body)
    assert (await other_agency.biller.expect(200, "GET", DENIALS))["items"] == []
