"""history?as_of= shows the chart as it stood; without, who made which version of what."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from app.core.runtime import Runtime
from app.ems.content.snapshots import entity_of
from app.ems.vitals.models import Vital
from tests.architecture.queries import counted
from tests.ems.charts import CHILDREN, INCIDENT, INCIDENTS, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, attach, declare, sign
from tests.support.actors import Agency
from tests.support.media import SAMPLES

T = TypeVar("T")
UPLOADS = ("signatures", "attachments")
LISTS = ("patients", "vitals", "interventions", "narratives", "element_groups", "crew")
REASON = "Recorded for the wrong patient."
CHANGES: dict[str, list[dict[str, Any]]] = {
    INCIDENT.noun: [{"location_street": "2 Elm St"}, {"location_latitude": "39.8", "location_longitude": "-89.65"}],
    PATIENT.noun: [{"date_of_birth": "1980-02-29"}, {"last_name": "Brooks"}, {"age": 46, "age_unit": "years"}],
    VITAL.noun: [{"temperature_c": "37.0"}, {"etco2": "35.5", "etco2_unit": "mmHg"}, {"heart_rate": None}],
    INTERVENTION.noun: [{"outcome": "improved"}, {"performed_at": "2026-03-01T10:05:00-06:00"}],
    NARRATIVE.noun: [{"structured_json": {"a": 1.0, "b": [True, None]}}, {"narrative_text": "Änderung"}],
}


async def chart_now(chart: Chart, who: str = "admin") -> dict[str, Any]:
    whole: dict[str, Any] = await chart.agency.actors[who].expect(200, "GET", f"{chart.url}/chart")
    return whole


async def as_of(chart: Chart, moment: str | dt.datetime, who: str = "admin", status: int = 200) -> Any:
    text = moment if isinstance(moment, str) else moment.isoformat()
    return await chart.agency.actors[who].expect(status, "GET", f"{chart.url}/history", params={"as_of": text})


async def instant(evidence: Evidence) -> dt.datetime:
    """By the clock that stamps revisions."""
    moment: dt.datetime = await evidence.connection.fetchval("SELECT clock_timestamp()")
    return moment


async def test_the_whole_chart_holds_what_the_single_requests_answer(chart: Chart) -> None:
    entries = [await chart.add(kind) for kind in CHILDREN]
    gone = await chart.add(VITAL)
    await declare(chart)
    await sign(chart)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, gone), params={"version": 1})
    for who in ("medic", "supervisor", "admin", "biller"):
        whole = await chart_now(chart, who)
        assert list(whole) == ["incident", *LISTS, *UPLOADS]
        assert whole["incident"] == await chart.agency.actors[who].expect(200, "GET", chart.url)
        for kind, name, entry in zip(CHILDREN, LISTS, entries, strict=True):
            listed = await chart.writer.expect(200, "GET", chart.at(kind), params={"sort": "created_at"})
            assert whole[name] == listed["items"]
            assert entry in whole[name] and gone not in whole[name]
        for path in UPLOADS:
            listed = await chart.agency.actors[who].expect(200, "GET", f"{chart.url}/{path}")
            assert whole[path] == listed["items"] != []


async def test_as_of_shows_each_state_that_the_chart_had(chart: Chart, evidence: Evidence) -> None:
    opened = await instant(evidence)
    seen = [(opened, await chart_now(chart))]
    for kind in CHILDREN:
        entry = await chart.add(kind)
        seen.append((await instant(evidence), await chart_now(chart)))
        entry = await chart.revise(kind, entry, **kind.change)
        seen.append((await instant(evidence), await chart_now(chart)))
        await chart.writer.expect(204, "DELETE", chart.at(kind, entry), params={"version": 2})
        seen.append((await instant(evidence), await chart_now(chart)))
        await chart.agency.admin.expect(200, "POST", f"{chart.at(kind, entry)}/restore", json={"version": 3})
        seen.append((await instant(evidence), await chart_now(chart)))
    for action, who in (("start", "medic"), ("submit_for_review", "medic"), ("complete", "supervisor")):
        await chart.fire(action, who)
        seen.append((await instant(evidence), await chart_now(chart)))
    for moment, whole in seen:
        assert await as_of(chart, moment) == whole
    assert await as_of(chart, "2099-12-31T00:00:00Z") == seen[-1][1]
    await as_of(chart, "1999-12-31T00:00:00Z", status=404)
    for text in ("yesterday", "2026-03-01", "0", "2026-03-01T10:00:00", ""):
        await as_of(chart, text, status=422)
    for more in ({"limit": 5}, {"entity_id": chart.id}, {"sort": "created_at"}, {"cursor": "x"}):
        params = {"as_of": "2099-12-31T00:00:00Z", **more}
        await chart.writer.expect(422, "GET", f"{chart.url}/history", params=params)


async def test_a_chart_that_was_deleted_then_is_not_found_then(chart: Chart, evidence: Evidence) -> None:
    await chart.writer.expect(204, "DELETE", chart.url, params={"version": 1, "reason": "Test call."})
    deleted = await instant(evidence)
    await as_of(chart, "2099-12-31T00:00:00Z", status=404)
    await chart.agency.admin.expect(200, "POST", f"{chart.url}/restore", json={"version": 2})
    await as_of(chart, deleted, status=404)
    assert (await as_of(chart, "2099-12-31T00:00:00Z")) == await chart_now(chart)


async def test_versions_say_who_changed_what_and_when(chart: Chart, evidence: Evidence) -> None:
    vital = await chart.add(VITAL)
    await chart.agency.partner.expect(200, "PATCH", chart.at(VITAL, vital), json={"version": 1, **VITAL.change})
    await chart.advance("completed")
    body = {"version": 2, "spo2": 97, "reason": REASON}
    await chart.agency.admin.expect(200, "PATCH", chart.at(VITAL, vital), json=body)
    people = {
        (await actor.expect(200, "GET", "auth/me"))["id"]: name
        for name, actor in chart.agency.actors.items()
        if name != "founder"
    }
    page = await chart.agency.biller.expect(200, "GET", f"{chart.url}/history", params={"sort": "created_at"})
    told = [(row["entity"], row["version"], row["action"], people[row["actor_user_id"]]) for row in page["items"]]
    assert told == [
        ("incident", 1, "incident.created", "medic"),
        ("patient", 1, "patient.created", "medic"),
        ("vital", 1, "vital.created", "medic"),
        ("vital", 2, "vital.revised", "partner"),
        ("incident", 2, "incident.started", "medic"),
        ("incident", 3, "incident.submitted_for_review", "medic"),
        ("incident", 4, "incident.completed", "supervisor"),
        ("vital", 3, "vital.amended", "admin"),
    ]
    assert (page["items"][-1]["reason"], page["items"][-1]["changed"]) == (REASON, ["spo2"])
    assert page["items"][3]["changed"] == list(VITAL.change)
    for row in page["items"]:
        whole = await as_of(chart, row["at"])
        assert {row["entity_id"]: row["version"]}.items() <= {
            entry["id"]: entry["version"] for entry in (whole["incident"], *whole["patients"], *whole["vitals"])
        }.items()
    of_vital = await chart.writer.expect(200, "GET", f"{chart.url}/history", params={"entity_id": vital["id"]})
    assert [row["version"] for row in of_vital["items"]] == [3, 2, 1]
    paged: list[dict[str, Any]] = []
    cursor: str | None = None
    while cursor is not None or not paged:
        params = {"limit": 3, "sort": "created_at", **({"cursor": cursor} if cursor else {})}
        part = await chart.writer.expect(200, "GET", f"{chart.url}/history", params=params)
        paged += part["items"]
        cursor = part["next_cursor"]
    assert paged == page["items"]


async def test_another_agency_and_other_roles_see_nothing(chart: Chart, found: Any) -> None:
    other = await found()
    for place in (
        "chart",
        "history",
        "history?as_of=2099-12-31T00:00:00Z",
        "timeline",
        "amendments",
        "review-comments",
    ):
        await other.admin.expect(404, "GET", f"{chart.url}/{place}")
        await chart.agency.admin.expect(404, "GET", f"{INCIDENTS}/{uuid.uuid4()}/{place}")
        await chart.agency.founder.expect(403, "GET", f"{chart.url}/{place}")
        await chart.agency.biller.expect(200, "GET", f"{chart.url}/{place}")


async def test_a_large_chart_costs_as_many_statements_as_a_small_one(chart: Chart, runtime: Runtime) -> None:
    places = {"chart": 12, "history": 6, "history?as_of=2099-12-31T00:00:00Z": 5, "timeline": 9}
    for kind in CHILDREN[1:]:
        await chart.add(kind)
    for place in places:
        await chart.writer.expect(200, "GET", f"{chart.url}/{place}")  # the driver asks about types once
    for _ in range(2):
        for place, expected in places.items():
            async with counted(runtime.database) as statements:
                await chart.writer.expect(200, "GET", f"{chart.url}/{place}")
            assert len(statements) == expected, (place, statements)
        changes = []
        for kind in [kind for kind in CHILDREN[1:] for _ in range(12)]:
            await chart.ready(kind)
            data = chart.body(kind)
            changes.append({"kind": kind.entity_type, "op": "create", "id": str(uuid.uuid4()), "data": data})
        await chart.writer.expect(200, "POST", f"{chart.url}/sync", json={"changes": changes})


async def test_500_vitals_and_200_interventions_open_in_as_many_statements(
    chart: Chart, runtime: Runtime, evidence: Evidence
) -> None:
    """With signatures to compare and attachments, too."""
    copied = (
        "INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*"
        " FROM {table} AS t, generate_series(1, $2) WHERE t.id = $1::text::uuid"
    )
    vital, intervention = await chart.add(VITAL), await chart.add(INTERVENTION)
    costs = []
    await sign(chart, **ATTESTED)
    for entry, table, more in ((vital, "vitals", 499), (intervention, "interventions", 199)):
        await sign(chart)
        await attach(chart, SAMPLES["application/pdf"], "application/pdf")
        await chart_now(chart)  # the driver asks about types once
        async with counted(runtime.database) as statements:
            await chart_now(chart)
        costs.append(len(statements))
        await evidence.connection.execute(copied.format(table=table), entry["id"], more)
    async with counted(runtime.database) as statements:
        whole = await chart_now(chart)
    assert [*costs, len(statements)] == [13, 13, 13]
    assert {name: len(whole[name]) for name in ("vitals", "interventions", "signatures", "attachments")} == {
        "vitals": 500, "interventions": 200, "signatures": 3, "attachments": 2,
    }  # fmt: skip
    attested = whole["signatures"][0]
    assert (attested["covers_current_chart"], len(attested["changed_since"])) == (False, 698)


async def test_whoever_reads_a_chart_in_any_of_these_ways_is_in_the_access_log(
    agency: Agency, evidence: Evidence
) -> None:
    """Snapshots too: nothing of a chart is shown past the repositories."""
    chart = await Chart.open(agency)
    vital = await chart.add(VITAL)
    await chart.advance("completed")
    body = {"version": 1, "heart_rate": 90, "reason": REASON}
    await agency.admin.expect(200, "PATCH", chart.at(VITAL, vital), json=body)
    shown = {
        "chart": {"incident", "patient", "vital"},
        "history?as_of=2099-12-31T00:00:00Z": {"incident", "patient", "vital"},
        "timeline": {"incident", "vital"},
        "amendments": {"incident", "vital"},
    }
    for place, categories in shown.items():
        await agency.biller.expect(200, "GET", f"{chart.url}/{place}")
        [row] = await evidence.connection.fetch(
            "SELECT incident_id, categories FROM access_log WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1",
            agency.tenant_id,
        )
        assert (str(row["incident_id"]), set(row["categories"]) >= categories) == (chart.id, True), place


def test_a_snapshot_of_an_older_table_is_read_with_defaults_for_its_new_columns() -> None:
    snapshot = {
        "id": str(uuid.uuid4()), "tenant_id": str(uuid.uuid4()), "incident_id": str(uuid.uuid4()),
        "patient_id": str(uuid.uuid4()), "taken_at": "2026-03-01T10:00:00.25-06:00", "etco2": 35.0, "dropped": 1,
        "version": 3, "created_at": "2026-03-01T16:00:00+00:00", "updated_at": "2026-03-01T16:00:00+00:00",
        "deleted_at": None,
    }  # fmt: skip
    vital = entity_of(Vital, snapshot)
    assert (str(vital.etco2), vital.heart_rate, vital.elements, vital.version) == ("35.0", None, {}, 3)
    assert vital.taken_at == dt.datetime(2026, 3, 1, 16, 0, 0, 250000, dt.UTC)


def machine_of(agency: Agency, evidence: Evidence, loop: asyncio.AbstractEventLoop) -> type[RuleBasedStateMachine]:
    """Random edits; after each, the answer to GET and the time. In the end the history must give every answer again."""

    def wait(awaited: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(awaited, loop).result(30)

    kinds, numbers = st.sampled_from(CHILDREN[1:4]), st.integers(0, 9)

    class HistoryMachine(RuleBasedStateMachine):
        @initialize()
        def open_chart(self) -> None:
            self.chart = wait(Chart.open(agency))
            self.entries: list[tuple[Kind, dict[str, Any]]] = [(PATIENT, self.chart.patient)]
            self.seen: list[tuple[dt.datetime, dict[str, Any]]] = []
            self.look()

        def look(self) -> None:
            self.seen.append((wait(instant(evidence)), wait(chart_now(self.chart))))

        @rule(kind=kinds)
        def create(self, kind: Kind) -> None:
            self.entries.append((kind, wait(self.chart.add(kind))))
            self.look()

        @rule(number=numbers, change=numbers)
        def revise(self, number: int, change: int) -> None:
            kind, entry = self.entries[number % len(self.entries)]
            if entry["deleted_at"] is None:
                fields = CHANGES[kind.noun][change % len(CHANGES[kind.noun])]
                entry.update(wait(self.chart.revise(kind, entry, **fields)))
                self.look()

        @rule(change=numbers)
        def revise_head(self, change: int) -> None:
            wait(self.chart.reload())
            fields = CHANGES[INCIDENT.noun][change % len(CHANGES[INCIDENT.noun])]
            wait(self.chart.revise(INCIDENT, self.chart.head, **fields))
            self.look()

        @precondition(lambda self: len(self.entries) > 1)
        @rule(number=numbers)
        def delete_or_restore(self, number: int) -> None:
            kind, entry = self.entries[1 + number % (len(self.entries) - 1)]
            url = self.chart.at(kind, entry)
            if entry["deleted_at"] is None:
                wait(self.chart.writer.expect(204, "DELETE", url, params={"version": entry["version"]}))
                entry.update(version=entry["version"] + 1, deleted_at="then")
            else:
                body = {"version": entry["version"]}
                entry.update(wait(agency.admin.expect(200, "POST", f"{url}/restore", json=body)))
            self.look()

        def teardown(self) -> None:
            for moment, whole in getattr(self, "seen", ()):
                assert wait(as_of(self.chart, moment)) == whole

    return HistoryMachine


async def check_history(agency: Agency, evidence: Evidence, *, examples: int, steps: int, derandomize: bool) -> None:
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


async def test_history_gives_every_answer_again(agency: Agency, evidence: Evidence) -> None:
    await check_history(agency, evidence, examples=8, steps=15, derandomize=True)


@pytest.mark.long
async def test_history_gives_every_answer_again_for_long(agency: Agency, evidence: Evidence) -> None:
    await check_history(agency, evidence, examples=150, steps=50, derandomize=False)
