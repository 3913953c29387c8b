"""Coverages as billers enter, change and delete them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from tests.billing.support.evidence import Evidence
from tests.billing.support.parties import (
    CHILD,
    COVERAGES,
    MOTHER,
    call_of,
    commercial,
    cover,
    coverage_body,
    medicare,
    problems,
)
from tests.support.actors import Agency
from tests.support.charts import add_patient, lock_call, locked_call, open_call


async def test_a_coverage_is_entered(agency: Agency, evidence: Evidence) -> None:
    payer, call = await medicare(agency), await locked_call(agency)
    body = coverage_body(call, payer_record_id=payer["id"], member_id="1EG4-TE5-MK73", effective_from="2013-03-01")
    made = await agency.biller.expect(201, "POST", COVERAGES, json=body)
    assert {name: made[name] for name in body} == body | {"member_id": "1EG4TE5MK73"}
    assert (made["origin"], made["sequence"], made["relationship"]) == ("entered", "P", "18")
    assert await agency.biller.expect(200, "GET", f"{COVERAGES}/{made['id']}") == made
    [created] = await evidence.audit(made["id"])
    assert created["action"] == "coverage.created"
    assert created["changed_fields_json"]["member_id"][1].startswith("digest:")
    [event] = await evidence.outbox(made["id"])
    assert (event["topic"], event["payload"]["patient_id"]) == ("coverage.updated", call.patient["id"])
    assert "1EG4" not in str(event["payload"])


async def test_typographic_dashes_are_dashes(agency: Agency) -> None:
    call = await locked_call(agency)
    assert (await cover(agency, call, member_id="W12\u201334"))["member_id"] == "W12-34"


async def test_a_dependent_has_a_subscriber(agency: Agency) -> None:
    call = await call_of(agency, **CHILD)
    made = await cover(agency, call, payer_record_id=(await commercial(agency))["id"], **MOTHER)
    assert {name: made[name] for name in MOTHER} == MOTHER
    own = await agency.biller.expect(
        200, "PATCH", f"{COVERAGES}/{made['id']}", json={"version": 1, "relationship": "18"}
    )
    assert own["relationship"] == "18"
    assert {own[name] for name in MOTHER if name.startswith("subscriber_")} == {None}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"relationship": "19"}, [("subscriber_last_name", "missing")]),
        ({"subscriber_last_name": "Muster"}, [("subscriber_last_name", "patient_is_subscriber")]),
        (MOTHER | {"subscriber_state": "XX"}, [("subscriber_state", "us_state")]),
        (MOTHER | {"subscriber_zip": "627"}, [("subscriber_zip", "postal_code")]),
        (MOTHER | {"subscriber_sex": "X"}, [("subscriber_sex", "code")]),
        ({"relationship": "22"}, [("relationship", "enum")]),
        ({"sequence": "A"}, [("sequence", "literal_error")]),
        ({"member_id": "1"}, [("member_id", "length")]),
        ({"insurance_type": "12"}, [("insurance_type", "not_medicare"), ("insurance_type", "primary")]),
        ({"insurance_type": "99"}, [("insurance_type", "code")]),
        ({"effective_from": "2026-11-02"}, [("effective_from", "after_the_service")]),
        ({"effective_to": "2026-10-31"}, [("effective_to", "before_the_service")]),
        (
            {"effective_from": "2026-01-01", "effective_to": "2025-12-31"},
            [("effective_to", "before_the_first_day")],
        ),
        ({"payer_record_id": str(uuid.uuid4())}, [("payer_record_id", "unknown_reference")]),
        ({"origin": "charted"}, [("origin", "extra_forbidden")]),
    ],
)
async def test_what_does_not_go_together_is_refused_by_field(
    agency: Agency, evidence: Evidence, fields: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    """The call was on 1 November 2026."""
    call = await locked_call(agency)
    before = await evidence.digest(agency.tenant_id)
    assert problems(await cover(agency, call, status=422, **fields)) == found
    assert await evidence.digest(agency.tenant_id) == before
    made = await cover(agency, call)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "PATCH", f"{COVERAGES}/{made['id']}", json={"version": 1, **fields})
    assert problems(refused) == found
    assert await evidence.digest(agency.tenant_id) == before


async def test_dates_that_hold_the_day_of_the_service(agency: Agency) -> None:
    """Both ends count. A chart without the time of the service judges no dates."""
    call = await locked_call(agency)
    made = await cover(agency, call, effective_from="2026-11-01", effective_to="2026-11-01")
    assert (made["effective_from"], made["effective_to"]) == ("2026-11-01", "2026-11-01")
    undated = await open_call(agency, dispatch_time=None, depart_scene_time=None)
    assert (await cover(agency, undated, effective_to="2020-01-01"))["effective_to"] == "2020-01-01"


async def test_why_medicare_is_not_primary(agency: Agency) -> None:
    call, payer = await locked_call(agency), await medicare(agency)
    await cover(agency, call)
    made = await cover(agency, call, sequence="S", payer_record_id=payer["id"], insurance_type="12")
    assert made["insurance_type"] == "12"
    path = f"{COVERAGES}/{made['id']}"
    other = (await commercial(agency))["id"]
    refused = await agency.biller.expect(422, "PATCH", path, json={"version": 1, "payer_record_id": other})
    assert problems(refused) == [("insurance_type", "not_medicare")]
    moved = {"version": 1, "payer_record_id": other, "insurance_type": None}
    assert (await agency.biller.expect(200, "PATCH", path, json=moved))["insurance_type"] is None


async def test_the_number_follows_the_payer(agency: Agency) -> None:
    """A number typed before the payer was known loses its dashes when the payer turns out to be Medicare."""
    call = await locked_call(agency)
    made = await cover(agency, call, member_id="1EG4-TE5-MK73")
    assert made["member_id"] == "1EG4-TE5-MK73"
    body = {"version": 1, "payer_record_id": (await medicare(agency))["id"]}
    named = await agency.biller.expect(200, "PATCH", f"{COVERAGES}/{made['id']}", json=body)
    assert named["member_id"] == "1EG4TE5MK73"


async def test_one_payer_of_each_sequence(agency: Agency, evidence: Evidence) -> None:
    call = await open_call(agency)
    second = await add_patient(agency, call.incident, first_name="Max")
    await lock_call(agency, call)
    answers = await asyncio.gather(
        *(agency.biller.post(COVERAGES, json=coverage_body(call, sequence="S")) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    before = await evidence.digest(agency.tenant_id)
    refused = await cover(agency, call, status=409, sequence="S")
    assert (refused["error"]["code"], refused["error"]["details"]) == ("ALREADY_EXISTS", {"field": "sequence"})
    assert await evidence.digest(agency.tenant_id) == before
    primary = await cover(agency, call)
    refused = await agency.biller.expect(
        409, "PATCH", f"{COVERAGES}/{primary['id']}", json={"version": 1, "sequence": "S"}
    )
    assert refused["error"]["code"] == "ALREADY_EXISTS"
    await cover(agency, call, sequence="S", patient_id=second["id"])


async def test_a_deleted_coverage_frees_its_sequence(agency: Agency) -> None:
    call = await locked_call(agency)
    made = await cover(agency, call)
    path = f"{COVERAGES}/{made['id']}"
    await agency.biller.expect(409, "DELETE", path, params={"version": 2})
    await agency.biller.expect(204, "DELETE", path, params={"version": 1})
    await agency.biller.expect(404, "GET", path)
    successor = await cover(agency, call)
    await agency.biller.expect(403, "POST", f"{path}/restore", json={"version": 2})
    refused = await agency.admin.expect(409, "POST", f"{path}/restore", json={"version": 2})
    assert refused["error"]["code"] == "ALREADY_EXISTS"
    await agency.biller.expect(204, "DELETE", f"{COVERAGES}/{successor['id']}", params={"version": 1})
    back = await agency.admin.expect(200, "POST", f"{path}/restore", json={"version": 2})
    assert (back["version"], back["deleted_at"]) == (3, None)
    await agency.biller.expect(403, "GET", COVERAGES, params={"include_deleted": True})
    page = await agency.admin.expect(200, "GET", COVERAGES, params={"include_deleted": True})
    assert [item["id"] for item in page["items"]] == [successor["id"], made["id"]]


async def test_lists_filter(agency: Agency) -> None:
    calls = [await locked_call(agency) for _ in range(2)]
    payer = await commercial(agency)
    one = await cover(agency, calls[0], payer_record_id=payer["id"])
    other = await cover(agency, calls[1])
    for params, wanted in (
        ({"patient_id": calls[0].patient["id"]}, [one]),
        ({"incident_id": calls[1].incident["id"]}, [other]),
        ({"payer_record_id": payer["id"]}, [one]),
        ({"patient_id": [call.patient["id"] for call in calls]}, [other, one]),
        ({"patient_id": str(uuid.uuid4())}, []),
    ):
        page = await agency.biller.expect(200, "GET", COVERAGES, params=params)
        assert page["items"] == wanted, params


async def test_the_patient_is_one_of_the_call(agency: Agency, evidence: Evidence) -> None:
    call, other = await locked_call(agency), await locked_call(agency)
    before = await evidence.digest(agency.tenant_id)
    refused = await cover(agency, call, status=422, patient_id=other.patient["id"])
    assert problems(refused) == [("patient_id", "unknown_patient")]
    await cover(agency, call, status=404, incident_id=str(uuid.uuid4()))
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_stale_change_is_refused_and_an_empty_one_writes_nothing(agency: Agency, evidence: Evidence) -> None:
    made = await cover(agency, await locked_call(agency))
    path = f"{COVERAGES}/{made['id']}"
    await agency.biller.expect(200, "PATCH", path, json={"version": 1, "group_number": "4711"})
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(409, "PATCH", path, json={"version": 1, "group_number": "4712"})
    assert refused["error"]["code"] == "CONFLICT"
    same = await agency.biller.expect(200, "PATCH", path, json={"version": 2, "group_number": "4711"})
    assert same["version"] == 2
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_repeated_request_makes_one_coverage(agency: Agency) -> None:
    body = coverage_body(await locked_call(agency), id=str(uuid.uuid4()))
    headers = {"Idempotency-Key": "coverage-1"}
    first = await agency.biller.expect(201, "POST", COVERAGES, json=body, headers=headers)
    assert await agency.biller.expect(201, "POST", COVERAGES, json=body, headers=headers) == first
    assert await agency.biller.expect(200, "POST", COVERAGES, json=body) == first


async def test_who_sees_and_keeps_coverages(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    made = await cover(agency, call)
    path = f"{COVERAGES}/{made['id']}"
    for who in ("admin", "biller"):
        assert await agency.actors[who].expect(200, "GET", path) == made
    before = await evidence.digest(agency.tenant_id)
    for who in ("medic", "supervisor", "founder"):
        actor = agency.actors[who]
        await actor.expect(403, "GET", path)
        await actor.expect(403, "GET", COVERAGES)
        await actor.expect(403, "POST", COVERAGES, json=coverage_body(call, sequence="S"))
        await actor.expect(403, "PATCH", path, json={"version": 1, "group_number": "4711"})
        await actor.expect(403, "DELETE", path, params={"version": 1})
        await actor.expect(403, "POST", f"{path}/restore", json={"version": 1})
        await actor.expect(403, "POST", f"{path}/carry-forward", json={"incident_id": call.incident["id"]})
    assert await evidence.digest(agency.tenant_id) == before


async def test_another_agencys_coverage_is_nothing(
    agency: Agency, found: Callable[[], Awaitable[Agency]], evidence: Evidence
) -> None:
    call, payer = await locked_call(agency), await commercial(agency)
    made = await cover(agency, call)
    before = await evidence.digest(agency.tenant_id)
    others = await found()
    theirs = await locked_call(others)
    there = {"incident_id": theirs.incident["id"], "patient_id": theirs.patient["id"]}
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("GET", "", {}),
        ("PATCH", "", {"json": {"version": 1, "group_number": "4711"}}),
        ("DELETE", "", {"params": {"version": 1}}),
        ("POST", "/restore", {"json": {"version": 1}}),
        ("POST", "/carry-forward", {"json": there}),
    )
    for method, suffix, options in calls:
        for coverage_id in (made["id"], str(uuid.uuid4())):
            await others.admin.expect(404, method, f"{COVERAGES}/{coverage_id}{suffix}", **options)
    await others.biller.expect(404, "POST", COVERAGES, json=coverage_body(call))
    refused = await cover(others, theirs, status=422, payer_record_id=payer["id"])
    assert problems(refused) == [("payer_record_id", "unknown_reference")]
    assert (await others.admin.expect(200, "GET", COVERAGES))["items"] == []
    assert await evidence.digest(agency.tenant_id) == before


async def test_who_reads_a_coverage_is_in_the_access_log(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    call = await locked_call(agency)
    made = await cover(agency, call)
    await agency.biller.expect(200, "GET", f"{COVERAGES}/{made['id']}")
    row = await admin_connection.fetchrow(
        "SELECT * FROM access_log WHERE tenant_id = $1 AND route LIKE '%/billing/coverages/{coverage_id}'",
        agency.tenant_id,
    )
    assert row is not None
    assert (str(row["incident_id"]), row["categories"], row["purpose"]) == (
        call.incident["id"],
        ["coverage"],
        "payment",
    )
