"""Worklists of what came back: rejected claims, denied ones, and refusals whose time for an appeal runs out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.core.clock import utcnow
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.claims import CLAIMS, fire
from tests.billing.support.denials import DENIALS, denials_of, refused_claim
from tests.billing.support.remittances import claim_of, submitted_claim
from tests.support.actors import Agency

LISTS = "billing/worklists"


async def listed(agency: Agency, name: str, **params: Any) -> list[dict[str, Any]]:
    page = await agency.biller.expect(200, "GET", f"{LISTS}/{name}", params=params)
    found: list[dict[str, Any]] = page["items"]
    return found


async def ids(agency: Agency, name: str, **params: Any) -> list[str]:
    return [claim["id"] for claim in await listed(agency, name, **params)]


async def count(agency: Agency, name: str) -> int:
    found = await agency.biller.expect(200, "GET", LISTS)
    return next(int(item["claims"]) for item in found["items"] if item["name"] == name)


def in_days(days: int) -> str:
    return (utcnow() + dt.timedelta(days=days)).date().isoformat()


async def due(agency: Agency, runtime: Runtime, days: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A refused claim, and its refusal, which must be appealed within so many days."""
    claim = await refused_claim(agency, runtime)
    [denial] = await denials_of(agency, claim)
    body = {"version": denial["version"], "appeal_by": in_days(days)}
    return claim, await agency.biller.expect(200, "PATCH", f"{DENIALS}/{denial['id']}", json=body)


async def test_a_rejected_claim_is_listed_until_it_is_approved_again(agency: Agency) -> None:
    claim = await submitted_claim(agency)
    assert await ids(agency, "rejected") == []
    claim = await fire(agency, claim, "reject")
    assert await ids(agency, "rejected") == [claim["id"]]
    assert await count(agency, "rejected") == 1
    await fire(agency, claim, "approve")
    assert await ids(agency, "rejected") == []
    assert await ids(agency, "ready") == [claim["id"]]


async def test_refusals_are_due_in_the_order_of_their_last_days(
    agency: Agency, other_agency: Agency, runtime: Runtime
) -> None:
    second, _ = await due(agency, runtime, 20)
    first, refusal = await due(agency, runtime, -1)
    later, _ = await due(agency, runtime, 60)
    await due(other_agency, runtime, 5)
    assert await ids(agency, "appeal_due") == [first["id"], second["id"]]
    assert [one["appeal_by"] for one in await listed(agency, "appeal_due")] == [in_days(-1), in_days(20)]
    assert await ids(agency, "appeal_due", due_before=in_days(61)) == [first["id"], second["id"], later["id"]]
    assert set(await ids(agency, "denied")) == {first["id"], second["id"], later["id"]}
    assert await count(agency, "appeal_due") == 2
    page = await agency.biller.expect(200, "GET", f"{LISTS}/appeal_due", params={"limit": 1})
    params = {"limit": 1, "cursor": page["next_cursor"]}
    page = await agency.biller.expect(200, "GET", f"{LISTS}/appeal_due", params=params)
    assert ([one["id"] for one in page["items"]], page["next_cursor"]) == ([second["id"]], None)
    await agency.biller.expect(422, "GET", f"{LISTS}/appeal_due", params={"sort": "file_by"})
    await agency.biller.expect(422, "GET", f"{LISTS}/denied", params={"sort": "appeal_by"})
    appeal = await agency.biller.expect(201, "POST", "billing/appeals", json={"denial_id": refusal["id"]})
    body = {"action": "file", "version": appeal["version"], "on": in_days(-1)}
    await agency.biller.expect(200, "POST", f"billing/appeals/{appeal['id']}/transitions", json=body)
    assert await ids(agency, "appeal_due") == [second["id"]]


async def test_a_resting_claim_is_not_due(agency: Agency, runtime: Runtime) -> None:
    claim, _ = await due(agency, runtime, 5)
    claim = await claim_of(agency, claim)
    body = {"version": claim["version"], "until": f"{in_days(3)}T08:00:00Z"}
    await agency.biller.expect(200, "POST", f"{CLAIMS}/{claim['id']}/snooze", json=body)
    assert await ids(agency, "appeal_due") == []
    assert await ids(agency, "appeal_due", snoozed=True) == [claim["id"]]
    assert await count(agency, "appeal_due") == 0


async def test_a_page_of_due_appeals_is_one_statement(agency: Agency, runtime: Runtime) -> None:
    statements = set()
    for _ in range(2):
        await due(agency, runtime, 5)
        async with counted(runtime.database) as sent:
            await listed(agency, "appeal_due")
        statements.add(len(sent))
    assert len(statements) == 1
