"""Keeping prices: schedules, items and files. What cannot be in force is refused, and nothing is stored."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from typing import Any

import asyncpg
import pytest

from app.billing.fee_schedules.prices import prices
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.evidence import Evidence
from tests.billing.support.fees import SCHEDULES, add_price, new_payer, new_schedule, now
from tests.support.actors import Agency

HEAD = "hcpcs,unit_price,effective_from,effective_to\n"


async def refusal(agency: Agency, status: int, method: str, path: str, **body: Any) -> list[tuple[str, str]]:
    """The fields and codes of a refused request."""
    answer = await agency.biller.expect(status, method, f"{SCHEDULES}{path}", json=body)
    return [(problem["field"], problem["code"]) for problem in answer["error"]["details"]["problems"]]


async def test_a_schedule_and_its_prices(agency: Agency, evidence: Evidence) -> None:
    schedule = await new_schedule(agency)
    assert (schedule["kind"], schedule["payer_record_id"], schedule["effective_to"]) == ("gross", None, None)
    item = await add_price(agency, schedule, "A0429", "650")
    assert (item["unit_price"], item["effective_from"]) == ("650.00", None)
    path = f"{SCHEDULES}/{schedule['id']}/items"
    revised = await agency.biller.expect(
        200, "PATCH", f"{path}/{item['id']}", json={"version": 1, "unit_price": "700.5"}
    )
    assert (revised["unit_price"], revised["version"]) == ("700.50", 2)
    assert (await agency.biller.expect(200, "GET", path, params={"hcpcs": "A0429"}))["items"] == [revised]
    same = await agency.biller.expect(200, "PATCH", f"{path}/{item['id']}", json={"version": 2, "unit_price": "700.50"})
    assert same == revised
    assert (await now(agency, schedule))["version"] == 3, "each change of a price is a version of the schedule"
    await agency.biller.expect(204, "DELETE", f"{path}/{item['id']}?version=2")
    assert (await agency.biller.expect(200, "GET", path))["items"] == []
    actions = [event["action"] for event in await evidence.audit(schedule["id"])]
    assert actions == ["fee_schedule.created", *["fee_schedule.items_changed"] * 3]
    assert [event["topic"] for event in await evidence.outbox(schedule["id"])] == ["fee_schedule.changed"] * 3


async def test_schedules_of_one_payer_never_share_a_day(
    agency: Agency, admin_connection: asyncpg.Connection, evidence: Evidence
) -> None:
    payer = await new_payer(admin_connection, agency)
    first = await new_schedule(agency, effective_to="2026-06-30")
    await new_schedule(agency, payer)
    body = {"name": "Second", "kind": "gross", "effective_from": "2026-06-30"}
    before = await evidence.digest(agency.tenant_id)
    assert await refusal(agency, 422, "POST", "", **body) == [("effective_from", "overlapping_dates")]
    backwards = body | {"effective_from": "2026-07-02", "effective_to": "2026-07-01"}
    assert await refusal(agency, 422, "POST", "", **backwards) == [("effective_to", "before_its_beginning")]
    contract = body | {"kind": "contract"}
    assert await refusal(agency, 422, "POST", "", **contract) == [("payer_record_id", "payer_of_contract")]
    unknown = contract | {"payer_record_id": str(uuid.uuid4())}
    assert await refusal(agency, 422, "POST", "", **unknown) == [("payer_record_id", "unknown_reference")]
    named = body | {"payer_record_id": payer}
    assert await refusal(agency, 422, "POST", "", **named) == [("payer_record_id", "payer_of_contract")]
    assert await evidence.digest(agency.tenant_id) == before
    second = await new_schedule(agency, name="Second", effective_from="2026-07-01")
    moved = {"version": 1, "effective_to": "2026-07-01"}
    assert await refusal(agency, 422, "PATCH", f"/{first['id']}", **moved) == [("effective_from", "overlapping_dates")]
    await agency.biller.expect(204, "DELETE", f"{SCHEDULES}/{second['id']}?version=1")
    await agency.biller.expect(200, "PATCH", f"{SCHEDULES}/{first['id']}", json=moved)


async def test_of_two_schedules_at_once_one_is_made(agency: Agency) -> None:
    bodies = [{"name": f"Gross {n}", "kind": "gross", "effective_from": "2026-01-01"} for n in range(4)]
    answers = await asyncio.gather(*(agency.biller.post(SCHEDULES, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"hcpcs": "A9999"}, ("hcpcs", "unknown_code")),
        ({"hcpcs": "A0300"}, ("hcpcs", "retired_code")),
        ({"unit_price": "-1"}, ("unit_price", "greater_than_equal")),
        ({"unit_price": "1.005"}, ("unit_price", "decimal_max_places")),
        ({"hcpcs": "A0425", "effective_to": "2025-12-31"}, ("effective_to", "outside_schedule")),
        ({"hcpcs": "A0425", "effective_from": "2027-01-01"}, ("effective_from", "outside_schedule")),
        ({"effective_from": "2026-03-01"}, ("effective_from", "overlapping_dates")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
async def test_a_price_that_cannot_be(
    agency: Agency, evidence: Evidence, fields: dict[str, str], problem: tuple[str, str]
) -> None:
    schedule = await new_schedule(agency, effective_to="2026-12-31")
    await add_price(agency, schedule, "A0429", "650")
    before = await evidence.digest(agency.tenant_id)
    body = {"hcpcs": "A0429", "unit_price": "1", **fields}
    assert await refusal(agency, 422, "POST", f"/{schedule['id']}/items", **body) == [problem]
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_file_adds_and_revises(agency: Agency, evidence: Evidence) -> None:
    schedule = await new_schedule(agency)
    await add_price(agency, schedule, "A0429", "650")
    csv = "\ufeffHCPCS,unit_price\r\nA0429, 700 \r\n\r\nA0425,29.5\r\n"
    path = f"{SCHEDULES}/{schedule['id']}/imports"
    done = await agency.biller.expect(200, "POST", path, json={"version": 2, "csv": csv})
    assert (done["added"], done["revised"], done["unchanged"], done["schedule"]["version"]) == (1, 1, 0, 3)
    items = (await agency.biller.expect(200, "GET", f"{SCHEDULES}/{schedule['id']}/items"))["items"]
    assert [(item["hcpcs"], item["unit_price"]) for item in items] == [("A0429", "700.00"), ("A0425", "29.50")]
    before = await evidence.digest(agency.tenant_id)
    again = await agency.biller.expect(200, "POST", path, json={"version": 3, "csv": csv})
    assert (again["added"], again["revised"], again["unchanged"], again["schedule"]) == (0, 0, 2, done["schedule"])
    assert await evidence.digest(agency.tenant_id) == before
    stale = await agency.biller.expect(409, "POST", path, json={"version": 2, "csv": csv})
    assert stale["error"]["code"] == "CONFLICT"


async def test_every_fault_of_a_file_is_named_by_line_and_column(agency: Agency, evidence: Evidence) -> None:
    schedule = await new_schedule(agency)
    await add_price(agency, schedule, "A0433", "900", effective_from="2026-01-01", effective_to="2026-06-30")
    before = await evidence.digest(agency.tenant_id)
    csv = HEAD + (
        "A0429,650.00,2026-01-01,2026-06-30\n"
        "A0427,-1,,\n"
        "A9999,1,,\n"
        "A0350,1,,\n"
        "A0428,1.2.3,,\n"
        "A0426,$5,2026-13-01,\n"
        "A0429,660,2026-01-01,2026-02-01\n"
        "A0434,1\n"
    )
    path = f"/{schedule['id']}/imports"
    assert await refusal(agency, 422, "POST", path, version=2, csv=csv) == [
        ("csv[3].unit_price", "greater_than_equal"),
        ("csv[4].hcpcs", "unknown_code"),
        ("csv[5].hcpcs", "retired_code"),
        ("csv[6].unit_price", "decimal_text"),
        ("csv[7].effective_from", "date_from_datetime_parsing"),
        ("csv[7].unit_price", "decimal_text"),
        ("csv[9]", "wrong_columns"),
        ("csv[8].hcpcs", "duplicate"),
    ]
    csv = HEAD + "A0429,650,2026-01-01,2026-06-30\nA0429,660,2026-06-30,\nA0433,1,2026-06-01,\nA0425,1,,2025-01-01\n"
    assert sorted(await refusal(agency, 422, "POST", path, version=2, csv=csv)) == [
        ("csv[3].effective_from", "overlapping_dates"),
        ("csv[4].effective_from", "overlapping_dates"),
        ("csv[5].effective_to", "outside_schedule"),
    ]
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize(
    ("csv", "problem"),
    [
        ("hcpcs,price\nA0429,1\n", ("csv[1]", "wrong_columns")),
        ("hcpcs,hcpcs,unit_price\nA0429,A0429,1\n", ("csv[1]", "wrong_columns")),
        ("unit_price\n1\n", ("csv[1]", "wrong_columns")),
        ("\n\n", ("csv[1]", "wrong_columns")),
        ("hcpcs,unit_price\n", ("csv", "empty")),
        ('hcpcs,unit_price\n"A0429"x,1\n', ("csv[2]", "not_csv")),
        ("hcpcs,unit_price\n" + "A0429,1\n" * 2001, ("csv", "too_many")),
    ],
    ids=["unknown column", "column twice", "column missing", "blank", "no rows", "no CSV", "too many"],
)
async def test_what_is_no_price_list(agency: Agency, csv: str, problem: tuple[str, str]) -> None:
    schedule = await new_schedule(agency)
    assert await refusal(agency, 422, "POST", f"/{schedule['id']}/imports", version=1, csv=csv) == [problem]


async def test_the_contract_goes_before_the_gross_price(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    payer = await new_payer(admin_connection, agency)
    gross, contract = await new_schedule(agency), await new_schedule(agency, payer, effective_to="2026-06-30")
    await add_price(agency, gross, "A0429", "650", effective_to="2026-03-31")
    dearer = await add_price(agency, gross, "A0429", "700", effective_from="2026-04-01")
    await add_price(agency, gross, "A0425", "29.50")
    agreed = await add_price(agency, contract, "A0429", "500")

    async def amounts(payer_id: str | None, on: str) -> dict[str, str]:
        async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
            owner = None if payer_id is None else uuid.UUID(payer_id)
            async with counted(runtime.database) as statements:
                found = await prices(uow, owner, ["A0429", "A0425", "A0433"], dt.date.fromisoformat(on))
        assert len([one for one in statements if "fee_schedule_items" in one]) == 1
        return {code: str(price.amount) for code, price in found.items()}

    assert await amounts(None, "2025-12-31") == {}
    assert await amounts(None, "2026-03-31") == {"A0429": "650.00", "A0425": "29.50"}
    assert await amounts(None, "2026-04-01") == {"A0429": "700.00", "A0425": "29.50"}
    assert await amounts(payer, "2026-06-30") == {"A0429": "500.00", "A0425": "29.50"}
    assert await amounts(payer, "2026-07-01") == {"A0429": "700.00", "A0425": "29.50"}
    assert await amounts(str(uuid.uuid4()), "2026-06-30") == {"A0429": "700.00", "A0425": "29.50"}
    async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
        found = await prices(uow, uuid.UUID(payer), ["A0429"], dt.date(2026, 5, 1))
    assert (str(found["A0429"].item_id), found["A0429"].version) == (agreed["id"], 1)
    assert dearer["schedule_id"] == gross["id"]


@pytest.mark.parametrize("role", ["founder", "medic"])
async def test_only_billers_and_admins_keep_prices(agency: Agency, evidence: Evidence, role: str) -> None:
    schedule = await new_schedule(agency)
    item = await add_price(agency, schedule, "A0429", "650")
    before = await evidence.digest(agency.tenant_id)
    path, actor = f"{SCHEDULES}/{schedule['id']}", agency.actors[role]
    await actor.expect(403, "POST", SCHEDULES, json={"name": "X", "kind": "gross", "effective_from": "2020-01-01"})
    await actor.expect(403, "PATCH", path, json={"version": 2, "name": "X"})
    await actor.expect(403, "DELETE", f"{path}?version=2")
    await actor.expect(403, "POST", f"{path}/items", json={"hcpcs": "A0425", "unit_price": "1"})
    await actor.expect(403, "PATCH", f"{path}/items/{item['id']}", json={"version": 1, "unit_price": "1"})
    await actor.expect(403, "DELETE", f"{path}/items/{item['id']}?version=1")
    await actor.expect(403, "POST", f"{path}/imports", json={"version": 2, "csv": HEAD})
    await actor.expect(200 if role == "founder" else 403, "GET", f"{path}/items")
    assert await evidence.digest(agency.tenant_id) == before


async def test_another_agency_finds_nothing(agency: Agency, other_agency: Agency) -> None:
    schedule = await new_schedule(agency)
    item = await add_price(agency, schedule, "A0429", "650")
    path = f"{SCHEDULES}/{schedule['id']}"
    for method, address, body in (
        ("GET", path, None),
        ("PATCH", path, {"version": 2, "name": "X"}),
        ("GET", f"{path}/items", None),
        ("POST", f"{path}/items", {"hcpcs": "A0425", "unit_price": "1"}),
        ("PATCH", f"{path}/items/{item['id']}", {"version": 1, "unit_price": "1"}),
        ("POST", f"{path}/imports", {"version": 2, "csv": HEAD + "A0425,1,,\n"}),
        ("GET", f"{path}/repricings", None),
    ):
        await other_agency.biller.expect(404, method, address, json=body)
    await other_agency.biller.expect(404, "DELETE", f"{path}?version=2")
    await new_schedule(other_agency)
