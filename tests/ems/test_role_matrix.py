"""Every route of a chart by person by state: what is refused changes nothing, what is done is recorded once.

The tables are the directive's (5.2) and docs/adr's, not the code's. Some parts stand elsewhere: writes of the incident
and its entries in test_editing_gate.py, moves in test_moves.py, what comes late in test_late_entries.py, and the
incident's transitions in test_lifecycle.py.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.ems.charts import CHILDREN, INCIDENTS, STATES, VITAL, Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, PATHS, at, body_of, content_of, declare, fire, send
from tests.support.actors import Actor, Agency

CHARTERS = ("medic", "partner", "supervisor", "admin")
REVIEWERS = ("supervisor", "admin")
SETTLERS = ("medic", "supervisor", "admin")
READERS = (*CHARTERS, "biller")
PEOPLE = (*READERS, "founder")
REASON = "Recorded for the wrong patient."

CODES = {
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CHART_NOT_EDITABLE",
    410: "REVIEW_CLOSED",
    422: "VALIDATION_FAILED",
}
WORDS = {"yes": 0, "closed": 409, "reason": 422, "none": 404, "over": 410, "no": 403}
"""`reason`: only that is missing. `over`: 409, too, of a decided review. `no`: others may. `-`: nothing is there."""


@dataclass(frozen=True)
class Row:
    """`people` may: `states` says for each state of the chart what comes of it, `admin` the same for an admin."""

    people: tuple[str, ...]
    states: str
    admin: str | None = None

    def refusal(self, who: str, state: str) -> int:
        """0 for what is done."""
        if who not in self.people:
            return 403
        states = self.admin if who == "admin" and self.admin is not None else self.states
        return WORDS[states.split()[STATES.index(state)]]


#                                draft in_progress ready_for_review completed locked
OPEN = "yes yes closed closed closed"
HELD = "yes yes yes closed closed"
SIGNABLE = "yes yes closed yes closed"
AMENDS, AMENDED = "yes yes closed reason closed", "yes yes closed yes closed"
WRITES: dict[str, dict[str, Row]] = {
    "attachments": {
        "declare": Row(CHARTERS, OPEN),
        "complete": Row(CHARTERS, OPEN),
        "delete": Row(CHARTERS, OPEN, admin=AMENDS),
        "delete with a reason": Row(CHARTERS, OPEN, admin=AMENDED),
        "restore": Row(CHARTERS, OPEN, admin=AMENDS),
        "restore with a reason": Row(CHARTERS, OPEN, admin=AMENDED),
    },
    "signatures": {
        "declare": Row(CHARTERS, SIGNABLE),
        "complete": Row(CHARTERS, SIGNABLE),
        "void with a reason": Row(("admin",), SIGNABLE),
        "delete": Row(CHARTERS, OPEN, admin=AMENDS),
        "delete with a reason": Row(CHARTERS, OPEN, admin=AMENDED),
        "restore": Row(CHARTERS, OPEN, admin=AMENDS),
        "restore with a reason": Row(CHARTERS, OPEN, admin=AMENDED),
    },
    "chart": {
        "sync": Row(CHARTERS, HELD, admin="yes yes yes reason closed"),
        "sync with a reason": Row(CHARTERS, HELD, admin="yes yes yes yes closed"),
        "assign": Row(REVIEWERS, "none over yes over over"),
        "resolve": Row(SETTLERS, "- yes yes yes yes"),
    },
}
RECORDED = {
    "declare": "created",
    "complete": {"attachments": "stored", "signatures": "signed"},
    "void": "voided",
    "delete": "deleted",
    "restore": "restored",
    "sync": "created",
    "assign": "assigned",
    "resolve": "resolved",
}
EVERYBODY = "yes yes yes yes yes"
SUBMITTED = "none none yes yes yes"
OPENLY = "yes yes no no no"
READS: dict[str, Row] = {
    "": Row(READERS, EVERYBODY),
    **{f"/{kind.path}": Row(READERS, EVERYBODY) for kind in CHILDREN},
    **{f"/{path}": Row(READERS, EVERYBODY) for path in PATHS},
    **{f"/{kind.path}?include_deleted=true": Row(CHARTERS, OPENLY, admin=EVERYBODY) for kind in CHILDREN},
    **{f"/{path}?include_deleted=true": Row(CHARTERS, OPENLY, admin=EVERYBODY) for path in PATHS},
    "/deleted-entries": Row(CHARTERS, OPENLY, admin=EVERYBODY),
    "/chart": Row(READERS, EVERYBODY),
    "/readiness": Row(READERS, EVERYBODY),
    "/timeline": Row(READERS, EVERYBODY),
    "/history": Row(READERS, EVERYBODY),
    "/history?as_of=2049-12-31T00:00:00Z": Row(READERS, EVERYBODY),
    "/amendments": Row(READERS, EVERYBODY),
    "/review": Row(READERS, SUBMITTED),
    "/review-comments": Row(READERS, EVERYBODY),
    "/late-entries": Row(READERS, EVERYBODY),
}
"""Below the incident; one entry of each kind, its content and the lists of incidents are read by the test besides."""
DISCLOSURES = ("/report.pdf", "/patients/{child_id}/social-security-number")
"""Reads that are audited, each with a test of its own that says who may."""


def verb_of(action: str) -> str:
    return action.partition(" ")[0]


def given(action: str) -> dict[str, str]:
    return {"reason": REASON} if action != verb_of(action) else {}


def problem_of(status: int, body: Any) -> tuple[int, str] | None:
    return (status, body["error"]["code"]) if status >= 400 else None


def tried(path: str, state: str) -> dict[str, Row]:
    return {action: row for action, row in WRITES[path].items() if row.states.split()[STATES.index(state)] != "-"}


@dataclass
class Desk:
    """A chart in `state` with something to try each action on: by (action, person) where it will be done."""

    chart: Chart
    path: str
    targets: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    async def lay(cls, agency: Agency, path: str, state: str) -> Desk:
        desk = cls(await Chart.open(agency), path)
        if path == "chart":
            await desk._have_comments(state)
        else:
            for action, row in WRITES[path].items():
                if action != "declare":
                    done = [who for who in PEOPLE if not row.refusal(who, state)]
                    for who in (*done, "nobody"):
                        desk.targets[action, who] = await desk._target(verb_of(action))
        await desk.chart.advance(state)
        return desk

    async def _have_comments(self, state: str) -> None:
        """One for each who may resolve it, and another: a review that returned the chart wrote them."""
        if state == "draft":
            return
        await self.chart.advance("ready_for_review")
        comment = {"entity": "incident", "entity_id": self.chart.id, "field": "arrival_time", "text": "When?"}
        body = {"action": "return_for_correction", "version": self.chart.version, "comments": [comment] * 4}
        answer = await self.chart.agency.supervisor.expect(200, "POST", f"{self.chart.url}/transitions", json=body)
        self.chart.head = answer
        listed = await self.chart.writer.expect(200, "GET", f"{self.chart.url}/review-comments")
        for who, item in zip((*SETTLERS, "nobody"), listed["items"], strict=True):
            self.targets["resolve", who] = item

    async def _target(self, verb: str) -> dict[str, Any]:
        """Pending, pending and sent, signed, or deleted."""
        entry: dict[str, Any] = await declare(self.chart, self.path, **self._about())
        if verb in ("complete", "void"):
            assert (await send(self.chart, entry, content_of(self.path))).status_code == 204
        if verb == "void":
            entry = await fire(self.chart, self.path, entry)
        if verb == "restore":
            url = at(self.chart, self.path, entry)
            await self.chart.writer.expect(204, "DELETE", url, params={"version": 1})
            entry["version"] = 2
        return entry

    def _about(self) -> dict[str, Any]:
        return dict(ATTESTED) if self.path == "signatures" else {}

    async def attempt(self, actor: Actor, action: str, target: dict[str, Any]) -> tuple[int, Any]:
        """The status of an action on `target`, and the answer; a sync's are those of its one change."""
        chart, verb, reason = self.chart, verb_of(action), given(action)
        url, version = f"{chart.url}/{self.path}/{target['id']}", target.get("version", 1)
        if verb == "declare":
            body = body_of(chart, self.path, **self._about())
            return _told(await actor.post(f"{chart.url}/{self.path}", json=body))
        if verb in ("complete", "void"):
            return _told(await actor.post(f"{url}/transitions", json={"action": verb, "version": version, **reason}))
        if verb == "delete":
            return _told(await actor.delete(url, params={"version": version, **reason}))
        if verb == "restore":
            return _told(await actor.post(f"{url}/restore", json={"version": version, **reason}))
        if verb == "assign":
            return await self._assign(actor)
        if verb == "resolve":
            url = f"{chart.url}/review-comments/{target['id']}/transitions"
            return _told(await actor.post(url, json={"action": "resolve", "version": version}))
        change = {"kind": "vital", "op": "create", "id": target["id"], "data": chart.body(VITAL, **reason)}
        answer = await actor.post(f"{chart.url}/sync", json={"changes": [change]})
        if answer.status_code != 200:
            return _told(answer)
        [result] = answer.json()["results"]
        shown = {"saved": "resource", "held": "late_entry"}.get(result["outcome"])
        return result["status"], {"error": result["error"]} if shown is None else result[shown]

    async def _assign(self, actor: Actor) -> tuple[int, Any]:
        """To the admin, or to nobody again: an assignment to the one who has it would be no change."""
        review = (await self.chart.writer.get(f"{self.chart.url}/review")).json()
        admin = (await self.chart.agency.admin.expect(200, "GET", "auth/me"))["id"]
        wanted = None if review.get("reviewer_id") else admin
        body = {"version": review.get("version", 1), "reviewer_id": wanted}
        return _told(await actor.patch(f"{self.chart.url}/review", json=body))

    def target(self, action: str, who: str) -> dict[str, Any]:
        fallback = self.targets.get((action, "nobody"), {"id": str(uuid.uuid4())})
        return self.targets.get((action, who), fallback)


def _told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json() if answer.content else None


CELLS = [(path, state) for path in WRITES for state in STATES]


@pytest.mark.parametrize(("path", "state"), CELLS)
async def test_writes(agency: Agency, evidence: Evidence, anonymous: Actor, path: str, state: str) -> None:
    desk = await Desk.lay(agency, path, state)
    before = await evidence.digest(agency.tenant_id)
    for action, row in tried(path, state).items():
        status, answer = await desk.attempt(anonymous, action, desk.target(action, "nobody"))
        assert problem_of(status, answer) == (401, CODES[401]), action
        for who in PEOPLE:
            refusal = row.refusal(who, state)
            if refusal:
                status, answer = await desk.attempt(agency.actors[who], action, desk.target(action, "nobody"))
                wanted = 409 if CODES[refusal] == "REVIEW_CLOSED" else refusal
                assert problem_of(status, answer) == (wanted, CODES[refusal]), f"{who} {action}"
    assert await evidence.digest(agency.tenant_id) == before
    for action, row in tried(path, state).items():
        for who in PEOPLE:
            if not row.refusal(who, state):
                await _is_done(desk, evidence, action, who)


async def _is_done(desk: Desk, evidence: Evidence, action: str, who: str) -> None:
    target = desk.target(action, who)
    review = (await desk.chart.writer.get(f"{desk.chart.url}/review")).json()
    known = review["id"] if action == "assign" else target["id"]
    before = (await evidence.records(known)).audit
    status, answer = await desk.attempt(desk.chart.agency.actors[who], action, target)
    assert status < 300, f"{who} could not {action}: {answer}"
    recorded: Any = RECORDED[verb_of(action)]
    if status == 202:  # kept as a late entry, which has an id of its own
        known, before, recorded = answer["id"], [], "held"
    after = await evidence.records(answer["id"] if verb_of(action) == "declare" else known)
    verb = recorded[desk.path] if isinstance(recorded, dict) else recorded
    assert [event["action"].rpartition(".")[2] for event in after.audit[len(before) :]] == [verb], f"{who} {action}"
    assert after.outbox[-1]["payload"]["action"].rpartition(".")[2] == verb
    amended = await evidence.amendments(known)
    assert len(amended) == (desk.chart.head["status"] == "completed" and bool(given(action)) and verb != "voided")


@pytest.mark.parametrize("state", STATES)
async def test_reads(agency: Agency, evidence: Evidence, anonymous: Actor, state: str) -> None:
    """Billing reads all that the crew does; the founder nothing; reading changes nothing."""
    chart = await Chart.open(agency)
    rows = dict(READS)
    for kind in CHILDREN:
        rows[chart.at(kind, await chart.add(kind)).removeprefix(chart.url)] = Row(READERS, EVERYBODY)
    stored = []
    for path in PATHS:
        entry = await declare(chart, path)
        assert (await send(chart, entry, content_of(path))).status_code == 204
        await fire(chart, path, entry)
        stored.append(at(chart, path, entry).removeprefix(chart.url))
    rows |= {place: Row(READERS, EVERYBODY) for place in stored}
    await chart.advance(state)
    before = await evidence.digest(agency.tenant_id)
    addresses = {f"{chart.url}{place}": row for place, row in rows.items()}
    addresses[INCIDENTS] = Row(READERS, EVERYBODY)
    addresses[f"{INCIDENTS}?include_deleted=true"] = Row(("admin",), EVERYBODY)
    addresses["ems/review-queue"] = Row(REVIEWERS, EVERYBODY)
    for url, row in addresses.items():
        await anonymous.expect(401, "GET", url)
        for who in PEOPLE:
            status, answer = _told(await agency.actors[who].get(url))
            refusal = row.refusal(who, state)
            assert problem_of(status, answer) == ((refusal, CODES[refusal]) if refusal else None), f"{who} {url}"
    assert await evidence.digest(agency.tenant_id) == before
    for place in stored:
        await anonymous.expect(401, "GET", f"{chart.url}{place}/download")
        for who in PEOPLE:
            await agency.actors[who].expect(200 if who in READERS else 403, "GET", f"{chart.url}{place}/download")


def test_no_route_is_forgotten(app: FastAPI) -> None:
    """A new route of the chart fails here until a table says who may use it when."""
    incident = f"/api/v1/{INCIDENTS}/{{incident_id}}"
    known = {("GET", f"/api/v1/{INCIDENTS}"), ("POST", f"/api/v1/{INCIDENTS}"), ("GET", "/api/v1/ems/review-queue")}
    known.add(("POST", f"/api/v1/{INCIDENTS}/search"))  # a disclosure, with tests of its own
    known |= {("GET", f"{incident}{place.partition('?')[0]}") for place in READS}
    known |= {("PATCH", incident), ("DELETE", incident), ("POST", f"{incident}/restore")}
    known |= {("POST", f"{incident}/transitions"), ("POST", f"{incident}/sync"), ("POST", f"{incident}/moves")}
    known |= {("PATCH", f"{incident}/review")}
    known |= {("POST", f"{incident}/review-comments/{{comment_id}}/transitions")}
    known |= {("POST", f"{incident}/late-entries/{{late_entry_id}}/transitions")}
    known |= {("GET", f"{incident}{place}") for place in DISCLOSURES}
    for path in (*(kind.path for kind in CHILDREN), *PATHS):
        one = f"{incident}/{path}/{{child_id}}"
        known |= {("POST", f"{incident}/{path}"), ("GET", one), ("DELETE", one), ("POST", f"{one}/restore")}
        known |= {("POST", f"{one}/transitions"), ("GET", f"{one}/download")} if path in PATHS else {("PATCH", one)}
    routes = {
        (method, str(route.path))
        for route in iter_route_contexts(app.routes)
        for method in getattr(route, "methods", None) or ()
        if str(getattr(route, "path", "")).startswith((f"/api/v1/{INCIDENTS}", "/api/v1/ems/review"))
    }
    assert routes == known


def test_billing_and_founder_write_nothing() -> None:
    rows = [(row, state) for path in WRITES for state in STATES for row in tried(path, state).values()]
    assert all(row.refusal(who, state) == 403 for row, state in rows for who in ("biller", "founder"))
