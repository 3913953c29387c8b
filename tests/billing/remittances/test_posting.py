"""What payers decide reaches the ledger to the cent, moves the claim, and is held wherever a figure does not fit."""

from __future__ import annotations

import asyncio
import hashlib
from decimal import Decimal
from typing import Any

import pytest

from app.core.runtime import Runtime
from tests.billing.support.adjudications import DecidedLine, Payment, remittance_file
from tests.billing.support.claims import BASE_LINE, MILEAGE_LINE, fire
from tests.billing.support.evidence import Evidence
from tests.billing.support.remittances import (
    DECISIONS,
    REMITTANCES,
    balances_of,
    claim_of,
    decided,
    decisions_of,
    denied,
    exported_claim,
    ledger_of,
    pay,
    run_posting,
    submitted_claim,
    upload,
)
from tests.support.actors import Agency

D = Decimal


async def test_a_claim_is_paid_to_the_cent(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    claim = await submitted_claim(agency)
    assert await balances_of(agency, claim) == {"payer_receivable": D("1015.60"), "charges": D("-1015.60")}
    [decision] = await pay(runtime, agency, decided(claim))
    assert (decision["status"], decision["hold_reason"], decision["claim_id"]) == ("posted", None, claim["id"])
    paid = await claim_of(agency, claim)
    assert (paid["status"], paid["patient_responsibility_amount"]) == ("paid", "146.42")
    assert paid["payer_claim_control_number"] == decision["payer_control_number"]
    assert await balances_of(agency, claim) == {
        "charges": D("-1015.60"),
        "payer_cash": D("573.98"),
        "contractual_adjustments": D("295.20"),
        "patient_receivable": D("146.42"),
    }
    ledger = await ledger_of(agency, claim)
    assert (ledger["charged"], ledger["outstanding"]) == ("1015.60", "146.42")
    line = claim["lines"][0]["id"]
    told = [(one["kind"], one["amount"], one["reason_code"]) for one in ledger["entries"] if one["line_id"] == line]
    assert sorted(told, key=str) == sorted(
        [
            ("charge", "650.00", None),
            ("payment", "446.10", None),
            ("contractual", "81.00", "CO-45"),
            ("contractual", "9.10", "CO-253"),
            ("patient_responsibility", "113.80", "PR-2"),
        ],
        key=str,
    )
    [posted] = await evidence.outbox(ledger["entries"][-1]["posting_id"])
    assert (posted["topic"], posted["payload"]["claim_id"]) == ("ledger.posted", claim["id"])
    received = (await evidence.audit(decision["id"]))[0]
    assert "adjustments" not in str(received["changed_fields_json"])


async def test_a_claim_that_was_only_exported_is_known_to_have_arrived(agency: Agency, runtime: Runtime) -> None:
    claim = await exported_claim(agency)
    await pay(runtime, agency, decided(claim))
    paid = await claim_of(agency, claim)
    assert (paid["status"], paid["submitted_at"] is not None) == ("paid", True)
    assert (await ledger_of(agency, claim))["charged"] == "1015.60"


@pytest.mark.parametrize("status", ["1", "4"])
async def test_a_denial_is_recognised_by_what_was_done(agency: Agency, runtime: Runtime, status: str) -> None:
    """It is written off by nobody: what was denied is still outstanding."""
    claim = await submitted_claim(agency)
    await pay(runtime, agency, denied(claim, status=status))
    found = await claim_of(agency, claim)
    assert (found["status"], found["denial_reason"]) == ("denied", "CO-50, MA01")
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "denied_receivable": D("1015.60")}


async def test_what_only_the_deductible_took_is_no_denial(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    await pay(runtime, agency, decided(claim, [("PR", "1", D(650))], [("PR", "1", D("365.60"))]))
    assert (await claim_of(agency, claim))["status"] == "paid"
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "patient_receivable": D("1015.60")}


async def test_a_reversal_and_its_correction_in_one_payment(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    first = decided(claim)
    await pay(runtime, agency, first)
    second = decided(claim, [("CO", "45", D(200)), ("PR", "2", D(90))], [("CO", "45", D("237.72"))])
    taken = await pay(runtime, agency, first.reversed(), second, trace="EFT0002")
    assert [one["status"] for one in taken] == ["posted", "posted"]
    assert (await claim_of(agency, claim))["status"] == "paid"
    assert await balances_of(agency, claim) == {
        "charges": D("-1015.60"),
        "payer_cash": D("487.88"),
        "contractual_adjustments": D("437.72"),
        "patient_receivable": D("90.00"),
    }


async def test_a_payment_after_a_denial_takes_the_denial_back(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    await pay(runtime, agency, denied(claim))
    await pay(runtime, agency, decided(claim), trace="EFT0002")
    assert (await claim_of(agency, claim))["status"] == "paid"
    assert (await balances_of(agency, claim)).get("denied_receivable") is None
    assert (await ledger_of(agency, claim))["outstanding"] == "146.42"


async def test_what_crossed_over_waits_for_the_next_payer(agency: Agency, runtime: Runtime) -> None:
    """The patient owes nothing until the last payer has decided."""
    claim = await submitted_claim(agency)
    await pay(runtime, agency, decided(claim, status="19"))
    assert (await balances_of(agency, claim))["next_payer_receivable"] == D("146.42")
    lines = (
        [("OA", "23", D("536.20")), ("PR", "3", D("13.80"))],
        [("OA", "23", D("332.98"))],
    )
    [later] = await pay(runtime, agency, decided(claim, *lines, status="2"), trace="EFT0002")
    assert later["status"] == "posted"
    balances = await balances_of(agency, claim)
    assert (balances["patient_receivable"], balances.get("next_payer_receivable")) == (D("13.80"), None)
    assert balances["payer_cash"] == D("573.98") + D("132.62")
    assert (await claim_of(agency, claim))["status"] == "paid"


async def test_bundled_and_downcoded_lines(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    said = decided(claim)
    base = DecidedLine(1, "A0429", ("RH",), D(650), D(300), (("CO", "45", D(350)),), decided_code="A0428")
    bundled = DecidedLine(2, "A0425", ("RH",), D("365.60"), D(0), (("CO", "97", D("365.60")),), drops_modifiers=True)
    await pay(runtime, agency, type(said)(said.claim_number, (base, bundled)))
    assert (await claim_of(agency, claim))["status"] == "paid"
    assert (await balances_of(agency, claim))["denied_receivable"] == D("365.60")


async def test_lines_are_found_without_our_number(agency: Agency, runtime: Runtime) -> None:
    """By code, modifiers and charge, and without the modifiers that payers drop."""
    claim = await submitted_claim(agency)
    content = remittance_file(Payment((decided(claim),)))
    lines = [line for line in content.decode().splitlines() if not line.startswith("REF*6R")]
    text = "\n".join(lines).replace("HC:A0425:RH", "HC:A0425")
    removed = len(content.decode().splitlines()) - len(lines)
    count = next(line for line in lines if line.startswith("SE*")).split("*")[1]
    taken = await upload(agency, text.replace(f"SE*{count}*", f"SE*{int(count) - removed}*").encode())
    await run_posting(runtime, agency, taken["files"][0]["file"]["id"])
    [decision] = await decisions_of(agency, taken["files"][0]["remittances"][0]["id"])
    assert decision["status"] == "posted"
    assert (await ledger_of(agency, claim))["outstanding"] == "146.42"


def _shifted(text: str) -> str:
    return text.replace("CAS*PR*2*113.8", "CAS*PR*2*113.7")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_shifted, "line_unbalanced"),
        (lambda text: text.replace("*146.42*", "*140*"), "patient_responsibility_differs"),
        (lambda text: text.replace("BPR*I*573.98", "BPR*I*573.97"), "set_unbalanced"),
        (lambda text: text.replace("CLP*C", "CLP*X"), "unknown_claim"),
        (lambda text: text.replace("*1*1015.6*", "*25*1015.6*"), "not_a_decision"),
        (lambda text: text.replace("HC:A0429:RH", "HC:A0427:RH").replace("REF*6R*C", "REF*6R*Z"), "line_unmatched"),
    ],
)
async def test_what_does_not_fit_is_held_with_its_reason(
    agency: Agency, runtime: Runtime, change: Any, reason: str
) -> None:
    claim = await submitted_claim(agency)
    before = await ledger_of(agency, claim)
    text = change(remittance_file(Payment((decided(claim),))).decode())
    taken = await upload(agency, text.encode())
    await run_posting(runtime, agency, taken["files"][0]["file"]["id"])
    [remittance] = taken["files"][0]["remittances"]
    [decision] = await decisions_of(agency, remittance["id"])
    assert (decision["status"], decision["hold_reason"]) == ("held", reason)
    assert await ledger_of(agency, claim) == before
    assert (await claim_of(agency, claim))["status"] == "submitted"
    assert (await agency.biller.expect(200, "GET", f"{REMITTANCES}/{remittance['id']}"))["held_count"] == 1


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("pending_review", "claim_not_sent"),
        ("ready_to_export", "claim_not_sent"),
        ("closed", "claim_closed"),
        ("paid", "already_decided"),
    ],
)
async def test_a_claim_in_another_state_is_not_moved(
    agency: Agency, runtime: Runtime, evidence: Evidence, state: str, reason: str
) -> None:
    claim = await submitted_claim(agency)
    await evidence.arrange(claim, state)
    [decision] = await pay(runtime, agency, decided(claim))
    assert (decision["status"], decision["hold_reason"]) == ("held", reason)
    assert (await claim_of(agency, claim))["status"] == state


async def test_reversals_must_be_of_what_was_posted(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    [nothing] = await pay(runtime, agency, decided(claim).reversed(), trace="A", taken_back=(("FB", "", D("-573.98")),))
    assert nothing["hold_reason"] == "nothing_to_reverse"
    await pay(runtime, agency, decided(claim), trace="B")
    other = decided(claim, [("CO", "45", D(10))]).reversed()
    [differs] = await pay(runtime, agency, other, trace="C", taken_back=(("FB", "", other.paid),))
    assert differs["hold_reason"] == "reversal_differs"
    assert (await claim_of(agency, claim))["status"] == "paid"


async def test_the_same_payment_is_posted_once(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    """Sent as the same bytes, in another file, and run by two workers at once."""
    claim = await submitted_claim(agency)
    content = remittance_file(Payment((decided(claim),)))
    first = await upload(agency, content)
    source = first["files"][0]["file"]["id"]
    await asyncio.gather(*(run_posting(runtime, agency, source) for _ in range(3)))
    before = await evidence.digest(agency.tenant_id)
    again = await upload(agency, content)
    assert again["files"][0]["repeated"]
    assert (again["files"][0]["file"]["id"], again["files"][0]["remittances"]) == (source, [])
    await run_posting(runtime, agency, source)
    assert await evidence.digest(agency.tenant_id) == before
    other = await upload(agency, content.replace(b"~\n", b"~"))
    [file] = other["files"]
    assert (file["repeated"], file["remittances"]) == (False, [])
    assert file["repeated_remittance_ids"] == [first["files"][0]["remittances"][0]["id"]]
    await run_posting(runtime, agency, file["file"]["id"])
    assert (await ledger_of(agency, claim))["outstanding"] == "146.42"


async def test_only_what_was_paid_to_this_agency_is_kept(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    claim = await submitted_claim(agency)
    foreign = Payment((denied({**claim, "claim_number": "THEIRS-1"}),), npi="1245319599", trace="THEIRS")
    same_npi = Payment((denied({**claim, "claim_number": "THEIRS-2"}),), tax_id="999999999", trace="OTHER")
    taken = await upload(agency, remittance_file(foreign, Payment((decided(claim),)), same_npi))
    [file] = taken["files"]
    assert file["file"]["foreign_payees"] == [
        {"npi": "1245319599", "payments": 1},
        {"npi": "1467890129", "payments": 1},
    ]
    assert [one["trace_number"] for one in file["remittances"]] == ["EFT0001"]
    row = await evidence.row("received_files", file["file"]["id"])
    kept = await runtime.objects.get(row["artifact_key"])
    assert b"THEIRS" not in kept and claim["claim_number"].encode() in kept
    await run_posting(runtime, agency, file["file"]["id"])
    assert (await claim_of(agency, claim))["status"] == "paid"
    only = await upload(agency, remittance_file(foreign, control_number=102))
    assert only["files"][0]["remittances"] == []
    assert (await evidence.row("received_files", only["files"][0]["file"]["id"]))["artifact_key"] is None


async def test_a_file_is_handed_out_as_it_came(agency: Agency, evidence: Evidence) -> None:
    claim = await submitted_claim(agency)
    content = remittance_file(Payment((decided(claim),)))
    [file] = (await upload(agency, content))["files"]
    path = f"billing/received-files/{file['file']['id']}/content"
    answer = await agency.biller.get(path)
    assert (answer.status_code, answer.content) == (200, content)
    assert hashlib.sha256(answer.content).hexdigest() == file["file"]["sha256"]
    assert [one["action"] for one in await evidence.audit(file["file"]["id"])][-1] == "received_file.downloaded"
    for who in ("medic", "founder"):
        await agency.actors[who].expect(403, "GET", path)


async def test_provider_adjustments_make_the_cash_what_was_paid(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    claim = await submitted_claim(agency)
    held_back = (("WO", "ICN7", D("73.98")), ("L6", "", D("-1.25")))
    await pay(runtime, agency, decided(claim), taken_back=held_back)
    query = (
        "SELECT sum(CASE WHEN debit_account = 'payer_cash' THEN amount ELSE -amount END) FROM ledger_entries"
        " WHERE tenant_id = $1 AND 'payer_cash' IN (debit_account, credit_account)"
    )
    assert await evidence.connection.fetchval(query, agency.tenant_id) == D("501.25")


async def test_a_broken_file_leaves_nothing(agency: Agency, evidence: Evidence) -> None:
    claim = await submitted_claim(agency)
    text = remittance_file(Payment((decided(claim),))).decode()
    before = await evidence.digest(agency.tenant_id)
    cut = await upload(agency, text[: text.index("SE*")].encode(), status=422)
    assert (cut["error"]["code"], cut["error"]["details"]["position"] is not None) == ("UNREADABLE_FILE", True)
    wrong = await upload(agency, text.replace("CAS*PR*2*113.8", "CAS*PR*2*1l3.8").encode(), status=422)
    assert wrong["error"]["details"]["segment"] == "CAS"
    other = await upload(agency, text.replace("ST*835", "ST*999").encode(), status=422)
    assert other["error"]["code"] == "WRONG_FILE"
    assert await evidence.digest(agency.tenant_id) == before
    for who in ("medic", "founder"):
        await upload(agency, text.encode(), status=403, who=who)


async def test_an_unknown_layout_is_kept_and_never_guessed(agency: Agency) -> None:
    taken = await upload(agency, b"PAYER;AMOUNT\nX;1\n")
    assert (taken["files"][0]["file"]["kind"], taken["files"][0]["remittances"]) == ("unknown", [])


async def test_a_person_resolves_what_is_held(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    claim = await submitted_claim(agency)
    said = decided({**claim, "claim_number": "WRONG"})
    [held] = await pay(runtime, agency, said)
    path = f"{DECISIONS}/{held['id']}/transitions"
    body = {"action": "resolve", "version": held["version"], "claim_id": claim["id"]}
    await agency.biller.expect(422, "POST", path, json=body)
    await agency.medic.expect(403, "POST", path, json=body)
    before = await evidence.digest(agency.tenant_id)
    other = await submitted_claim(agency, lines=[{**BASE_LINE, "charge": "9.00"}, MILEAGE_LINE])
    refused = await agency.biller.expect(409, "POST", path, json={**body, "claim_id": other["id"], "reason": "Guess"})
    assert refused["error"]["details"] == {"reason": "line_unmatched"}
    assert before != await evidence.digest(agency.tenant_id)
    done = await agency.biller.expect(200, "POST", path, json={**body, "reason": "The payer mistyped our number."})
    assert (done["status"], done["claim_id"], done["hold_reason"]) == ("posted", claim["id"], "unknown_claim")
    assert (await claim_of(agency, claim))["status"] == "paid"
    reasons = {one["reason"] for one in (await ledger_of(agency, claim))["entries"] if one["cause"] == "remittance"}
    assert reasons == {"The payer mistyped our number."}
    await agency.biller.expect(409, "POST", path, json={**body, "version": done["version"], "reason": "Again"})


async def test_what_is_taken_back_from_a_voided_claim(agency: Agency, runtime: Runtime) -> None:
    """A closed claim moves by nobody's remittance; a person posts the reversal that follows a void."""
    claim = await submitted_claim(agency)
    first = decided(claim)
    await pay(runtime, agency, first)
    voided = await fire(agency, await claim_of(agency, claim), "void")
    back = (("FB", "", -first.paid),)
    [held] = await pay(runtime, agency, first.reversed(), trace="EFT0002", taken_back=back)
    assert held["hold_reason"] == "claim_closed"
    body = {"action": "resolve", "version": held["version"], "reason": "We voided the claim"}
    done = await agency.biller.expect(200, "POST", f"{DECISIONS}/{held['id']}/transitions", json=body)
    assert done["status"] == "posted"
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "payer_receivable": D("1015.60")}
    assert (await claim_of(agency, claim))["status"] == voided["status"] == "closed"
    [again] = await pay(runtime, agency, first, trace="EFT0003")
    path = f"{DECISIONS}/{again['id']}/transitions"
    refused = await agency.biller.expect(409, "POST", path, json={**body, "version": again["version"]})
    assert refused["error"]["details"] == {"reason": "claim_closed"}


async def test_a_person_sets_aside_what_is_not_ours(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    [held] = await pay(runtime, agency, decided({**claim, "claim_number": "OLD-1"}))
    path = f"{DECISIONS}/{held['id']}/transitions"
    body = {"action": "set_aside", "version": held["version"], "reason": "Of the agency that we bought"}
    await agency.biller.expect(422, "POST", path, json={**body, "claim_id": claim["id"]})
    assert (await agency.biller.expect(200, "POST", path, json=body))["status"] == "set_aside"
    assert (await claim_of(agency, claim))["status"] == "submitted"


def paper(claim: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base, miles = claim["lines"]
    lines = [
        {"line_id": base["id"], "paid": "446.10", "adjustments": [{"group": "CO", "reason": "45", "amount": "203.90"}]},
        {"line_id": miles["id"], "paid": "127.88", "adjustments": [{"group": "PR", "reason": "2", "amount": "237.72"}]},
    ]
    said = {"claim_id": claim["id"], "payer_control_number": "ICN9", "lines": lines}
    return {
        "payer_name": "Medicare Part B IL",
        "trace_number": "CHK1",
        "paid_on": "2026-11-09",
        "amount": "573.98",
        "claims": [said],
        **changes,
    }


async def test_a_remittance_on_paper_is_posted_by_the_same_rules(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    claim = await submitted_claim(agency)
    path = f"{REMITTANCES}/paper"
    before = await evidence.digest(agency.tenant_id)
    wrong = await agency.biller.expect(422, "POST", path, json=paper(claim, amount="573.97"))
    assert wrong["error"]["details"]["problems"][0]["code"] == "set_unbalanced"
    assert await evidence.digest(agency.tenant_id) == before
    made = await agency.biller.expect(201, "POST", path, json=paper(claim))
    await run_posting(runtime, agency, made["id"])
    assert await agency.biller.expect(200, "GET", f"{REMITTANCES}/{made['id']}") == {
        **made,
        "pending_count": 0,
        "posted_count": 1,
    }
    assert (await claim_of(agency, claim))["status"] == "paid"
    assert (await ledger_of(agency, claim))["outstanding"] == "237.72"
    twice = await agency.biller.expect(409, "POST", path, json=paper(claim))
    assert twice["error"]["code"] == "ALREADY_EXISTS"


async def test_a_claim_that_is_sent_again_owes_its_new_charges(agency: Agency) -> None:
    claim = await submitted_claim(agency)
    rejected = await fire(agency, claim, "reject", reason="277CA A7")
    line = rejected["lines"][1]
    path = f"billing/claims/{claim['id']}/lines/{line['id']}"
    await agency.biller.expect(200, "PATCH", path, json={"version": line["version"], "charge": "300.00"})
    approved = await fire(agency, await claim_of(agency, claim), "approve")
    await agency.biller.expect(201, "POST", "billing/exports", json={"claim_ids": [approved["id"]]})
    await fire(agency, await claim_of(agency, claim), "submit")
    ledger = await ledger_of(agency, claim)
    assert (ledger["charged"], ledger["outstanding"]) == ("950.00", "950.00")
    assert [one["amount"] for one in ledger["entries"]] == ["650.00", "365.60", "65.60"]
