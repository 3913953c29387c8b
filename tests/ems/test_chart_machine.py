"""One chart under everybody's hands for many steps, against the model: entries, signatures, attachments, amendments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from tests.core.reference.records import PERSON
from tests.ems.chart_model import (
    ABOUT_NOBODY,
    BODIES,
    CHARTERS,
    CONFLICT,
    FORBIDDEN,
    INVALID,
    MOVES,
    NOT_FOUND,
    PATHS,
    PEOPLE,
    REFUSED,
    RELEVANT,
    SIGNERS,
    UPLOADS,
    VALUES,
    ChartModel,
    Entry,
    Late,
    Outcome,
    Upload,
)
from tests.ems.charts import INCIDENTS
from tests.ems.evidence import Evidence
from tests.ems.uploads import SIGNED, declared
from tests.support.actors import Agency
from tests.support.media import SAMPLES, SVG

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., None])
ROUTE = ("start", "submit_for_review", "complete", "lock")
GOOD = {"attachments": (SAMPLES["image/jpeg"], "image/jpeg"), "signatures": (SVG, "image/svg+xml")}
BAD = (b"<html>no picture</html>", "image/png")
REVIEW_QUEUE = "ems/review-queue?limit=200&sort=-created_at"
ALL = "include_deleted=true&sort=created_at&limit=200"


def why(given: bool) -> dict[str, str]:
    return {"reason": "Because."} if given else {}


def outcome_of(answer: httpx.Response) -> Outcome:
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code >= 400 else None


def charted(item: dict[str, Any], kind: str) -> dict[str, Any]:
    """What the model charts, as an answer shows it."""
    found = {
        name: item.get("elements", {}).get(name.removeprefix("elements."))
        if name.startswith("elements.")
        else item[name]
        for name in VALUES[kind]
    }
    return {name: value for name, value in found.items() if value is not None}


def machine_of(agency: Agency, evidence: Evidence, loop: asyncio.AbstractEventLoop) -> type[RuleBasedStateMachine]:
    """The machine works in a thread of its own; what it awaits runs on the app's loop."""

    def wait(awaited: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(awaited, loop).result(30)

    def call(who: str, method: str, url: str, body: Any = None) -> httpx.Response:
        return wait(agency.actors[who].request(method, url, json=body))

    people = st.sampled_from((*CHARTERS, *CHARTERS, *PEOPLE))
    restorers = st.sampled_from(("admin",) * 5 + PEOPLE)
    rarely, often = st.sampled_from((False, False, False, True)), st.sampled_from((False, True, True, True))
    numbers = st.integers(0, 30)

    intents: list[SearchStrategy[tuple[str, dict[str, Any]]]] = []

    def intent(times: int = 1, **drawn: SearchStrategy[Any]) -> Callable[[F], F]:
        """Instead of a rule: Hypothesis turns some of several rules off for a run, so that most would see few kinds."""

        def noted(method: F) -> F:
            name = method.__name__
            intents.extend(st.tuples(st.just(name), st.fixed_dictionaries(drawn)) for _ in range(times))
            return method

        return noted

    class ChartMachine(RuleBasedStateMachine):
        @initialize(
            author=st.sampled_from(CHARTERS),
            moves=st.sampled_from((1, 3, 0, 2, 4, 1, 3)),
            strict=st.booleans(),
            outdated=rarely,
        )
        def open_chart(self, author: str, moves: int, strict: bool, outdated: bool) -> None:
            """A chart with an entry of each kind, attested by the crew, some way along its life."""
            tenant = call("admin", "GET", "tenants/current").json()
            wanted = {"version": tenant["version"], "require_crew_signature": strict}
            assert call("admin", "PATCH", "tenants/current", wanted).status_code == 200
            made = call(author, "POST", INCIDENTS, {"incident_number": "26-000001"}).json()
            head = Entry("incident", made["id"], {"incident_number": "26-000001"})
            self.model = ChartModel(author, head, strict)
            self.url = f"{INCIDENTS}/{made['id']}"
            for kind in PATHS:
                self.create(kind, author, False, 0)
            self.upload("signatures", author, "crew_attestation", 0, True, True, True)
            if outdated:
                self.revise(self.model.entries[1], author, 0, 1, False, False)
            for action in ROUTE[:moves]:
                able = [who for who in MOVES[action][2] if who != author or action == "lock"]
                self.move(action, able[0], False)

        def url_of(self, entry: Entry) -> str:
            path = entry.kind if isinstance(entry, Upload) else PATHS.get(entry.kind)
            return self.url if path is None else f"{self.url}/{path}/{entry.id}"

        def pick(self, number: int) -> Entry:
            """An entry of the chart, or an upload."""
            everything = [*self.model.entries, *self.model.uploads]
            return everything[number % len(everything)]

        def patient(self, number: int) -> Entry | None:
            patients = [entry for entry in self.model.entries if entry.kind == "patient"]
            return patients[number % len(patients)] if patients else None

        def able(self, who: str, reason: bool) -> tuple[str, bool]:
            """Somebody who may write to the chart now, if anybody may: chance alone would mostly meet refusals."""
            return ("admin", True) if self.model.status == "completed" or who not in CHARTERS else (who, reason)

        @intent(2, action=st.sampled_from(sorted(MOVES)), who=people, stale=rarely, number=numbers, fits=often)
        def move_on(self, action: str, who: str, stale: bool, number: int, fits: bool) -> None:
            if fits:
                actions = [name for name, (source, _, _) in MOVES.items() if source == self.model.status]
                action = actions[number % len(actions)]
                who = MOVES[action][2][number % len(MOVES[action][2])]  # the author, too, who reviews nothing
            self.move(action, who, stale)

        def move(self, action: str, who: str, stale: bool) -> None:
            body = {"action": action, "version": self.model.head.version + stale, "reason": "Because."}
            answer = call(who, "POST", f"{self.url}/transitions", body)
            assert outcome_of(answer) == (self.model.move(action, who, stale=stale) or (200, None))
            if answer.status_code == 200:
                found = answer.json()["status"], answer.json()["version"]
                assert found == (self.model.status, self.model.head.version)

        @intent(2, kind=st.sampled_from(sorted(PATHS)), who=people, about=numbers, reason=st.booleans(), fits=often)
        def create_one(self, kind: str, who: str, about: int, reason: bool, fits: bool) -> None:
            who, reason = self.able(who, reason) if fits else (who, reason)
            self.create(kind, who, reason, about)

        def create(self, kind: str, who: str, reason: bool, about: int) -> None:
            model, patient = self.model, None
            body = {**BODIES.get(kind, {}), **why(reason)}
            if kind == "crew":
                body["personnel_id"] = wait(PERSON.add(agency.admin))["id"]
            if kind not in ("patient", *ABOUT_NOBODY):
                patient = self.patient(about)
                if patient is None:
                    return
                body["patient_id"] = patient.id
            answer = call(who, "POST", f"{self.url}/{PATHS[kind]}", body)
            held = model.holds(who, kind)
            refusal = None if held else model.gate(who, reason=reason)
            if refusal is None and patient is not None and patient.deleted:
                refusal = REFUSED
            assert outcome_of(answer) == (refusal or (202 if held else 201, None))
            if refusal is None and held:
                entry = Entry(kind, answer.json()["entity_id"], {}, patient)
                model.late.append(Late(answer.json()["id"], entry, who, model.submitter))
            elif refusal is None:
                model.entries.append(Entry(kind, answer.json()["id"], {}, patient))
                model.amended(model.entries[-1], "created", 0)
                model.wrote(who, model.entries[-1], 0)

        @intent(2, number=numbers, who=people, admit=often)
        def decide(self, number: int, who: str, admit: bool) -> None:
            if not self.model.late:
                return
            late = self.model.late[number % len(self.model.late)]
            body = {"action": "admit" if admit else "refuse", "version": 1, "reason": "Because."}
            answer = call(who, "POST", f"{self.url}/late-entries/{late.id}/transitions", body)
            assert outcome_of(answer) == (self.model.decide(late, who, admit=admit) or (200, None))

        @intent(who=people, name=numbers, value=numbers, reason=st.booleans(), stale=rarely)
        def revise_head(self, who: str, name: int, value: int, reason: bool, stale: bool) -> None:
            self.revise(self.model.head, who, name, value, reason, stale)

        @intent(
            3, number=numbers, who=people, name=numbers, value=numbers, reason=st.booleans(), stale=rarely, fits=often
        )
        def revise_entry(
            self, number: int, who: str, name: int, value: int, reason: bool, stale: bool, fits: bool
        ) -> None:
            entries = self.model.entries
            who, reason = self.able(who, reason) if fits else (who, reason)
            self.revise(entries[number % len(entries)], who, name, value, reason, stale)

        def revise(self, entry: Entry, who: str, name: int, value: int, reason: bool, stale: bool) -> None:
            fields = sorted(VALUES[entry.kind])
            field = fields[name % len(fields)]
            new = VALUES[entry.kind][field][value % len(VALUES[entry.kind][field])]
            change: dict[str, Any] = {field: new}
            if field.startswith("elements."):
                change = {"elements": {field.removeprefix("elements."): new}}
            before = entry.version
            body = {"version": entry.version + stale, **change, **why(reason)}
            answer = call(who, "PATCH", self.url_of(entry), body)
            refusal = self.model.gate(who, reason=reason)
            if refusal is None and entry.deleted:
                refusal = NOT_FOUND
            elif refusal is None and stale:
                refusal = CONFLICT
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                entry.chart(field, new, "amended" if self.model.status == "completed" else "revised")
                self.model.amended(entry, "revised", before)
                self.model.wrote(who, entry, before)
                assert answer.json()["version"] == entry.version

        @intent(who=people, reason=st.booleans(), stale=rarely, hide=rarely)
        def delete_head(self, who: str, reason: bool, stale: bool, hide: bool) -> None:
            """Seldom: nothing else can happen to a chart that is gone."""
            if hide:
                self.delete_one(self.model.head, who, reason, stale)

        @intent(number=numbers, who=people, reason=st.booleans(), stale=rarely, fits=often)
        def delete(self, number: int, who: str, reason: bool, stale: bool, fits: bool) -> None:
            who, reason = self.able(who, reason) if fits else (who, reason)
            self.delete_one(self.pick(number), who, reason, stale)

        def delete_one(self, entry: Entry, who: str, reason: bool, stale: bool) -> None:
            before, given = entry.version, "&reason=Because." if reason else ""
            answer = call(who, "DELETE", f"{self.url_of(entry)}?version={entry.version + stale}{given}")
            whole = entry is self.model.head
            refusal = self.model.erase(who, reason=reason) if whole else self.model.gate(who, reason=reason)
            if refusal is None and entry.deleted:
                refusal = NOT_FOUND
            elif refusal is None and stale:
                refusal = CONFLICT
            elif refusal is None and self.model.in_use(entry):
                refusal = 409, "ENTRY_IN_USE"
            assert outcome_of(answer) == (refusal or (204, None))
            if refusal is None:
                entry.hide(True)
                self.model.amended(entry, "deleted", before)
                if not whole:
                    self.model.wrote(who, entry, before)

        @intent(who=restorers, reason=st.booleans(), stale=rarely)
        def restore_head(self, who: str, reason: bool, stale: bool) -> None:
            """A head that is not deleted is restored to no effect, in any state."""
            model, head = self.model, self.model.head
            before, body = head.version, {"version": head.version + stale, **why(reason)}
            answer = call(who, "POST", f"{self.url}/restore", body)
            refusal: Outcome | None = FORBIDDEN
            if who == "admin":
                refusal = model.closed(who, reason=reason) if head.deleted else None
            if refusal is None and stale:
                refusal = CONFLICT
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                head.hide(False)
                model.amended(head, "restored", before)

        @intent(number=numbers, who=people, reason=often, stale=rarely)
        def restore(self, number: int, who: str, reason: bool, stale: bool) -> None:
            gone = [entry for entry in (*self.model.entries, *self.model.uploads) if entry.deleted]
            entry = gone[number % len(gone)] if gone else self.pick(number)
            before, body = entry.version, {"version": entry.version + stale, **why(reason)}
            answer = call(who, "POST", f"{self.url_of(entry)}/restore", body)
            refusal = self.model.gate(who, reason=reason)
            if refusal is None and stale:
                refusal = CONFLICT
            elif refusal is None and entry.patient is not None and entry.patient.deleted:
                refusal = REFUSED
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                entry.hide(False)
                self.model.amended(entry, "restored", before)
                self.model.wrote(who, entry, before)

        @intent(
            2,
            path=st.sampled_from(("attachments", "signatures", "signatures", "signatures")),
            who=people,
            code=st.sampled_from([*RELEVANT, "crew_attestation", "crew_attestation"]),
            about=numbers,
            whole=st.booleans(),
            good=often,
            finish=often,
        )
        def upload(self, path: str, who: str, code: str, about: int, whole: bool, good: bool, finish: bool) -> None:
            """Declare one, and mostly send it and complete it, too."""
            model, patient = self.model, self.patient(about)
            if whole and (path == "attachments" or code == "crew_attestation"):
                patient = None
            elif patient is None:
                return
            body: dict[str, Any] = declared(*(GOOD[path] if good else BAD))
            body["patient_id"] = None if patient is None else patient.id
            if path == "signatures":
                body = {**SIGNED, **body, "statement_code": code, "signer_role": SIGNERS.get(code, "patient")}
            answer = call(who, "POST", f"{self.url}/{path}", body)
            refusal = FORBIDDEN if who not in CHARTERS else NOT_FOUND if model.head.deleted else model.takes(path)
            if refusal is None and patient is not None and patient.deleted:
                refusal = REFUSED
            assert outcome_of(answer) == (refusal or (201, None))
            if refusal is not None:
                return
            made = Upload(path, answer.json()["id"], {}, patient, good=good, link=answer.json()["upload"])
            if path == "signatures":
                made.code, made.then = code, model.relevant(code, patient)
            model.uploads.append(made)
            if finish:
                self.send(made)
                self.finish(made, who, False)

        @intent(number=numbers)
        def send_one(self, number: int) -> None:
            unsent = [upload for upload in self.model.uploads if not upload.sent] or self.model.uploads
            self.send(unsent[number % len(unsent)])

        def send(self, upload: Upload) -> None:
            """The link leads to a place of its own, whatever became of the chart meanwhile; it is good once."""
            content, link = (GOOD[upload.kind] if upload.good else BAD)[0], upload.link
            client = agency.admin.client
            answer = wait(client.request(link["method"], link["url"], content=content, headers=link["headers"]))
            assert outcome_of(answer) == ((409, "LINK_USED") if upload.sent else (204, None))
            upload.sent = True

        @intent(number=numbers, who=people, stale=rarely)
        def finish_one(self, number: int, who: str, stale: bool) -> None:
            self.finish(self.model.uploads[number % len(self.model.uploads)], who, stale)

        def finish(self, upload: Upload, who: str, stale: bool) -> None:
            answer = call(
                who,
                "POST",
                f"{self.url_of(upload)}/transitions",
                {"action": "complete", "version": upload.version + stale},
            )
            refusal: Outcome | None = FORBIDDEN
            if who in CHARTERS:
                refusal = NOT_FOUND if self.model.head.deleted or upload.deleted else self.model.takes(upload.kind)
            if refusal is None and upload.status != "pending":
                refusal = INVALID
            elif refusal is None and (stale or not upload.sent):
                refusal = CONFLICT if stale else INVALID
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                upload.status = UPLOADS[upload.kind] if upload.good else "rejected"
                upload.log.append(upload.status)
                assert (answer.json()["status"], answer.json()["version"]) == (upload.status, upload.version)

        @intent(number=numbers, who=restorers, reason=often, stale=rarely)
        def void(self, number: int, who: str, reason: bool, stale: bool) -> None:
            signatures = [upload for upload in self.model.uploads if upload.kind == "signatures"]
            signature = signatures[number % len(signatures)]
            body = {"action": "void", "version": signature.version + stale, **why(reason)}
            answer = call(who, "POST", f"{self.url_of(signature)}/transitions", body)
            refusal: Outcome | None = FORBIDDEN
            if who in CHARTERS and (self.model.head.deleted or signature.deleted):
                refusal = NOT_FOUND
            elif who == "admin" and signature.status != "signed":
                refusal = INVALID
            elif who == "admin":
                refusal = self.model.closed(who, reason=True) if reason else REFUSED
                refusal = refusal or (CONFLICT if stale else None)
            assert outcome_of(answer) == (refusal or (200, None))
            if refusal is None:
                signature.status = "voided"
                signature.log.append("voided")

        @rule(intent=st.one_of(intents))
        def step(self, intent: tuple[str, dict[str, Any]]) -> None:
            name, drawn = intent
            before = self.changes()
            getattr(self, name)(**drawn)
            if self.changes() != before and not self.model.head.deleted:
                self.compare_signatures()

        def changes(self) -> int:
            model = self.model
            return sum(entry.version for entry in (model.head, *model.entries, *model.uploads))

        def teardown(self) -> None:
            if hasattr(self, "model"):
                self.compare_records()
                self.compare_answers()

        def compare_records(self) -> None:
            """Each effective change left one audit event, one outbox event and one revision; nothing else left any."""
            model = self.model
            everything = [model.head, *model.entries, *model.uploads]
            trails = wait(evidence.trails([entry.id for entry in everything]))
            for entry in everything:
                versions = list(range(1, entry.version + 1))
                assert trails[entry.id] == (entry.log, list(zip(versions, entry.log, strict=True)), versions)
            stored = [
                (str(row["entity_id"]), row["change"], row["base_version"], row["entity_version"])
                for row in wait(evidence.amendments_of_chart(model.head.id))
            ]
            assert stored == model.amendments

        def compare_answers(self) -> None:
            model = self.model
            if model.head.deleted:
                assert outcome_of(call("admin", "GET", self.url)) == NOT_FOUND
                return
            head = call("admin", "GET", self.url).json()
            assert (head["status"], head["version"]) == (model.status, model.head.version)
            assert charted(head, "incident") == model.head.charted()
            for path in sorted(set(PATHS.values())):
                entries = [entry for entry in model.entries if PATHS[entry.kind] == path]
                listed = call("admin", "GET", f"{self.url}/{path}?{ALL}").json()["items"]
                shown = [
                    (item["id"], item["version"], item["deleted_at"] is not None, charted(item, entry.kind))
                    for item, entry in zip(listed, entries, strict=True)
                ]
                assert shown == [(entry.id, entry.version, entry.deleted, entry.charted()) for entry in entries]
            self.compare_uploads("attachments")
            self.compare_signatures()
            told = call("admin", "GET", f"{self.url}/amendments?sort=created_at&limit=200").json()["items"]
            assert [(one["entity_id"], one["change"], one["version"]) for one in told] == [
                (entity_id, change, version) for entity_id, change, _, version in model.amendments
            ]
            review = call("admin", "GET", f"{self.url}/review")
            assert (review.json().get("status") if review.status_code == 200 else None) == model.review
            waiting = call("admin", "GET", REVIEW_QUEUE).json()["items"]
            assert [one["incident_id"] for one in waiting].count(model.head.id) == (model.review == "waiting")
            late = call("admin", "GET", f"{self.url}/late-entries?status=pending&sort=created_at&limit=200").json()[
                "items"
            ]
            assert [one["id"] for one in late] == [one.id for one in model.late]
            now = call("admin", "GET", f"{self.url}/history?as_of=2099-12-31T00:00:00Z")
            assert now.json() == call("admin", "GET", f"{self.url}/chart").json()

        def compare_uploads(self, path: str) -> list[dict[str, Any]]:
            uploads = [upload for upload in self.model.uploads if upload.kind == path]
            listed: list[dict[str, Any]] = call("admin", "GET", f"{self.url}/{path}?{ALL}").json()["items"]
            assert [(one["id"], one["version"], one["status"], one["deleted_at"] is not None) for one in listed] == [
                (upload.id, upload.version, upload.status, upload.deleted) for upload in uploads
            ]
            return listed

        def compare_signatures(self) -> None:
            """What every signature still covers equals the oracle's."""
            signatures = {upload.id: upload for upload in self.model.uploads}
            for one in self.compare_uploads("signatures"):
                expected = self.model.changes(signatures[one["id"]])
                found = {(item["id"], item["change"], tuple(item["fields"])) for item in one["changed_since"]}
                assert found == expected
                assert one["covers_current_chart"] is (one["status"] == "signed" and not expected)

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
    await check_model(agency, evidence, examples=40, steps=20, derandomize=True)


@pytest.mark.long
async def test_a_chart_obeys_the_model_for_long(agency: Agency, evidence: Evidence) -> None:
    await check_model(agency, evidence, examples=400, steps=60, derandomize=False)
