"""Billing accounts: their numbers, what a record may hold, and who keeps it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.billing.accounts.numbers import ALPHABET, check_character, new_account_number
from tests.billing.support.evidence import Evidence
from tests.billing.support.parties import ACCOUNTS, join, new_account, problems
from tests.support.actors import Agency
from tests.support.charts import locked_call

BODY: dict[str, Any] = {
    "last_name": "Núñez",
    "first_name": "Marta",
    "date_of_birth": "1957-03-14",
    "phone": "2175550142",
    "email": "marta@example.org",
    "language": "spa",
    "street": "9 Prairie Road",
    "unit": "2b",
    "city": "Springfield",
    "state": "IL",
    "zip": "62704",
}


def test_numbers_are_random_and_carry_a_check_character() -> None:
    numbers = {new_account_number() for _ in range(1000)}
    assert len(numbers) == 1000
    for number in numbers:
        assert len(number) == 10 and set(number) <= set(ALPHABET)
        assert check_character(number[:-1]) == number[-1]


def test_one_wrong_character_is_noticed_and_most_that_change_places() -> None:
    number = "7K3M9QX2R"
    check = check_character(number)
    for place, right in enumerate(number):
        for wrong in set(ALPHABET) - {right}:
            assert check_character(number[:place] + wrong + number[place + 1 :]) != check
    swapped = [
        (one, other)
        for one in ALPHABET
        for other in ALPHABET
        if one < other and check_character(one + other) == check_character(other + one)
    ]
    assert swapped == [("0", "Z")]


async def test_an_account_is_opened(agency: Agency, evidence: Evidence) -> None:
    made = await agency.biller.expect(201, "POST", ACCOUNTS, json=BODY)
    assert {name: made[name] for name in BODY} == BODY
    assert check_character(made["account_number"][:-1]) == made["account_number"][-1]
    assert await agency.biller.expect(200, "GET", f"{ACCOUNTS}/{made['id']}") == made
    row = await evidence.row("billing_accounts", made["id"])
    assert (row["last_name_key"], row["first_name_key"]) == ("nunez", "marta")
    [created] = await evidence.audit(made["id"])
    assert created["action"] == "billing_account.created"
    fields = created["changed_fields_json"]
    assert all(new.startswith("digest:") for _, new in fields.values())


async def test_a_change_keeps_the_number(agency: Agency, evidence: Evidence) -> None:
    made = await agency.biller.expect(201, "POST", ACCOUNTS, json=BODY)
    path = f"{ACCOUNTS}/{made['id']}"
    await agency.biller.expect(422, "PATCH", path, json={"version": 1, "account_number": "0000000000"})
    changed = await agency.biller.expect(
        200, "PATCH", path, json={"version": 1, "last_name": "Berg", "date_of_death": "2026-01-02"}
    )
    assert (changed["account_number"], changed["last_name"], changed["version"]) == (
        made["account_number"],
        "Berg",
        2,
    )
    assert (await evidence.row("billing_accounts", made["id"]))["last_name_key"] == "berg"
    stale = await agency.biller.expect(409, "PATCH", path, json={"version": 1, "last_name": "Burg"})
    assert stale["error"]["code"] == "CONFLICT"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"last_name": ""}, ("last_name", "too_short")),
        ({"phone": "217-555"}, ("phone", "string_pattern_mismatch")),
        ({"email": "nobody"}, ("email", "string_pattern_mismatch")),
        ({"language": "es"}, ("language", "string_pattern_mismatch")),
        ({"state": "XX"}, ("state", "us_state")),
        ({"country": "CA", "state": "IL", "zip": None}, ("state", "ca_province")),
        ({"date_of_death": "1950-01-01"}, ("date_of_death", "before_the_birth")),
        ({"date_of_birth": "1957"}, ("date_of_birth", "iso_text")),
    ],
)
async def test_what_no_account_has(
    agency: Agency, evidence: Evidence, fields: dict[str, Any], problem: tuple[str, str]
) -> None:
    made = await agency.biller.expect(201, "POST", ACCOUNTS, json=BODY)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", ACCOUNTS, json=BODY | fields)
    assert problems(refused) == [problem]
    refused = await agency.biller.expect(422, "PATCH", f"{ACCOUNTS}/{made['id']}", json={"version": 1, **fields})
    assert problems(refused) == [problem]
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_account_with_patients_is_not_deleted(agency: Agency, evidence: Evidence) -> None:
    account, call = await new_account(agency), await locked_call(agency)
    joined = await join(agency, account, call)
    path = f"{ACCOUNTS}/{account['id']}"
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(409, "DELETE", path, params={"version": 1})
    assert refused["error"]["code"] == "ACCOUNT_IN_USE"
    assert await evidence.digest(agency.tenant_id) == before
    await agency.biller.expect(204, "DELETE", f"{path}/patients/{joined['id']}", params={"version": 1})
    await agency.biller.expect(409, "DELETE", path, params={"version": 2})
    await agency.biller.expect(204, "DELETE", path, params={"version": 1})
    await agency.biller.expect(404, "GET", path)
    await join(agency, account, call, status=404)
    await agency.biller.expect(403, "POST", f"{path}/restore", json={"version": 2})
    back = await agency.admin.expect(200, "POST", f"{path}/restore", json={"version": 2})
    assert (back["account_number"], back["version"]) == (account["account_number"], 3)


async def test_a_repeated_request_opens_one_account(agency: Agency) -> None:
    body = BODY | {"id": str(uuid.uuid4())}
    first = await agency.biller.expect(201, "POST", ACCOUNTS, json=body)
    assert await agency.biller.expect(200, "POST", ACCOUNTS, json=body) == first
    assert (await agency.biller.expect(200, "GET", ACCOUNTS))["items"] == [first]
    await agency.biller.expect(403, "GET", ACCOUNTS, params={"include_deleted": True})
    page = await agency.admin.expect(200, "GET", ACCOUNTS, params={"include_deleted": True})
    assert page["items"] == [first]


async def test_who_sees_and_keeps_accounts(agency: Agency, evidence: Evidence) -> None:
    account, call = await new_account(agency), await locked_call(agency)
    joined = await join(agency, account, call)
    path = f"{ACCOUNTS}/{account['id']}"
    there = {"incident_id": call.incident["id"], "patient_id": call.patient["id"]}
    for who in ("admin", "biller"):
        assert await agency.actors[who].expect(200, "GET", path) == account
    before = await evidence.digest(agency.tenant_id)
    for who in ("medic", "supervisor", "founder"):
        actor = agency.actors[who]
        for address in (ACCOUNTS, path, f"{path}/patients"):
            await actor.expect(403, "GET", address)
        await actor.expect(403, "GET", f"{ACCOUNTS}/matches", params=there)
        await actor.expect(403, "POST", ACCOUNTS, json=BODY)
        await actor.expect(403, "PATCH", path, json={"version": 1, "last_name": "X"})
        await actor.expect(403, "DELETE", path, params={"version": 1})
        await actor.expect(403, "POST", f"{path}/restore", json={"version": 1})
        await actor.expect(403, "POST", f"{path}/patients", json=there)
        await actor.expect(403, "DELETE", f"{path}/patients/{joined['id']}", params={"version": 1})
    assert await evidence.digest(agency.tenant_id) == before


async def test_another_agencys_account_is_nothing(
    agency: Agency, found: Callable[[], Awaitable[Agency]], evidence: Evidence
) -> None:
    account, call = await new_account(agency), await locked_call(agency)
    joined = await join(agency, account, call)
    before = await evidence.digest(agency.tenant_id)
    others = await found()
    theirs = await locked_call(others)
    there = {"incident_id": theirs.incident["id"], "patient_id": theirs.patient["id"]}
    for account_id in (account["id"], str(uuid.uuid4())):
        path = f"{ACCOUNTS}/{account_id}"
        calls: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("GET", path, {}),
            ("GET", f"{path}/patients", {}),
            ("PATCH", path, {"json": {"version": 1, "last_name": "X"}}),
            ("DELETE", path, {"params": {"version": 1}}),
            ("POST", f"{path}/restore", {"json": {"version": 1}}),
            ("POST", f"{path}/patients", {"json": there}),
            ("DELETE", f"{path}/patients/{joined['id']}", {"params": {"version": 1}}),
        )
        for method, address, options in calls:
            await others.admin.expect(404, method, address, **options)
    mine = {"incident_id": call.incident["id"], "patient_id": call.patient["id"]}
    await others.admin.expect(404, "GET", f"{ACCOUNTS}/matches", params=mine)
    assert (await others.admin.expect(200, "GET", ACCOUNTS))["items"] == []
    assert await evidence.digest(agency.tenant_id) == before


async def test_who_reads_an_account_is_in_the_access_log(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    account = await new_account(agency)
    await agency.biller.expect(200, "GET", f"{ACCOUNTS}/{account['id']}")
    categories = await admin_connection.fetchval(
        "SELECT categories FROM access_log WHERE tenant_id = $1 AND route LIKE '%/billing/accounts/{account_id}'",
        agency.tenant_id,
    )
    assert categories == ["billing_account"]
