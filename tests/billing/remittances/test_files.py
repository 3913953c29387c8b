"""Whole files: a worker killed in the middle, several at once, constant cost, and other senders' samples."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from app.billing.public import post_patient_payment, post_patient_refund
from app.core.config import Settings
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.adjudications import Decided, Payment, remittance_file
from tests.billing.support.claims import CLAIMS, fire, new_claim
from tests.billing.support.evidence import Evidence
from tests.billing.support.many import multiply
from tests.billing.support.remittances import (
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

D = Decimal
SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3].parent / "shared")
_SUMS = """
SELECT account, sum(amount) FROM (
 SELECT debit_account AS account, amount FROM ledger_entries WHERE tenant_id = $1
 UNION ALL SELECT credit_account, -amount FROM ledger_entries WHERE tenant_id = $1) AS legs
GROUP BY account HAVING sum(amount) <> 0
"""
_POSTED = "SELECT count(*), count(DISTINCT claim_id) FROM ledger_postings WHERE tenant_id = $1 AND cause = 'remittance'"
_LEFT = "SELECT count(*) FROM remittance_claims WHERE tenant_id = $1 AND status <> 'posted'"


async def sums_of(connection: asyncpg.Connection, agency: Agency) -> dict[str, Decimal]:
    """Every account of the agency, added up from nothing."""
    return {row[0]: row[1] for row in await connection.fetch(_SUMS, agency.tenant_id)}


async def posted(connection: asyncpg.Connection, agency: Agency) -> tuple[int, int]:
    """How many decisions are in the ledger, and of how many claims."""
    [row] = await connection.fetch(_POSTED, agency.tenant_id)
    return row[0], row[1]


def randomly(claim: dict[str, Any], chance: random.Random) -> Decided:
    """Paid, denied or left to the deductible."""
    if chance.random() < 0.3:
        return denied(claim)
    cents = [D(chance.randint(1, 20000)).scaleb(-2) for _ in range(4)]
    base = [("CO", "45", cents[0]), ("PR", "2", cents[1])]
    return decided(claim, base, [("CO", "253", cents[2]), ("PI", "131", min(cents[3], D(100)))])


def expected(decisions: list[Decided], undecided: int = 0) -> dict[str, Decimal]:
    """What the accounts come to, by the adjudications alone."""
    sums = {
        "charges": -sum((one.charge for one in decisions), D(0)) - undecided * D("1015.60"),
        "payer_cash": sum((one.paid for one in decisions), D(0)),
        "patient_receivable": sum((one.adjusted("PR") for one in decisions), D(0)),
        "other_adjustments": sum((one.adjusted("PI") for one in decisions), D(0)),
        "denied_receivable": sum((one.adjusted("CO") for one in decisions if one.status == "4"), D(0)),
        "contractual_adjustments": sum((one.adjusted("CO") for one in decisions if one.status != "4"), D(0)),
        "payer_receivable": undecided * D("1015.60"),
    }
    return {account: amount for account, amount in sums.items() if amount}


async def test_a_killed_worker_loses_nothing_and_repeats_nothing(
    agency: Agency, runtime: Runtime, settings: Settings, admin_connection: asyncpg.Connection
) -> None:
    """SIGKILL in the middle of a file of 500 claims; another worker begins while the first is being killed."""
    first = await submitted_claim(agency)
    claims = await multiply(admin_connection, first, 500)
    chance = random.Random(16)  # noqa: S311
    decisions = [randomly(claim, chance) for claim in claims]
    taken = await upload(agency, remittance_file(Payment(tuple(decisions))))
    source = taken["files"][0]["file"]["id"]
    secrets = ("database_url", "system_database_url", "redis_url")
    environment = {name.upper(): getattr(settings, name).get_secret_value() for name in secrets}
    environment |= {
        name.upper(): str(getattr(settings, name)) for name in ("environment", "data_dir", "password_rounds")
    }
    command = [sys.executable, "-m", "tests.billing.support.posting_process", str(agency.tenant_id), source]
    process = await asyncio.create_subprocess_exec(
        *command, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"at work\n"
    while (await posted(admin_connection, agency))[0] < 20:
        assert process.returncode is None
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 20 <= (await posted(admin_connection, agency))[0] < 500
    await asyncio.gather(*(run_posting(runtime, agency, source) for _ in range(2)))
    assert await posted(admin_connection, agency) == (500, 500)
    assert await admin_connection.fetchval(_LEFT, agency.tenant_id) == 0
    assert await sums_of(admin_connection, agency) == expected(decisions, undecided=1)


async def test_each_claim_costs_the_same_few_statements(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    claims = await multiply(admin_connection, await submitted_claim(agency), 30)
    costs = []
    for at, batch in enumerate((claims[:10], claims[10:])):
        content = remittance_file(Payment(tuple(map(decided, batch)), trace=f"EFT{at}"), control_number=200 + at)
        source = (await upload(agency, content))["files"][0]["file"]["id"]
        async with counted(runtime.database) as statements:
            await run_posting(runtime, agency, source)
        costs.append(len(statements))
    assert (costs[1] - costs[0]) / 10 == 12  # BEGIN and COMMIT among them
    assert await sums_of(admin_connection, agency)


async def test_payments_by_patients_and_payers_at_once(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, evidence: Evidence
) -> None:
    """A remittance, a patient's payments, a write-off and a reversal, in whatever order they come: nothing is lost."""
    claim = await submitted_claim(agency)
    first = decided(claim)
    await pay(runtime, agency, first)
    payments = [uuid.uuid4() for _ in range(6)]

    async def by_patient(payment_id: uuid.UUID) -> None:
        async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
            await post_patient_payment(uow, uuid.UUID(claim["id"]), payment_id, D("10.00"))

    async def by_payer() -> None:
        again = decided(claim, [("CO", "45", D(100))])
        await pay(runtime, agency, first.reversed(), again, trace="EFT0002")

    async def by_person() -> None:
        body = {"kind": "write_off", "receivable": "patient_receivable", "amount": "5.00", "reason": "Small balance"}
        answer = await agency.biller.post(f"{CLAIMS}/{claim['id']}/adjustments", json=body)
        assert answer.status_code in (201, 409)  # 409: the reversal had left nothing to write off

    await asyncio.gather(by_payer(), by_person(), *map(by_patient, [*payments, *payments[:3]]))
    await asyncio.gather(*map(by_patient, payments))
    ledger = await ledger_of(agency, claim)
    found = {account: D(amount) for account, amount in ledger["balances"].items() if D(amount)}
    written_off = found.get("written_off", D(0))
    assert found["patient_cash"] == 60
    assert found["payer_cash"] == D(550) + D("127.88")
    assert found["patient_receivable"] == D("32.62") - 60 - written_off
    assert sum(found.values()) == 0
    assert found == await sums_of(admin_connection, agency)
    assert (await claim_of(agency, claim))["status"] == "paid"
    postings = {one["posting_id"] for one in ledger["entries"]}
    for posting_id in postings:
        assert len(await evidence.outbox(posting_id)) == 1


async def test_a_refund_to_a_patient_is_posted_once(agency: Agency, runtime: Runtime) -> None:
    claim = await submitted_claim(agency)
    payment_id = uuid.uuid4()
    async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
        await post_patient_payment(uow, uuid.UUID(claim["id"]), payment_id, D("50.00"))
        await post_patient_refund(uow, uuid.UUID(claim["id"]), payment_id, D("20.00"))
    assert (await balances_of(agency, claim))["patient_cash"] == D("30.00")


async def test_adjustments_by_hand_never_exceed_the_balance(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    claim = await submitted_claim(agency)
    path = f"{CLAIMS}/{claim['id']}/adjustments"
    transfer = {"kind": "self_pay", "amount": "1015.60", "reason": "No coverage"}
    before = await evidence.digest(agency.tenant_id)
    over = await agency.biller.expect(409, "POST", path, json={**transfer, "amount": "1015.61"})
    assert (over["error"]["code"], over["error"]["details"]) == ("OVER_BALANCE", {"available": "1015.60"})
    for who in ("medic", "founder"):
        await agency.actors[who].expect(403, "POST", path, json=transfer)
    wrong: list[dict[str, Any]] = [
        {"kind": "write_off", "amount": "1.00", "reason": "No receivable"},
        {"kind": "self_pay", "receivable": "payer_receivable", "amount": "1.00", "reason": "One too many"},
        {"kind": "self_pay", "amount": "0.00", "reason": "Nothing"},
        {"kind": "self_pay", "amount": "1.00"},
    ]
    for body in wrong:
        await agency.biller.expect(422, "POST", path, json=body)
    assert await evidence.digest(agency.tenant_id) == before
    key = {"Idempotency-Key": "once"}
    for _ in range(2):
        await agency.biller.expect(201, "POST", path, json=transfer, headers=key)
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "patient_receivable": D("1015.60")}
    other = await submitted_claim(agency)
    await pay(runtime, agency, denied(other))
    refused = await agency.biller.expect(
        422, "POST", f"{CLAIMS}/{other['id']}/adjustments", json={**transfer, "amount": "1.00"}
    )
    assert refused["error"]["details"]["problems"][0]["code"] == "decided"
    body = {"kind": "write_off", "receivable": "denied_receivable", "amount": "1015.60", "reason": "Not worth it"}
    ledger = await agency.biller.expect(201, "POST", f"{CLAIMS}/{other['id']}/adjustments", json=body)
    assert ledger["outstanding"] == "0.00"
    assert ledger["entries"][-1]["reason"] == "Not worth it"


async def test_a_claim_without_a_payer_is_closed_as_self_pay(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    claim = await new_claim(agency)
    await admin_connection.execute("UPDATE claims SET payer_name = NULL WHERE id = $1", uuid.UUID(claim["id"]))
    assert (await fire(agency, claim, "close"))["status"] == "closed"
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "patient_receivable": D("1015.60")}
    coverage = (
        "UPDATE claims SET payer_name = 'Medicare Part B IL', status = 'exported' WHERE id = $1 RETURNING version"
    )
    version = await admin_connection.fetchval(coverage, uuid.UUID(claim["id"]))
    await fire(agency, {**claim, "version": version}, "submit")  # coverage was found after all
    assert await balances_of(agency, claim) == {"charges": D("-1015.60"), "payer_receivable": D("1015.60")}
    other = await fire(agency, await new_claim(agency), "close")
    assert (await ledger_of(agency, other))["entries"] == []


async def test_one_decision_that_fails_leaves_the_others_alone(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    claims = await multiply(admin_connection, await submitted_claim(agency), 3)
    taken = await upload(agency, remittance_file(Payment(tuple(map(decided, claims)))))
    [file] = taken["files"]
    spoil = "UPDATE remittance_claims SET content = '{}' WHERE tenant_id = $1 AND position = 2"
    await admin_connection.execute(spoil, agency.tenant_id)
    with pytest.raises(ValidationError):
        await run_posting(runtime, agency, file["file"]["id"])
    found = await decisions_of(agency, file["remittances"][0]["id"])
    assert [one["status"] for one in found] == ["posted", "pending", "posted"]


async def test_the_ledger_is_only_added_to(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    claim = await submitted_claim(agency)
    for statement in (
        "UPDATE ledger_entries SET amount = 1 WHERE claim_id = $1",
        "DELETE FROM ledger_entries WHERE claim_id = $1",
        "UPDATE ledger_postings SET reason = 'x' WHERE claim_id = $1",
        "DELETE FROM ledger_postings WHERE claim_id = $1",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await admin_connection.execute(statement, uuid.UUID(claim["id"]))
    wrong = (
        "INSERT INTO ledger_entries (id, tenant_id, posting_id, claim_id, kind, debit_account, credit_account, amount)"
        " SELECT gen_random_uuid(), tenant_id, posting_id, claim_id, 'contractual', 'patient_receivable',"
        " credit_account, 1 FROM ledger_entries WHERE claim_id = $1 LIMIT 1"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await admin_connection.execute(wrong, uuid.UUID(claim["id"]))
    assert (await ledger_of(agency, claim))["outstanding"] == "1015.60"


async def test_foreign_claims_have_no_ledger_here(agency: Agency, found: Any) -> None:
    claim = await submitted_claim(agency)
    strangers: Agency = await found()
    for path in (f"{CLAIMS}/{claim['id']}/ledger", f"{CLAIMS}/{uuid.uuid4()}/ledger"):
        assert (await strangers.biller.expect(404, "GET", path))["error"]["code"] == "NOT_FOUND"
    founder = await agency.founder.expect(200, "GET", f"{CLAIMS}/{claim['id']}/ledger")
    assert founder["outstanding"] == "1015.60"


_NAME = "UPDATE claims SET claim_number = $2 WHERE id = $1"


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared reference files: {SHARED} is absent (set SHARED_DIR)")
async def test_samples_post_or_are_held_for_the_right_reason(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    lines = {
        "RUN26-000001": [("A0427", "650.00"), ("A0425", "365.60")],
        "RUN26-000002": [("A0428", "600.00"), ("A0425", "220.00")],
        "RUN26-000004": [("A0429", "700.00"), ("A0425", "200.00")],
        "RUN26-000005": [("A0429", "650.00")],
    }
    claims = {}
    for number, told in lines.items():
        claim = await submitted_claim(agency)
        claims[number] = claim
        await admin_connection.execute(_NAME, uuid.UUID(claim["id"]), number)
        for at, line in enumerate(claim["lines"]):
            if at < len(told):
                change = "UPDATE claim_lines SET hcpcs = $2, charge = $3, modifiers = $4 WHERE id = $1"
                modifiers = '["SH"]' if number.endswith("4") else '["RH"]'
                await admin_connection.execute(change, uuid.UUID(line["id"]), told[at][0], D(told[at][1]), modifiers)
            else:
                gone = "UPDATE claim_lines SET deleted_at = now() WHERE id = $1"
                await admin_connection.execute(gone, uuid.UUID(line["id"]))
        total = sum(D(amount) for _, amount in told)
        await admin_connection.execute(
            "UPDATE claims SET charge_amount = $2 WHERE id = $1", uuid.UUID(claim["id"]), total
        )
    outcome = {
        "01_paid_crossover": ["posted"],
        "02_denied_medical_necessity": ["posted"],
        "04_timely_and_eligibility": ["posted", "posted"],
        "09_duplicate": ["already_decided"],
        "05_reversal_correction_plb": ["posted", "posted"],
        "10_unmatched": ["unknown_claim"],
    }
    for name, wanted in outcome.items():
        content = (SHARED / "x12" / "samples" / f"835_own_{name}.edi").read_bytes()
        [file] = (await upload(agency, content))["files"]
        await run_posting(runtime, agency, file["file"]["id"])
        [remittance] = file["remittances"]
        found = await decisions_of(agency, remittance["id"])
        assert [one["hold_reason"] or one["status"] for one in found] == wanted, name
    paid = await balances_of(agency, claims["RUN26-000001"])
    assert (paid["payer_cash"], paid["patient_receivable"]) == (D("473.98"), D("121.42"))
    statuses = [(await claim_of(agency, claim))["status"] for claim in claims.values()]
    assert statuses == ["paid", "denied", "denied", "denied"]
    eligibility = await claim_of(agency, claims["RUN26-000005"])
    assert (eligibility["denial_reason"], eligibility["patient_responsibility_amount"]) == ("PR-27, N30", "650.00")
    for name, payees in (("stup_era-sample", 1), ("ksp_emedny_sample", 1), ("stup_multiple-claims-single-check", 1)):
        content = (SHARED / "x12" / "samples" / f"835_{name}.edi").read_bytes()
        [file] = (await upload(agency, content))["files"]
        assert (len(file["file"]["foreign_payees"]), file["remittances"]) == (payees, []), name
