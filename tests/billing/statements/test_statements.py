"""Statements and ageing are sums of the ledger, and of nothing else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from app.core.clock import utcnow
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.evidence import Evidence
from tests.billing.support.remittances import decided, denied, pay, submitted_claim
from tests.support.actors import Agency

D = Decimal
NOTHING = "0.00"


async def joined(agency: Agency, evidence: Evidence, *claims: dict[str, Any]) -> dict[str, Any]:
    account: dict[str, Any] = await agency.biller.expect(201, "POST", "billing/accounts", json={"last_name": "Rivers"})
    for claim in claims:
        query = "UPDATE claims SET account_id = $2::text::uuid WHERE id = $1::text::uuid"
        await evidence.connection.execute(query, claim["id"], account["id"])
    return account


async def statement(agency: Agency, account: dict[str, Any], who: str = "biller") -> dict[str, Any]:
    path = f"billing/accounts/{account['id']}/statement"
    found: dict[str, Any] = await agency.actors[who].expect(200, "GET", path)
    return found


async def test_a_statement_adds_up_claim_by_claim(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    paid, refused, waiting, foreign = [await submitted_claim(agency) for _ in range(4)]
    await pay(runtime, agency, decided(paid), denied(refused), decided(foreign))
    account = await joined(agency, evidence, paid, refused, waiting)
    found = await statement(agency, account)
    assert [claim["claim_id"] for claim in found["claims"]] == [paid["id"], refused["id"], waiting["id"]]
    names = ("payer_paid", "patient_paid", "adjusted", "payer_owes", "denied", "patient_owes")
    assert [tuple(claim[name] for name in names) for claim in found["claims"]] == [
        ("573.98", NOTHING, "295.20", NOTHING, NOTHING, "146.42"),
        (NOTHING, NOTHING, NOTHING, NOTHING, "1015.60", NOTHING),
        (NOTHING, NOTHING, NOTHING, "1015.60", NOTHING, NOTHING),
    ]
    for part in (*found["claims"], found["total"]):
        assert sum(D(part[name]) for name in names) == D(part["charged"])
    assert found["total"]["charged"] == "3046.80"


async def test_an_account_without_claims_has_a_statement_of_nothing(agency: Agency, evidence: Evidence) -> None:
    found = await statement(agency, await joined(agency, evidence))
    assert (found["claims"], set(found["total"].values())) == ([], {NOTHING})


async def test_a_statement_costs_the_same_for_one_claim_as_for_three(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    one = await joined(agency, evidence, await submitted_claim(agency))
    three = await joined(agency, evidence, *[await submitted_claim(agency) for _ in range(3)])
    sent = []
    for account in (one, three):
        async with counted(runtime.database) as statements:
            await statement(agency, account)
        sent.append(len(statements))
    assert sent[0] == sent[1]


async def test_open_balances_are_told_by_payer_and_age(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    payer = {"name": "Acme Health", "payer_id": "60054", "claim_filing_code": "CI"}
    record = await agency.biller.expect(201, "POST", "billing/payers", json=payer)
    ages = {30: "days_0_30", 31: "days_31_60", 90: "days_61_90", 120: "days_91_120", 121: "days_over_120"}
    today = dt.date.fromisoformat((await agency.biller.expect(200, "GET", "billing/ageing"))["as_of"])
    assert abs((today - utcnow().date()).days) <= 1
    for days in ages:
        claim = await submitted_claim(agency)
        query = "UPDATE claims SET payer_record_id = $2::text::uuid, service_date = $3 WHERE id = $1::text::uuid"
        await evidence.connection.execute(query, claim["id"], record["id"], today - dt.timedelta(days=days))
    settled, credit = await submitted_claim(agency), await submitted_claim(agency)
    await pay(runtime, agency, decided(settled, (), ()), decided(credit))
    [acme, other] = (await agency.founder.expect(200, "GET", "billing/ageing"))["items"]
    assert (acme["payer_record_id"], acme["payer_name"], acme["total"]) == (record["id"], "Acme Health", "5078.00")
    assert {acme[name] for name in ages.values()} == {"1015.60"}
    assert (other["payer_record_id"], other["payer_name"], other["total"]) == (None, None, "146.42")


@pytest.mark.parametrize("path", ["billing/accounts/{}/statement", "billing/ageing"])
async def test_who_reads_the_sums(agency: Agency, other_agency: Agency, evidence: Evidence, path: str) -> None:
    account = await joined(agency, evidence, await submitted_claim(agency))
    await agency.medic.expect(403, "GET", path.format(account["id"]))
    if "{}" in path:
        await other_agency.biller.expect(404, "GET", path.format(account["id"]))
    else:
        assert (await other_agency.biller.expect(200, "GET", path))["items"] == []
