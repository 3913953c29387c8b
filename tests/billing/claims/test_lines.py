"""Service lines: their numbers, and the claim's charge, which is always their sum."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.billing.claims.schemas import MAX_LINES, Charge
from app.billing.claims.service import total_charge
from tests.billing.support.claims import BASE_LINE, CLAIMS, new_claim
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency

CENTS = st.integers(0, 9_999_999_999)


async def reload(agency: Agency, claim: Mapping[str, Any]) -> Any:
    return await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")


async def test_the_claim_follows_its_lines(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    path = f"{CLAIMS}/{claim['id']}/lines"
    oxygen = {"hcpcs": "A0422", "units": 1, "charge": "45.5"}
    added = await agency.biller.expect(201, "POST", path, json=oxygen)
    assert (added["line_number"], added["charge"], added["modifiers"]) == (3, "45.50", [])
    assert (await reload(agency, claim))["charge_amount"] == "1061.10"
    patch = {"version": 1, "charge": "0.01", "modifiers": ["GY"], "diagnosis_pointers": [2], "units": "2"}
    changed = await agency.biller.expect(200, "PATCH", f"{path}/{added['id']}", json=patch)
    assert {name: changed[name] for name in patch} == {**patch, "version": 2, "units": "2.0"}
    assert (await reload(agency, claim))["charge_amount"] == "1015.61"
    await agency.biller.expect(204, "DELETE", f"{path}/{added['id']}?version=2")
    after = await reload(agency, claim)
    assert (after["charge_amount"], after["version"], len(after["lines"])) == ("1015.60", 4, 2)
    await agency.biller.expect(404, "GET", f"{path}/{added['id']}")
    actions = [event["action"] for event in await evidence.audit(added["id"])]
    assert actions == ["claim_line.added", "claim_line.revised", "claim_line.removed"]
    assert [e["action"] for e in await evidence.audit(claim["id"])][1:] == ["claim.lines_changed"] * 3
    published = await evidence.outbox(claim["id"])
    assert [(event["topic"], event["payload"]["version"]) for event in published] == [
        ("claim.updated", version) for version in (1, 2, 3, 4)
    ]


async def test_a_number_is_never_used_again(agency: Agency) -> None:
    claim = await new_claim(agency)
    path = f"{CLAIMS}/{claim['id']}/lines"
    for line in claim["lines"]:
        await agency.biller.expect(204, "DELETE", f"{path}/{line['id']}?version=1")
    empty = await reload(agency, claim)
    assert (empty["charge_amount"], empty["lines"], empty["modifiers"]) == ("0.00", [], [])
    assert (await agency.biller.expect(201, "POST", path, json=BASE_LINE))["line_number"] == 3


async def test_lines_are_listed_in_order(agency: Agency) -> None:
    claim = await new_claim(agency, lines=[{**BASE_LINE, "charge": str(n)} for n in range(1, 6)])
    path = f"{CLAIMS}/{claim['id']}/lines"
    first = await agency.biller.expect(200, "GET", f"{path}?limit=3")
    rest = await agency.biller.expect(200, "GET", f"{path}?limit=3&cursor={first['next_cursor']}")
    assert [line["line_number"] for line in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert first["items"] + rest["items"] == claim["lines"]
    newest = await agency.biller.expect(200, "GET", f"{path}?sort=-created_at")
    assert newest["items"] == claim["lines"][::-1]
    line = claim["lines"][2]
    assert await agency.biller.expect(200, "GET", f"{path}/{line['id']}") == line


async def test_a_claim_holds_fifty_lines(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency, lines=[BASE_LINE] * MAX_LINES)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", f"{CLAIMS}/{claim['id']}/lines", json=BASE_LINE)
    assert refused["error"]["details"]["problems"][0]["code"] == "too_many"
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_patch_without_effect_leaves_the_claim_alone(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    line = claim["lines"][0]
    before = await evidence.digest(agency.tenant_id)
    path = f"{CLAIMS}/{claim['id']}/lines/{line['id']}"
    assert await agency.biller.expect(200, "PATCH", path, json={"version": 1, "charge": "650"}) == line
    assert await evidence.digest(agency.tenant_id) == before


async def test_stale_lines_and_lines_of_other_claims_are_refused(agency: Agency, evidence: Evidence) -> None:
    claim, other = await new_claim(agency), await new_claim(agency)
    line = claim["lines"][0]["id"]
    before = await evidence.digest(agency.tenant_id)
    for version, target, status in ((2, claim, 409), (1, other, 404)):
        path = f"{CLAIMS}/{target['id']}/lines/{line}"
        await agency.biller.expect(status, "PATCH", path, json={"version": version, "charge": "1"})
        await agency.biller.expect(status, "DELETE", f"{path}?version={version}")
    await agency.biller.expect(404, "GET", f"{CLAIMS}/{other['id']}/lines/{line}")
    for body in ({"version": 1}, {"version": 1, "charge": None}, {"version": 1, "charge": "-1"}, {"charge": "1"}):
        await agency.biller.expect(422, "PATCH", f"{CLAIMS}/{claim['id']}/lines/{line}", json=body)
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("named", [{"headers": {"Idempotency-Key": "line"}}, {"id": str(uuid.uuid4())}])
async def test_a_repeated_request_adds_one_line(agency: Agency, named: dict[str, Any]) -> None:
    claim = await new_claim(agency)
    body = {**BASE_LINE, "id": str(uuid.uuid4())} if "id" in named else dict(BASE_LINE)
    headers = named.get("headers", {})
    path = f"{CLAIMS}/{claim['id']}/lines"
    first = await agency.biller.expect(201, "POST", path, json=body, headers=headers)
    assert await agency.biller.expect(201 if headers else 200, "POST", path, json=body, headers=headers) == first
    assert len((await reload(agency, claim))["lines"]) == 3


async def test_the_sum_holds_whatever_happens_at_once(agency: Agency) -> None:
    """Additions, changes and removals of the same claim race; numbers stay distinct and no charge is lost."""
    claim = await new_claim(agency, lines=[{**BASE_LINE, "charge": f"{n}.01"} for n in range(8)])
    path = f"{CLAIMS}/{claim['id']}/lines"
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", path, {"json": {**BASE_LINE, "charge": f"{n}.07"}}) for n in range(6)
    ]
    for changed, removed in zip(claim["lines"][::2], claim["lines"][1::2], strict=True):
        requests.insert(0, ("PATCH", f"{path}/{changed['id']}", {"json": {"version": 1, "charge": "3.33"}}))
        requests.append(("DELETE", f"{path}/{removed['id']}?version=1", {}))
    answers = await asyncio.gather(*(agency.biller.request(method, to, **more) for method, to, more in requests))
    assert {answer.status_code for answer in answers} == {200, 201, 204}
    after = await reload(agency, claim)
    assert Decimal(after["charge_amount"]) == sum(Decimal(line["charge"]) for line in after["lines"])
    assert after["version"] == 1 + len(requests)
    numbers = [line["line_number"] for line in after["lines"]]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) == 14


@given(st.lists(CENTS, max_size=60))
def test_charges_add_up_to_the_cent(cents: list[int]) -> None:
    total = total_charge(Decimal(amount).scaleb(-2) for amount in cents)
    assert total == Decimal(sum(cents)).scaleb(-2)
    assert str(total) == f"{sum(cents) // 100}.{sum(cents) % 100:02}"


@given(CENTS, st.sampled_from(["plain", "short", "padded", "signed"]))
def test_money_reads_the_same_however_it_is_written(cents: int, style: str) -> None:
    amount = Decimal(cents).scaleb(-2)
    written = {
        "plain": f"{amount:f}",
        "short": f"{amount.normalize():f}",
        "padded": f"00{amount:f}",
        "signed": f"+{amount:f}",
    }[style]
    assert str(TypeAdapter(Charge).validate_python(written)) == f"{cents // 100}.{cents % 100:02}"
