"""Payments that come oddly: twice at once, after a mistake of ours, and after people have posted by hand."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from typing import Any

import asyncpg
import pytest

from app.core.runtime import Runtime
from tests.billing.remittances.test_posting import paper
from tests.billing.support.adjudications import Payment, remittance_file
from tests.billing.support.claims import CLAIMS
from tests.billing.support.evidence import Evidence
from tests.billing.support.remittances import (
    REMITTANCES,
    D,
    balances_of,
    claim_of,
    decided,
    decisions_of,
    denied,
    ledger_of,
    pay,
    run_posting,
    submitted_claim,
    upload,
)
from tests.support.actors import Agency

TENANT = "tenants/current"


async def test_one_payment_in_two_members_of_an_archive(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    content = remittance_file(Payment((decided(claim),), taken_back=(("WO", "", D("10.00")),)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.835", content)
        archive.writestr("two.835", content.replace(b"~\n", b"~"))
    first, second = (await upload(agency, packed.getvalue()))["files"]
    assert [len(one["remittances"]) for one in (first, second)] == [1, 0]
    assert second["repeated_remittance_ids"] == [first["remittances"][0]["id"]]
    for one in (first, second):
        await run_posting(runtime, agency, one["file"]["id"])
    assert (await ledger_of(agency, claim))["outstanding"] == "146.42"


async def test_one_payment_twice_in_a_file(agency: Agency, runtime: Runtime) -> None:
    """A sender that repeats an interchange repeats the control number of the set as well."""
    claim = await submitted_claim(agency)
    payment = Payment((decided(claim),))
    content = remittance_file(payment) + remittance_file(payment, control_number=102)
    [file] = (await upload(agency, content))["files"]
    assert len(file["remittances"]) == len(file["repeated_remittance_ids"]) == 1
    await run_posting(runtime, agency, file["file"]["id"])
    assert [one["status"] for one in await decisions_of(agency, file["remittances"][0]["id"])] == ["posted"]


async def test_one_payment_sent_twice_at_once(agency: Agency, runtime: Runtime) -> None:
    """Whoever comes second is told so, and may send it again."""
    claim = await submitted_claim(agency)
    content = remittance_file(Payment((decided(claim),)))
    headers = {"Content-Type": "application/octet-stream"}
    answers = await asyncio.gather(
        *(agency.biller.request("POST", REMITTANCES, content=content + b"\n" * at, headers=headers) for at in range(3))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    payments = await agency.biller.expect(200, "GET", REMITTANCES)
    [remittance] = payments["items"]
    await run_posting(runtime, agency, remittance["file_id"])
    assert (await ledger_of(agency, claim))["outstanding"] == "146.42"


async def test_paper_that_does_not_balance_is_refused_where_it_is_wrong(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    """It can be typed again: the trace number is not taken."""
    claim = await submitted_claim(agency)
    wrong = paper(claim)
    wrong["claims"][0]["lines"][0]["adjustments"][0]["amount"] = "203.89"
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", f"{REMITTANCES}/paper", json=wrong)
    assert [(one["field"], one["code"]) for one in refused["error"]["details"]["problems"]] == [
        ("claims[0]", "line_unbalanced"),
        ("claims[0]", "claim_unbalanced"),
    ]
    assert await evidence.digest(agency.tenant_id) == before
    made = await agency.biller.expect(201, "POST", f"{REMITTANCES}/paper", json=paper(claim))
    await run_posting(runtime, agency, made["id"])
    assert (await claim_of(agency, claim))["status"] == "paid"


async def test_a_denial_that_was_taken_back_is_denied_again(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    first, second = denied(claim), denied(claim, "29")
    await pay(runtime, agency, first)
    posted = await pay(runtime, agency, first.reversed(), second, trace="EFT0002")
    assert [(one["status"], one["hold_reason"]) for one in posted] == [("posted", None)] * 2
    shown = await claim_of(agency, claim)
    assert (shown["status"], shown["denial_reason"]) == ("denied", "CO-29, MA01")
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "denied_receivable": D("1015.60")}


async def test_a_payer_that_pays_after_all_takes_the_charges_from_the_patient(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    body = {"kind": "self_pay", "amount": "1015.60", "reason": "No coverage found"}
    await agency.biller.expect(201, "POST", f"{CLAIMS}/{claim['id']}/adjustments", json=body)
    await pay(runtime, agency, decided(claim))
    balances = await balances_of(agency, claim)
    assert (balances["patient_receivable"], balances.get("payer_receivable")) == (D("146.42"), None)


@pytest.mark.parametrize("status", ["5", "13", "25", "23"])
async def test_what_is_no_decision_is_held(agency: Agency, runtime: Runtime, status: str) -> None:
    """Pended and forwarded claims, estimates, and codes that no 835 of this version knows."""
    claim = await submitted_claim(agency)
    [held] = await pay(runtime, agency, denied(claim, "133", status=status))
    assert (held["status"], held["hold_reason"]) == ("held", "not_a_decision")
    assert (await claim_of(agency, claim))["status"] == "submitted"


async def test_what_was_written_off_is_owed_again(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    claim = await submitted_claim(agency)
    path = f"{CLAIMS}/{claim['id']}/adjustments"
    await pay(runtime, agency, denied(claim))
    body: dict[str, Any] = {"kind": "write_off", "receivable": "denied_receivable", "amount": "1015.60", "reason": "No"}
    await agency.biller.expect(201, "POST", path, json=body)
    await pay(runtime, agency, decided(claim), trace="EFT0002")
    assert (await ledger_of(agency, claim))["outstanding"] == "-869.18"
    back = {**body, "kind": "write_off_reversal", "reason": "The payer paid after all"}
    before = await evidence.digest(agency.tenant_id)
    for changes, status in (
        ({"amount": "1015.61"}, 409),
        ({"receivable": "payer_receivable"}, 409),
        ({"receivable": None}, 422),
    ):
        await agency.biller.expect(status, "POST", path, json={**back, **changes})
    assert await evidence.digest(agency.tenant_id) == before
    ledger = await agency.biller.expect(201, "POST", path, json=back)
    assert ledger["outstanding"] == "146.42"
    assert "denied_receivable" not in await balances_of(agency, claim)


@pytest.mark.parametrize("told", [b"EFT0001", b"ICN", b"1351840597"])
async def test_numbers_that_no_payer_gives_are_refused(agency: Agency, evidence: Evidence, told: bytes) -> None:
    claim = await submitted_claim(agency)
    long = "".join(hashlib.sha256(bytes([at])).hexdigest() for at in range(140)).upper().encode()
    before = await evidence.digest(agency.tenant_id)
    content = remittance_file(Payment((decided(claim),))).replace(told, long)
    refused = await upload(agency, content, status=422)
    assert refused["error"]["details"]["segment"] in {"BPR", "TRN", "CLP"}
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_file_is_taken_again_when_the_agencys_numbers_are_mended(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    claim = await submitted_claim(agency)
    foreign = Payment((denied({**claim, "claim_number": "THEIRS-1"}),), npi="1245319599", trace="THEIRS")
    content = remittance_file(foreign, Payment((decided(claim),)))
    shown = await agency.admin.expect(200, "GET", TENANT)
    body = {"version": shown["version"], "ein": "999999999"}
    shown = await agency.admin.expect(200, "PATCH", TENANT, json=body)
    [wrong] = (await upload(agency, content))["files"]
    assert (wrong["remittances"], len(wrong["file"]["foreign_payees"])) == ([], 2)
    await agency.admin.expect(200, "PATCH", TENANT, json={"version": shown["version"], "ein": "371234567"})
    [right] = (await upload(agency, content))["files"]
    assert (right["file"]["id"], len(right["remittances"])) == (wrong["file"]["id"], 1)
    assert right["file"]["foreign_payees"] == [{"npi": "1245319599", "payments": 1}]
    await run_posting(runtime, agency, right["file"]["id"])
    assert (await ledger_of(agency, claim))["outstanding"] == "146.42"
    row = await evidence.row("received_files", right["file"]["id"])
    kept = await runtime.objects.get(row["artifact_key"])
    assert b"THEIRS" not in kept and claim["claim_number"].encode() in kept
    before = await evidence.digest(agency.tenant_id)
    assert (await upload(agency, content))["files"][0]["repeated"]
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_payment_that_does_not_balance_is_found_even_if_it_decides_no_claim(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    content = remittance_file(Payment((), taken_back=(("WO", "", D("-10.00")),))).replace(b"BPR*I*10*", b"BPR*I*10.01*")
    [file] = (await upload(agency, content))["files"]
    await upload(agency, remittance_file(Payment((), taken_back=(("WO", "", D("-7.00")),), trace="EFT0002")))
    found = await agency.biller.expect(200, "GET", REMITTANCES, params={"balanced": "false"})
    assert [one["id"] for one in found["items"]] == [file["remittances"][0]["id"]]
    assert len((await agency.biller.expect(200, "GET", REMITTANCES))["items"]) == 2
    causes = await admin_connection.fetch("SELECT cause FROM ledger_postings WHERE tenant_id = $1", agency.tenant_id)
    assert [one["cause"] for one in causes] == ["provider_adjustment"]
