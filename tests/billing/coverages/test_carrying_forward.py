"""A coverage is copied to the next call of the same account when a biller says so."""

from __future__ import annotations

from typing import Any

from tests.billing.support.evidence import Evidence
from tests.billing.support.parties import (
    CHILD,
    COVERAGES,
    MOTHER,
    call_of,
    commercial,
    cover,
    join,
    new_account,
    problems,
)
from tests.support.actors import Agency
from tests.support.charts import Call, locked_call


async def carry(agency: Agency, coverage: dict[str, Any], call: Call, *, status: int = 201, **fields: Any) -> Any:
    body = {"incident_id": call.incident["id"], "patient_id": call.patient["id"], **fields}
    return await agency.biller.expect(status, "POST", f"{COVERAGES}/{coverage['id']}/carry-forward", json=body)


async def test_the_next_call_of_the_account_gets_a_copy(agency: Agency, evidence: Evidence) -> None:
    first, second = await call_of(agency, **CHILD), await call_of(agency, **CHILD)
    account = await new_account(agency)
    for call in (first, second):
        await join(agency, account, call)
    source = await cover(agency, first, payer_record_id=(await commercial(agency))["id"], **MOTHER)
    made = await carry(agency, source, second)
    own = {"id", "incident_id", "patient_id", "origin", "carried_from_id", "created_at", "updated_at"}
    assert {name: made[name] for name in made.keys() - own} == {name: source[name] for name in source.keys() - own}
    assert (made["origin"], made["carried_from_id"]) == ("carried_forward", source["id"])
    assert (made["incident_id"], made["patient_id"]) == (second.incident["id"], second.patient["id"])
    assert [event["action"] for event in await evidence.audit(made["id"])] == ["coverage.carried_forward"]
    again = await carry(agency, source, second, status=409)
    assert again["error"]["code"] == "ALREADY_EXISTS"
    assert (await carry(agency, source, second, sequence="S"))["sequence"] == "S"
    assert await agency.biller.expect(200, "GET", f"{COVERAGES}/{source['id']}") == source


async def test_calls_of_other_accounts_get_none(agency: Agency, evidence: Evidence) -> None:
    first, second = await locked_call(agency), await locked_call(agency)
    source = await cover(agency, first)
    for prepare in (None, first, second):
        if prepare is not None:
            await join(agency, await new_account(agency), prepare)
        before = await evidence.digest(agency.tenant_id)
        refused = await carry(agency, source, second, status=422)
        assert problems(refused) == [("patient_id", "other_account")]
        assert await evidence.digest(agency.tenant_id) == before


async def test_a_persons_own_coverage_is_not_their_childs(agency: Agency, evidence: Evidence) -> None:
    """One account bears the bills of a mother and her child. Her coverage makes her the subscriber, not the child."""
    mother, child = await locked_call(agency), await call_of(agency, **CHILD)
    account = await new_account(agency)
    for call in (mother, child):
        await join(agency, account, call)
    source = await cover(agency, mother)
    before = await evidence.digest(agency.tenant_id)
    assert problems(await carry(agency, source, child, status=422)) == [("patient_id", "other_person")]
    assert problems(await carry(agency, source, mother, status=422)) == [("patient_id", "same_patient")]
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_coverage_that_has_ended_is_not_carried(agency: Agency, evidence: Evidence) -> None:
    first = await locked_call(agency)
    later: dict[str, Any] = {
        "dispatch_time": "2026-11-20T09:55:00-06:00",
        "enroute_time": "2026-11-20T09:57:00-06:00",
        "arrival_time": "2026-11-20T10:05:00-06:00",
        "depart_scene_time": "2026-11-20T10:20:00-06:00",
        "arrived_destination_time": "2026-11-20T10:40:00-06:00",
        "cleared_time": "2026-11-20T11:00:00-06:00",
    }
    second = await locked_call(agency, **later)
    account = await new_account(agency)
    for call in (first, second):
        await join(agency, account, call)
    source = await cover(agency, first, effective_to="2026-11-15")
    before = await evidence.digest(agency.tenant_id)
    assert problems(await carry(agency, source, second, status=422)) == [("effective_to", "before_the_service")]
    assert await evidence.digest(agency.tenant_id) == before
