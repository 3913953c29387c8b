"""What was deleted from a chart: who sees it, what it says, and who brings it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.ems.charts import CHILDREN, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.uploads import at, declare
from tests.support.actors import Actor, Agency


async def deleted(chart: Chart, who: str = "medic", **params: Any) -> list[dict[str, Any]]:
    page = await chart.agency.actors[who].expect(200, "GET", f"{chart.url}/deleted-entries", params=params)
    items: list[dict[str, Any]] = page["items"]
    return items


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_the_crew_sees_what_a_colleague_deleted_and_restores_it(chart: Chart, kind: Kind) -> None:
    entry = await chart.add(kind)
    partner = chart.agency.partner
    await partner.expect(204, "DELETE", chart.at(kind, entry), params={"version": 1, "reason": "Charted twice."})
    [gone] = await deleted(chart)
    who = await partner.expect(200, "GET", "auth/me")
    assert (gone["entity"], gone["entity_id"], gone["version"]) == (kind.entity_type, entry["id"], 2)
    assert (gone["deleted_by"], gone["deleted_by_name"], gone["reason"]) == (who["id"], "Partner", "Charted twice.")
    listed = await chart.writer.expect(200, "GET", chart.at(kind), params={"include_deleted": True})
    assert gone["record"] in listed["items"] and gone["deleted_at"] == gone["record"]["deleted_at"]
    restored = await chart.writer.expect(200, "POST", f"{chart.at(kind, entry)}/restore", json={"version": 2})
    assert {name for name in entry if entry[name] != restored[name]} == {"version", "updated_at"}
    assert await deleted(chart) == []


async def test_uploads_are_listed_too_and_pages_go_from_the_last_to_the_first(chart: Chart, runtime: Runtime) -> None:
    declared = await declare(chart)
    await chart.writer.expect(204, "DELETE", at(chart, "attachments", declared), params={"version": 1})
    order = ["attachment"]
    for _ in range(3):
        for kind in (VITAL, NARRATIVE):
            entry = await chart.add(kind)
            await chart.writer.expect(204, "DELETE", chart.at(kind, entry), params={"version": 1})
            order.insert(0, kind.entity_type)
    assert [one["entity"] for one in await deleted(chart)] == order
    assert [one["entity"] for one in await deleted(chart, sort="created_at")] == order[::-1]
    found, cursor = [], None
    for _ in range(4):
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = await chart.writer.expect(200, "GET", f"{chart.url}/deleted-entries", params=params)
        found += [one["entity"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert (found, cursor) == (order, None)
    costs = []
    for limit in (2, 6):
        async with counted(runtime.database) as statements:
            await deleted(chart, limit=limit)
        costs.append(len(statements))
    assert costs[0] == costs[1]


async def test_a_closed_chart_shows_it_to_admins_and_a_deleted_one_to_nobody(
    chart: Chart, found: Callable[[], Awaitable[Agency]], anonymous: Actor, evidence: Evidence
) -> None:
    vital = await chart.add(VITAL)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 1})
    url, restore = f"{chart.url}/deleted-entries", f"{chart.at(VITAL, vital)}/restore"
    stranger = (await found()).admin
    await chart.advance("ready_for_review")
    before = await evidence.digest(chart.agency.tenant_id)
    for who in ("medic", "partner", "supervisor", "biller", "founder"):
        await chart.agency.actors[who].expect(403, "GET", url)
    for who in ("medic", "admin"):
        refused = await chart.agency.actors[who].expect(409, "POST", restore, json={"version": 2})
        assert refused["error"]["code"] == "CHART_NOT_EDITABLE"
    await anonymous.expect(401, "GET", url)
    await stranger.expect(404, "GET", url)
    await stranger.expect(404, "POST", restore, json={"version": 2})
    assert await evidence.digest(chart.agency.tenant_id) == before
    assert [one["entity_id"] for one in await deleted(chart, "admin")] == [vital["id"]]
    await chart.fire("recall", "medic")
    body = {"version": chart.version, "reason": "Opened twice."}
    await chart.writer.expect(204, "DELETE", chart.url, params=body)
    for who in ("medic", "admin"):
        await chart.agency.actors[who].expect(404, "GET", url)
    await chart.writer.expect(403, "POST", f"{chart.url}/restore", json={"version": chart.version + 1})


async def test_a_deleted_patient_shows_the_last_four_digits_only(chart: Chart) -> None:
    second = await chart.add(PATIENT, elements={"ePatient.12": [{"value": "078051120"}]})
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, second), params={"version": 1})
    [gone] = await deleted(chart)
    assert gone["record"]["elements"] == second["elements"] and "078051120" not in str(gone)
