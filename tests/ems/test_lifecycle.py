"""The incident's state machine (directive 5.2): every state by every action by every person, from its declaration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from app.ems.lifecycle import IncidentStatus, IncidentTransition, incident_lifecycle
from tests.ems.charts import PATIENT, RECORDED_AS, ROUTE_TO, STATES, Chart
from tests.ems.evidence import Evidence
from tests.support.actors import Actor, Agency

CHARTERS = frozenset({"admin", "medic", "partner", "supervisor"})
REVIEWERS = frozenset({"admin", "supervisor"})
MAY = {
    "start": CHARTERS,
    "submit_for_review": CHARTERS,
    "return_for_correction": REVIEWERS,
    "recall": CHARTERS,
    "complete": REVIEWERS,
    "lock": frozenset({"admin"}),
    "unlock": frozenset({"admin"}),
}
"""Who may fire what, from the decisions and not from the code (the author's and the submitter's cases are below)."""
SUBMITTED, SUBMITTER = ("ready_for_review", "completed", "locked"), "medic"
REVIEWS = ("complete", "return_for_correction")
PEOPLE = ("medic", "partner", "supervisor", "admin", "biller", "founder")
TARGETS = {
    (source.value, t.action.value): t.target.value for t in incident_lifecycle.transitions for source in t.sources
}


def barred(state: str, action: str, author: str, who: str, submitter: str = SUBMITTER) -> bool:
    """True if `who` may not fire the action on a chart in `state` that `author` wrote, whatever its state."""
    if who not in MAY[action] or (action in REVIEWS and who == author):
        return True
    return action == "recall" and state in SUBMITTED and who != submitter


def permitted(state: str, author: str, who: str, submitter: str = SUBMITTER) -> set[str]:
    """Actions that `who` may fire in `state` of a chart that `author` wrote and `submitter` submitted."""
    return {
        action for (source, action) in TARGETS if source == state and not barred(state, action, author, who, submitter)
    }


def expected_status(state: str, action: str, author: str, who: str) -> int:
    if barred(state, action, author, who):
        return 403
    return 200 if (state, action) in TARGETS else 409


def test_the_declaration_has_the_transitions_of_the_directive() -> None:
    assert TARGETS == {
        ("draft", "start"): "in_progress",
        ("in_progress", "submit_for_review"): "ready_for_review",
        ("ready_for_review", "complete"): "completed",
        ("completed", "lock"): "locked",
        ("locked", "unlock"): "completed",
        ("ready_for_review", "return_for_correction"): "in_progress",  # ours
        ("ready_for_review", "recall"): "in_progress",  # ours
    }
    assert set(STATES) == {status.value for status in IncidentStatus}
    assert set(MAY) == {action.value for action in IncidentTransition}


CASES = [
    (state, action.value, author)
    for state in STATES
    for action in IncidentTransition
    for author in (("medic", "supervisor", "admin") if action in REVIEWS else ("medic",))
]


@pytest.mark.parametrize(("state", "action", "author"), CASES)
async def test_matrix(agency: Agency, evidence: Evidence, state: str, action: str, author: str) -> None:
    """The right people move the chart and leave one record of each kind; all others leave nothing at all."""
    chart = await Chart.open(agency, state, author=author)
    before = await evidence.digest(agency.tenant_id)
    reason = "The crew left out a page." if action == "unlock" else None
    movers = []
    for who in PEOPLE:
        status = expected_status(state, action, author, who)
        if status == 200:
            movers.append(who)
            continue
        answer = await chart.fire(action, who, status=status, reason=reason)
        error = answer["error"]
        if status == 403:
            assert (error["code"], error["details"]) == ("FORBIDDEN", {})
        else:
            assert error["code"] == "INVALID_TRANSITION"
            details = error["details"]
            assert set(details.pop("allowed_actions")) == permitted(state, author, who)
            assert details == {"state": state, "action": action, "failed_guards": []}
        assert await evidence.digest(agency.tenant_id) == before, f"{who} was refused and left a trace"
    for who in movers:
        await _moves(await Chart.open(agency, state, author=author), action, who, evidence, reason)


async def _moves(chart: Chart, action: str, who: str, evidence: Evidence, reason: str | None) -> None:
    state, version = chart.head["status"], chart.version
    before = (await evidence.records(chart.id)).counts()
    answer = await chart.fire(action, who, reason=reason)
    target = TARGETS[state, action]
    assert (answer["status"], answer["version"]) == (target, version + 1)
    author = who if action == "submit_for_review" else chart.author  # whoever submits a chart does not review it
    submitter = who if action == "submit_for_review" else SUBMITTER
    assert set(answer["allowed_actions"]) == permitted(target, author, who, submitter)
    records = await evidence.records(chart.id)
    assert records.counts() == tuple(count + 1 for count in before)
    audit, event, revision = records.audit[-1], records.outbox[-1], records.revisions[-1]
    me = await chart.agency.actors[who].expect(200, "GET", "auth/me")
    assert (audit["action"], str(audit["actor_user_id"])) == (f"incident.{RECORDED_AS[action]}", me["id"])
    wanted = {"action": action, "from": state, "to": target} | ({"reason": reason} if reason else {})
    assert audit["metadata_json"] == wanted
    assert audit["changed_fields_json"]["status"] == [state, target]
    assert (event["topic"], event["payload"]["status"]) == ("incident.status_changed", target)
    assert (revision["version"], revision["snapshot"]["status"]) == (version + 1, target)


@pytest.mark.parametrize("state", STATES)
async def test_allowed_actions_are_what_the_reader_may_fire(agency: Agency, state: str) -> None:
    chart = await Chart.open(agency, state)
    for who in PEOPLE[:-1]:
        read = await agency.actors[who].expect(200, "GET", chart.url)
        assert set(read["allowed_actions"]) == permitted(state, chart.author, who)


@pytest.mark.parametrize("state", STATES)
async def test_strangers(
    agency: Agency, found: Callable[[], Awaitable[Agency]], anonymous: Actor, evidence: Evidence, state: str
) -> None:
    """No token: 401. Another agency's admin: 404, whatever the action."""
    chart = await Chart.open(agency, state)
    other = await found()
    before = await evidence.digest(agency.tenant_id)
    for action in IncidentTransition:
        body = {"action": action.value, "version": chart.version, "reason": "why"}
        refused = await anonymous.expect(401, "POST", f"{chart.url}/transitions", json=body)
        assert refused["error"]["code"] == "UNAUTHENTICATED"
        missing = await other.admin.expect(404, "POST", f"{chart.url}/transitions", json=body)
        assert missing["error"]["code"] == "NOT_FOUND"
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("reason", [None, "", " ", "\t\n", "x" * 501])
async def test_unlocking_needs_a_reason(agency: Agency, evidence: Evidence, reason: str | None) -> None:
    chart = await Chart.open(agency, "locked")
    before = await evidence.digest(agency.tenant_id)
    body = {"action": "unlock", "version": chart.version} | ({} if reason is None else {"reason": reason})
    refused = await agency.admin.expect(422, "POST", f"{chart.url}/transitions", json=body)
    assert refused["error"]["code"] == "VALIDATION_FAILED"
    assert refused["error"]["details"]["problems"][0]["field"].endswith("reason")
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_stale_version_moves_nothing(chart: Chart, evidence: Evidence) -> None:
    await chart.fire("start", "medic")
    before = await evidence.digest(chart.agency.tenant_id)
    body = {"action": "submit_for_review", "version": chart.version - 1}
    refused = await chart.writer.expect(409, "POST", f"{chart.url}/transitions", json=body)
    assert refused["error"]["code"] == "CONFLICT"
    assert refused["error"]["details"]["server_version"] == chart.version
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("action", ["archive", "START", "", None, 1, "created"])
async def test_an_unknown_action_is_no_action(chart: Chart, action: object) -> None:
    refused = await chart.writer.expect(
        422, "POST", f"{chart.url}/transitions", json={"action": action, "version": chart.version}
    )
    assert refused["error"]["code"] == "VALIDATION_FAILED"


async def test_status_is_no_field_of_create_or_patch(agency: Agency, chart: Chart) -> None:
    for name, value in (("status", "locked"), ("completed_at", "2026-01-01T00:00:00Z"), ("created_by", chart.id)):
        await chart.writer.expect(422, "PATCH", chart.url, json={"version": chart.version, name: value})
        body = {"incident_number": "26-000002", name: value}
        await chart.writer.expect(422, "POST", "ems/incidents", json=body)


async def test_a_returned_chart_is_written_on_and_comes_back(agency: Agency) -> None:
    """The whole life: review, return, correction, review, completion, lock, unlock, lock."""
    chart = await Chart.open(agency, "ready_for_review")
    await chart.revise(PATIENT, chart.patient, status=409, first_name="Ana")
    await chart.fire("return_for_correction", "supervisor", reason="Name is missing.")
    await chart.revise(PATIENT, chart.patient, first_name="Ana")
    for _, action, who in ROUTE_TO[1:]:
        await chart.fire(action, who)
    await chart.fire("unlock", "admin", reason="Insurance asked.")
    await chart.fire("lock", "admin")
    assert (chart.head["status"], chart.version) == ("locked", 9)
