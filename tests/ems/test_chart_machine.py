"""One chart under everybody's hands for many steps, against a small model of what the directive allows (5.2, 1.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.ems.charts import INCIDENTS, OPEN_STATES, STATES
from tests.ems.evidence import Evidence
from tests.support.actors import Agency

T = TypeVar("T")
CHARTERS = ("medic", "partner", "supervisor", "admin")
PEOPLE = (*CHARTERS, "biller", "founder")
MOVES = {
    "start": ("draft", "in_progress", CHARTERS),
    "submit_for_review": ("in_progress", "ready_for_review", CHARTERS),
    "return_for_correction": ("ready_for_review", "in_progress", ("supervisor", "admin")),
    "complete": ("ready_for_review", "completed", ("supervisor", "admin")),
    "lock": ("completed", "locked", ("admin",)),
    "unlock": ("locked", "completed", ("admin",)),
}
REVIEWS = {"submit_for_review": "waiting", "return_for_correction": "returned", "complete": "completed"}
ROUTE = ("start", "submit_for_review", "complete", "lock")
FIELDS = {
    "incident": "location_street",
    "patients": "last_name",
    "vitals": "heart_rate",
    "narratives": "narrative_text",
}
VALUES: dict[str, list[Any]] = {
    "incident": ["1 Main St", "2 Main St", None],
    "patients": ["Rivers", "Brooks", None],
    "vitals": [60, 90, None],
    "narratives": ["Sitting.", "Supine.", None],
}
Outcome = tuple[int, str | None]


@dataclass
class Entry:
    """The model of one stored thing: `changes` counts the writes that had an effect, its creation included."""

    kind: str
    id: str
    value: Any
    patient: Entry | None = None
    version: int = 1
    deleted: bool = False
    changes: int = 1

    def write(self, value: Any, *, deleted: bool) -> None:
        if (value, deleted) != (self.value, self.deleted):
            self.value, self.deleted = value, deleted
            self.version += 1
            self.changes += 1


@dataclass
class ChartModel:
    author: str
    head: Entry
    status: str = "draft"
    review: str | None = None
    entries: list[Entry] = field(default_factory=list)
    completed: dict[str, int] = field(default_factory=dict)
    amendments: list[tuple[str, str, int, int]] = field(default_factory=list)

    def gate(self, who: str, *, reason: bool = False) -> Outcome | None:
        """Why `who` may not write to the chart now, or None."""
        if who not in CHARTERS:
            return 403, "FORBIDDEN"
        if self.head.deleted:
            return 404, "NOT_FOUND"
        return self.closed(who, reason=reason)

    def closed(self, who: str, *, reason: bool) -> Outcome | None:
        if self.status in OPEN_STATES:
            return None
        if self.status != "completed" or who != "admin":
            return 409, "CHART_NOT_EDITABLE"
        return None if reason else (422, "VALIDATION_FAILED")

    def complete(self) -> None:
        """What amendments are compared with, from now on."""
        self.completed = {entry.id: entry.version for entry in (self.head, *self.entries)}

    def amended(self, entry: Entry, change: str, before: int) -> None:
        if self.status == "completed" and entry.version != before:
            self.amendments.append((entry.id, change, self.completed.get(entry.id, 0), entry.version))

    def in_use(self, patient: Entry) -> bool:
        return any(entry.patient is patient and not entry.deleted for entry in self.entries)


def why(given: bool) -> dict[str, str]:
    return {"reason": "Because."} if given else {}


def outcome_of(answer: httpx.Response) -> Outcome:
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code >= 400 else None


def machine_of(agency: Agency, evidence: Evidence, loop: asyncio.AbstractEventLoop) -> type[RuleBasedStateMachine]:
    """The machine works in a thread of its own; what it awaits runs on the app's loop."""

    def wait(awaited: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(awaited, loop).result(30)

    def call(who: str, method: str, url: str, body: Any = None) -> httpx.Response:
        return wait(agency.actors[who].request(method, url, json=body))

    people, values = st.sampled_from((*CHARTERS, *CHARTERS, *PEOPLE)), st.integers(0, 2)
    restorers = st.sampled_from(("admin", "admin", *PEOPLE))
    rarely, entries = st.sampled_from((False, False, False, True)), st.integers(0, 30)

    class ChartMachine(RuleBasedStateMachine):
        @initialize(author=st.sampled_from(CHARTERS), moves=st.integers(0, len(ROUTE)))
        def open_chart(self, author: str, moves: int) -> None:
            """A chart with a patient and a vital, some way along its life."""
            made = call(author, "POST", INCIDENTS, {"incident_number": "26-000001"}).json()
            self.model = ChartModel(author, Entry("incident", made["id"], None))
            self.url = f"{INCIDENTS}/{made['id']}"
            self.create("patients", author, 0, 0, False)
            self.create("vitals", author, 0, 0, False)
            for action in ROUTE[:moves]:
                able = [who for who in MOVES[action][2] if who != author or action == "lock"]
                self.move(action, able[0], False)

        def url_of(self, entry: Entry) -> str:
            return self.url if entry.kind == "incident" else f"{self.url}/{entry.kind}/{entry.id}"

        def pick(self, number: int) -> Entry:
            return self.model.entries[number % len(self.model.entries)]

        @rule(action=st.sampled_from(sorted(MOVES)), who=people, stale=rarely)
        def move(self, action: str, who: str, stale: bool) -> None:
            model, head = self.model, self.model.head
            source, target, movers = MOVES[action]
            reviews = action in ("complete", "return_for_correction")
            body = {"action": action, "version": head.version + stale, "reason": "Because."}
            found = outcome_of(call(who, "POST", f"{self.url}/transitions", body))
            if who not in CHARTERS:
                assert found == (403, "FORBIDDEN")
            elif head.deleted:
                assert found == (404, "NOT_FOUND")
            elif who not in movers or (reviews and who == model.author):
                assert found == (403, "FORBIDDEN")
            elif model.status != source:
                assert found == (409, "INVALID_TRANSITION")
            elif stale:
                assert found == (409, "CONFLICT")
            else:
                assert found == (200, None)
                model.status = target
                head.version += 1
                head.changes += 1
                model.review = REVIEWS.get(action, model.review)
                if target == "completed":
                    model.complete()

        @rule(
            kind=st.sampled_from(["patients", "vitals", "narratives"]),
            who=people,
            value=values,
            about=entries,
            reason=st.booleans(),
        )
        def create(self, kind: str, who: str, value: int, about: int, reason: bool) -> None:
            model, patient = self.model, None
            body = {FIELDS[kind]: VALUES[kind][value], **why(reason)}
            patients = [entry for entry in model.entries if entry.kind == "patients"]
            if kind != "patients":
                if not patients:
                    return
                patient = patients[about % len(patients)]
                body["patient_id"] = patient.id
            answer = call(who, "POST", f"{self.url}/{kind}", body)
            refusal = model.gate(who, reason=reason)
            if refusal is None and patient is not None and patient.deleted:
                refusal = 422, "VALIDATION_FAILED"
            assert outcome_of(answer) == (refusal or (201, None))
            if refusal is None:
                model.entries.append(Entry(kind, answer.json()["id"], VALUES[kind][value], patient))
                model.amended(model.entries[-1], "created", 0)

        @rule(who=people, value=values, reason=st.booleans(), stale=rarely)
        def revise_head(self, who: str, value: int, reason: bool, stale: bool) -> None:
            self.revise(self.model.head, who, value, reason, stale)

        @precondition(lambda self: self.model.entries)
        @rule(number=entries, who=people, value=values, reason=st.booleans(), stale=rarely)
        def revise_entry(self, number: int, who: str, value: int, reason: bool, stale: bool) -> None:
            self.revise(self.pick(number), who, value, reason, stale)

        def revise(self, entry: Entry, who: str, value: int, reason: bool, stale: bool) -> None:
            new = VALUES[entry.kind][value]
            body = {"version": entry.version + stale, FIELDS[entry.kind]: new}
            before = entry.version
            answer = call(who, "PATCH", self.url_of(entry), body | why(reason))
            refusal = self.model.gate(who, reason=reason)
            if refusal is None and entry.deleted:
                refusal = 404, "NOT_FOUND"
            elif refusal is None and stale:
                refusal = 409, "CONFLICT"
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                entry.write(new, deleted=False)
                self.model.amended(entry, "revised", before)
                assert answer.json()["version"] == entry.version

        @rule(who=people, reason=st.booleans(), stale=rarely, hide=rarely)
        def delete_head(self, who: str, reason: bool, stale: bool, hide: bool) -> None:
            """Seldom: nothing else can happen to a chart that is gone."""
            if hide:
                self.delete_one(self.model.head, who, reason, stale)

        @precondition(lambda self: self.model.entries)
        @rule(number=entries, who=people, reason=st.booleans(), stale=rarely)
        def delete(self, number: int, who: str, reason: bool, stale: bool) -> None:
            self.delete_one(self.pick(number), who, reason, stale)

        def delete_one(self, entry: Entry, who: str, reason: bool, stale: bool) -> None:
            before, given = entry.version, "&reason=Because." if reason else ""
            answer = call(who, "DELETE", f"{self.url_of(entry)}?version={entry.version + stale}{given}")
            refusal = self.model.gate(who, reason=reason)
            if refusal is None and entry.deleted:
                refusal = 404, "NOT_FOUND"
            elif refusal is None and stale:
                refusal = 409, "CONFLICT"
            elif refusal is None and self.model.in_use(entry):
                refusal = 409, "ENTRY_IN_USE"
            assert outcome_of(answer) == (refusal or (204, None))
            if refusal is None:
                entry.write(entry.value, deleted=True)
                self.model.amended(entry, "deleted", before)

        @rule(who=restorers, reason=st.booleans(), stale=rarely)
        def restore_head(self, who: str, reason: bool, stale: bool) -> None:
            """A head that is not deleted is restored to no effect, in any state."""
            model, head = self.model, self.model.head
            before, body = head.version, {"version": head.version + stale, **why(reason)}
            answer = call(who, "POST", f"{self.url}/restore", body)
            refusal: Outcome | None = (403, "FORBIDDEN")
            if who == "admin":
                refusal = model.closed(who, reason=reason) if head.deleted else None
            if refusal is None and stale:
                refusal = 409, "CONFLICT"
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                head.write(head.value, deleted=False)
                model.amended(head, "restored", before)

        @precondition(lambda self: self.model.entries)
        @rule(number=entries, who=restorers, reason=st.booleans(), stale=rarely)
        def restore(self, number: int, who: str, reason: bool, stale: bool) -> None:
            entry = self.pick(number)
            before, body = entry.version, {"version": entry.version + stale, **why(reason)}
            answer = call(who, "POST", f"{self.url_of(entry)}/restore", body)
            refusal = self.model.gate(who, reason=reason) if who == "admin" else (403, "FORBIDDEN")
            if refusal is None and stale:
                refusal = 409, "CONFLICT"
            elif refusal is None and entry.patient is not None and entry.patient.deleted:
                refusal = 422, "VALIDATION_FAILED"
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                entry.write(entry.value, deleted=False)
                self.model.amended(entry, "restored", before)

        def teardown(self) -> None:
            if hasattr(self, "model"):
                self.compare()

        def compare(self) -> None:
            """What is stored is what the model says, and each effective change left one record of each kind."""
            model = self.model
            for entry in (model.head, *model.entries):
                assert wait(evidence.records(entry.id)).counts() == (entry.changes,) * 3
                stored = [
                    (entry.id, row["change"], row["base_version"], row["entity_version"])
                    for row in wait(evidence.amendments(entry.id))
                ]
                assert stored == [amendment for amendment in model.amendments if amendment[0] == entry.id]
            if model.head.deleted:
                assert outcome_of(call("admin", "GET", self.url)) == (404, "NOT_FOUND")
                return
            self.compare_answers()

        def compare_answers(self) -> None:
            model = self.model
            head = call("admin", "GET", self.url).json()
            assert (head["status"], head["version"]) == (model.status, model.head.version)
            assert (head["location_street"], head["status"] in STATES) == (model.head.value, True)
            for kind in ("patients", "vitals", "narratives"):
                listed = call(
                    "admin", "GET", f"{self.url}/{kind}?include_deleted=true&sort=created_at&limit=200"
                ).json()
                assert [
                    (item["id"], item["version"], item["deleted_at"] is not None, item[FIELDS[kind]])
                    for item in listed["items"]
                ] == [(e.id, e.version, e.deleted, e.value) for e in model.entries if e.kind == kind]
            told = call("admin", "GET", f"{self.url}/amendments?sort=created_at&limit=200").json()["items"]
            assert [(one["entity_id"], one["change"], one["version"]) for one in told] == [
                (entity_id, change, version) for entity_id, change, _, version in model.amendments
            ]
            review = call("admin", "GET", f"{self.url}/review")
            assert (review.json().get("status") if review.status_code == 200 else None) == model.review
            waiting = call("admin", "GET", "ems/review-queue?limit=200&sort=-created_at").json()["items"]
            assert [one["incident_id"] for one in waiting].count(model.head.id) == (model.review == "waiting")
            now = call("admin", "GET", f"{self.url}/history?as_of=2099-12-31T00:00:00Z")
            assert now.json() == call("admin", "GET", f"{self.url}/chart").json()

    return ChartMachine


async def check_model(agency: Agency, evidence: Evidence, *, examples: int, steps: int, derandomize: bool) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=derandomize,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = machine_of(agency, evidence, asyncio.get_running_loop())
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)


async def test_a_chart_obeys_the_model(agency: Agency, evidence: Evidence) -> None:
    await check_model(agency, evidence, examples=25, steps=20, derandomize=True)


@pytest.mark.long
async def test_a_chart_obeys_the_model_for_long(agency: Agency, evidence: Evidence) -> None:
    await check_model(agency, evidence, examples=400, steps=60, derandomize=False)
