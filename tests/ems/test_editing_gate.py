"""Who may write what in which state of the chart (directive 5.2): entity by state by person by kind of write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.ems.charts import (
    CHILDREN,
    ELEMENT_GROUP,
    INCIDENT,
    INCIDENTS,
    INTERVENTION,
    KINDS,
    NARRATIVE,
    OPEN_STATES,
    STATES,
    VITAL,
    Chart,
    Kind,
)
from tests.ems.evidence import Evidence
from tests.support.actors import Actor, Agency

PEOPLE = ("medic", "partner", "supervisor", "admin", "biller", "founder")
CHARTERS = PEOPLE[:4]
VERBS = ("create", "patch", "delete", "restore")
WRITES = (*VERBS, *(f"{verb} with a reason" for verb in VERBS))
REASON = "Spelling of the street."
LATE = (VITAL, INTERVENTION, NARRATIVE, ELEMENT_GROUP)
"""A chart that waits for its review keeps these for a decision: see test_late_entries.py."""
SUCCESS = {"create": 201, "patch": 200, "delete": 204, "restore": 200}
RECORDED = {"create": "created", "patch": "revised", "delete": "deleted", "restore": "restored"}
CODES = {403: "FORBIDDEN", 409: "CHART_NOT_EDITABLE", 422: "VALIDATION_FAILED"}


def verb_of(write: str) -> str:
    return write.partition(" ")[0]


def expected_status(kind: Kind, write: str, state: str, who: str) -> int:
    """A whole chart is deleted by its creator (the medic) or an admin, and never without a reason."""
    verb = verb_of(write)
    if who not in CHARTERS:
        return 403
    if kind is INCIDENT and verb == "delete" and who not in ("medic", "admin"):
        return 403
    if state == "ready_for_review" and verb == "create" and kind in LATE:
        return 202
    if state in OPEN_STATES:
        return 422 if kind is INCIDENT and write == "delete" else SUCCESS[verb]
    if state == "completed" and who == "admin":
        return SUCCESS[verb] if write != verb else 422
    return 409


def writes_of(kind: Kind) -> list[str]:
    """The head of a chart is created before there is a state, and restored below."""
    return [write for write in WRITES if kind is not INCIDENT or verb_of(write) in ("patch", "delete")]


@dataclass
class Desk:
    """One chart in `state`, with a live entry of `kind` and a deleted one, both made while it was open."""

    chart: Chart
    kind: Kind
    live: dict[str, Any]
    deleted: dict[str, Any]

    @classmethod
    async def lay(cls, agency: Agency, kind: Kind, state: str) -> Desk:
        chart = await Chart.open(agency)
        if kind is INCIDENT:
            await chart.advance(state)
            return cls(chart, kind, chart.head, {})
        live, deleted = await chart.add(kind), await chart.add(kind)
        await chart.writer.expect(204, "DELETE", chart.at(kind, deleted), params={"version": 1})
        deleted["version"] = 2
        await chart.advance(state)
        return cls(chart, kind, live, deleted)

    async def write(self, actor: Actor, write: str) -> Any:
        """The response to one write by `actor`."""
        chart, kind, live, verb = self.chart, self.kind, self.live, verb_of(write)
        reason = {"reason": REASON} if write != verb else {}
        if verb == "create":
            await chart.ready(kind)
            return await actor.post(chart.at(kind), json=chart.body(kind) | reason)
        if verb == "delete":
            return await actor.delete(chart.at(kind, live), params={"version": live["version"], **reason})
        if verb == "restore":
            url, version = chart.at(kind, self.deleted), self.deleted["version"]
            return await actor.post(f"{url}/restore", json={"version": version, **reason})
        return await actor.patch(chart.at(kind, live), json={"version": live["version"], **kind.change, **reason})


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_refusals(agency: Agency, evidence: Evidence, anonymous: Actor, kind: Kind, state: str) -> None:
    """401, 403, 409, or 422 where only the reason was missing, and nothing happened."""
    desk = await Desk.lay(agency, kind, state)
    before = await evidence.digest(agency.tenant_id)
    for write in writes_of(kind):
        assert (await desk.write(anonymous, write)).status_code == 401
        for who in PEOPLE:
            status = expected_status(kind, write, state, who)
            if status < 300:
                continue
            refused = await desk.write(agency.actors[who], write)
            case = f"{who} tries to {write}: {refused.text}"
            assert refused.status_code == status, case
            error = refused.json()["error"]
            assert error["code"] == CODES[status], case
            if status == 422:
                assert [problem["field"] for problem in error["details"]["problems"]] == ["reason"], case
            else:
                assert error["details"] == ({} if status == 403 else {"status": state}), case
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_permitted_writes(agency: Agency, evidence: Evidence, kind: Kind, state: str) -> None:
    """Each is done, by everybody who may, and recorded once under its own name."""
    for write in writes_of(kind):
        for who in CHARTERS:
            if expected_status(kind, write, state, who) not in SUCCESS.values():
                continue
            desk = await Desk.lay(agency, kind, state)
            verb = verb_of(write)
            target = desk.deleted if verb == "restore" else desk.live
            before = None if verb == "create" else await evidence.records(target["id"])
            answer = await desk.write(agency.actors[who], write)
            assert answer.status_code == SUCCESS[verb], f"{who} could not {write}: {answer.text}"
            entity_id = answer.json()["id"] if verb == "create" else target["id"]
            after = await evidence.records(entity_id)
            counts = (0, 0, 0) if before is None else before.counts()
            assert after.counts() == tuple(count + 1 for count in counts)
            amends = state == "completed"
            recorded = "amended" if amends and verb == "patch" else RECORDED[verb]
            assert after.audit[-1]["action"] == f"{kind.entity_type}.{recorded}"
            assert after.audit[-1]["metadata_json"] == ({"reason": REASON} if write != verb else None)
            assert after.outbox[-1]["topic"] == "incident.updated"
            amendments = await evidence.amendments(entity_id)
            assert [(one["change"], one["reason"]) for one in amendments] == [(RECORDED[verb], REASON)] * amends


async def test_any_charter_opens_a_chart_and_nobody_else(agency: Agency, evidence: Evidence, anonymous: Actor) -> None:
    before = await evidence.digest(agency.tenant_id)
    for actor, status in ((agency.biller, 403), (agency.founder, 403), (anonymous, 401)):
        await actor.expect(status, "POST", INCIDENTS, json=dict(INCIDENT.body))
    assert await evidence.digest(agency.tenant_id) == before
    for who in CHARTERS:
        opened = await agency.actors[who].expect(201, "POST", INCIDENTS, json=dict(INCIDENT.body))
        me = await agency.actors[who].expect(200, "GET", "auth/me")
        assert (opened["status"], opened["version"], opened["created_by"]) == ("draft", 1, me["id"])


async def test_reading_is_for_charters_and_billers(agency: Agency, anonymous: Actor) -> None:
    chart = await Chart.open(agency, "locked")
    places = [INCIDENTS, chart.url, chart.at(CHILDREN[0], chart.patient)]
    places += [chart.at(kind) for kind in CHILDREN]
    places += [f"{chart.url}/{view}" for view in ("chart", "timeline", "history", "amendments", "review-comments")]
    for place in places:
        for who in (*CHARTERS, "biller"):
            await agency.actors[who].expect(200, "GET", place)
        await agency.founder.expect(403, "GET", place)
        await anonymous.expect(401, "GET", place)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, 7])
async def test_an_amendment_gives_its_reason_in_words(agency: Agency, evidence: Evidence, reason: Any) -> None:
    chart = await Chart.open(agency, "completed")
    before = await evidence.digest(agency.tenant_id)
    body = {"version": chart.version, "location_street": "1 Main St", "reason": reason}
    refused = await agency.admin.expect(422, "PATCH", chart.url, json=body)
    assert refused["error"]["details"]["problems"][0]["field"] == "reason"
    await agency.admin.expect(422, "PATCH", chart.url, json={"version": chart.version, "reason": "Nothing else."})
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_amended_chart_can_be_locked_at_its_new_version(agency: Agency) -> None:
    chart = await Chart.open(agency, "completed")
    body = {"version": chart.version, "location_street": "1 Main St", "reason": REASON}
    amended = await agency.admin.expect(200, "PATCH", chart.url, json=body)
    assert (amended["status"], amended["version"]) == ("completed", chart.version + 1)
    await chart.fire("lock", "admin", status=409)
    chart.head = amended
    await chart.fire("lock", "admin")


async def test_a_completed_chart_that_was_deleted_comes_back_with_a_reason(agency: Agency, evidence: Evidence) -> None:
    """And its lock comes again: the job found no chart while it was deleted."""
    chart = await Chart.open(agency, "completed")
    params = {"version": chart.version, "reason": REASON}
    await agency.admin.expect(204, "DELETE", chart.url, params=params)
    jobs = len(await evidence.jobs(chart.id))
    body = {"version": chart.version + 1}
    refused = await agency.admin.expect(422, "POST", f"{chart.url}/restore", json=body)
    assert refused["error"]["details"]["problems"][0]["field"] == "reason"
    restored = await agency.admin.expect(200, "POST", f"{chart.url}/restore", json={**body, "reason": REASON})
    assert (restored["status"], restored["version"]) == ("completed", chart.version + 2)
    assert [one["change"] for one in await evidence.amendments(chart.id)] == ["deleted", "restored"]
    assert len(await evidence.jobs(chart.id)) == jobs + 1
