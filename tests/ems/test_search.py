"""Finding calls: by state, crew, time and patient; who may; what the logs keep; the plan under row-level security."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import orjson
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from app.core.clock import utcnow
from app.core.db.sql import CompiledStatement
from app.core.pagination import keyset
from app.core.runtime import Runtime
from app.core.text import name_key
from app.ems.search.repository import (
    FEW,
    FewPatientsIncidentRepository,
    FoundIncidentRepository,
    MatchingPatientRepository,
    beginning,
)
from app.ems.search.schemas import IncidentQuery, Sort
from tests.architecture.queries import counted
from tests.architecture.scratch import scratch_database
from tests.core.http.contract import expect_refusal
from tests.core.reference.records import PERSON
from tests.ems.charts import CREW, INCIDENTS, INTERVENTION, PATIENT, VITAL, Chart
from tests.support.actors import Actor, Agency
from tests.support.database import alembic_config

SEARCH = f"{INCIDENTS}/search"


async def found(actor: Actor, **search: Any) -> list[str]:
    """The charts on all pages of a search, in order."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = await actor.expect(200, "POST", SEARCH, json={**search, **({"cursor": cursor} if cursor else {})})
        ids += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids


async def listed(actor: Actor, **query: Any) -> list[str]:
    """The charts on all pages of the list, in order."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        params = {**query, **({"cursor": cursor} if cursor else {})}
        page = await actor.expect(200, "GET", INCIDENTS, params=params)
        ids += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids


async def call(agency: Agency, last_name: str | None, first_name: str | None = None, **patient: Any) -> Chart:
    """A chart whose patient has this name."""
    chart = await Chart.open(agency)
    await chart.revise(PATIENT, chart.patient, last_name=last_name, first_name=first_name, **patient)
    return chart


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Núñez-O'Brien", ["nunez", "NUÑEZ", "Núñez O'B", "nunezobrien", "nunez-obrien"]),
        ("Əliyeva", ["Əli", "eliy"]),
        ("Łukasiewicz", ["luka", "ŁUKA"]),
        ("Müller", ["mull", "MÜLLER"]),
        ("Großmann", ["gross", "Groß"]),
        ("Nguyễn", ["nguyen"]),
        ("De La Cruz", ["dela", "De La", "de  la cruz"]),
        ("Иванов", ["ivan", "Иван"]),
        ("Zzyzx", ["zz", "Z"]),
    ],
)
async def test_a_last_name_is_found_as_people_type_it(agency: Agency, name: str, typed: list[str]) -> None:
    chart = await call(agency, name)
    await call(agency, "Abbot")
    await call(agency, None)
    for text in typed:
        assert await found(agency.medic, last_name=text) == [chart.id], text
    assert await found(agency.medic, last_name=name + "x") == []


async def test_everything_about_the_patient_must_fit_one_patient(agency: Agency) -> None:
    couple = await call(agency, "Rivers", "Ana", date_of_birth="1957-03-14")
    await couple.add(PATIENT, last_name="Stone", first_name="Bea", date_of_birth="1960-01-01")
    other = await call(agency, "Rivera", "Beatriz", date_of_birth="1957-03-14")
    medic = agency.medic
    assert await found(medic, last_name="river") == [other.id, couple.id]
    assert await found(medic, last_name="river", first_name="bea") == [other.id]
    assert await found(medic, last_name="stone", first_name="ana") == []
    assert await found(medic, first_name="bea") == [other.id, couple.id]
    assert await found(medic, date_of_birth="1957-03-14") == [other.id, couple.id]
    assert await found(medic, date_of_birth="1960-01-01", last_name="S") == [couple.id]
    assert await found(medic, date_of_birth="1960-01-01", last_name="R") == []
    assert await found(medic, limit=1, last_name="river", sort="created_at") == [couple.id, other.id]


async def test_a_name_is_found_by_what_it_is_now(agency: Agency) -> None:
    chart = await call(agency, "Rivers")
    patient = (await chart.writer.expect(200, "GET", chart.at(PATIENT)))["items"][0]
    renamed = await chart.revise(PATIENT, patient, last_name="Brooks")
    assert (await found(agency.medic, last_name="rivers"), await found(agency.medic, last_name="brooks")) == (
        [],
        [chart.id],
    )
    unnamed = await chart.revise(PATIENT, renamed, last_name=None)
    assert await found(agency.medic, last_name="brooks") == []
    named = await chart.revise(PATIENT, unnamed, last_name="Brooks")
    query = {"version": named["version"]}
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, named), params=query)
    assert await found(agency.medic, last_name="brooks") == []
    restore = {"version": named["version"] + 1}
    await agency.admin.expect(200, "POST", f"{chart.at(PATIENT, named)}/restore", json=restore)
    assert await found(agency.medic, last_name="brooks") == [chart.id]


async def test_the_lists_filters_hold_in_a_search_too(agency: Agency) -> None:
    draft = await call(agency, "Rivers")
    started = await call(agency, "Rivers")
    await started.advance("in_progress")
    gone = await call(agency, "Rivers")
    query = {"version": gone.version, "reason": "opened twice"}
    await agency.medic.expect(204, "DELETE", gone.url, params=query)
    assert await found(agency.medic, last_name="riv") == [started.id, draft.id]
    assert await found(agency.medic, last_name="riv", status=["in_progress"]) == [started.id]
    assert await found(agency.medic, last_name="riv", status=["in_progress", "draft"]) == [started.id, draft.id]
    assert await found(agency.admin, last_name="riv", include_deleted=True) == [gone.id, started.id, draft.id]
    answer = await agency.medic.post(SEARCH, json={"last_name": "riv", "include_deleted": True})
    expect_refusal(answer, 403, "FORBIDDEN")
    assert await found(agency.medic) == [started.id, draft.id], "without anything about a patient it is the list"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"last_name": "!?"}, "last_name"),
        ({"first_name": "-"}, "first_name"),
        ({"status": []}, "status"),
        ({"status": "draft"}, "status"),
        ({"limit": "5"}, "limit"),
        ({"limit": 201}, "limit"),
        ({"sort": "last_name"}, "sort"),
        ({"cursor": "x"}, "cursor"),
        ({"date_of_birth": "14.03.1957"}, "date_of_birth"),
        ({"surname": "Rivers"}, "surname"),
    ],
)
async def test_what_cannot_be_searched_is_named(agency: Agency, body: dict[str, Any], field: str) -> None:
    details = expect_refusal(await agency.medic.post(SEARCH, json=body), 422, "VALIDATION_FAILED")
    assert [problem["field"] for problem in details["problems"]] == [field]


async def test_nobody_searches_without_the_right_or_elsewhere(
    agency: Agency, found: Callable[[], Awaitable[Agency]], admin_connection: asyncpg.Connection
) -> None:
    chart = await call(agency, "Rivers", date_of_birth="1957-03-14")
    stranger = await found()
    for body in ({"last_name": "Rivers"}, {"date_of_birth": "1957-03-14"}, {"created_by": [chart.head["created_by"]]}):
        page = await stranger.admin.expect(200, "POST", SEARCH, json=body)
        assert page == {"items": [], "next_cursor": None}
    refused = await agency.founder.post(SEARCH, json={"last_name": "Rivers"})
    expect_refusal(refused, 403, "FORBIDDEN")
    anonymous = await Actor(agency.medic.client).post(SEARCH, json={"last_name": "Rivers"})
    expect_refusal(anonymous, 401, "UNAUTHENTICATED")
    for tenant in (agency, stranger):
        shown = await admin_connection.fetchval(
            "SELECT count(*) FROM access_log WHERE tenant_id = $1 AND route LIKE '%/search'", tenant.tenant_id
        )
        assert shown == 0


async def test_both_logs_keep_a_search_and_no_value_of_it(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    chart = await call(agency, "Quackenbush", date_of_birth="1957-03-14")
    query = {"last_name": "quack", "date_of_birth": "1957-03-14"}
    assert await found(agency.biller, **query) == [chart.id]
    assert await found(agency.biller, last_name="nobody") == []
    events = await admin_connection.fetch(
        "SELECT * FROM audit_events WHERE tenant_id = $1 AND action = 'incident.searched' ORDER BY id", agency.tenant_id
    )
    kept = [orjson.loads(event["metadata_json"]) for event in events]
    assert [(one["fields"], one.get("incident_ids")) for one in kept] == [
        (["date_of_birth", "last_name"], [chart.id]),
        (["last_name"], None),
    ]
    [entry] = await admin_connection.fetch(
        "SELECT * FROM access_log WHERE tenant_id = $1 AND route LIKE '%/search'", agency.tenant_id
    )
    assert (str(entry["incident_id"]), entry["purpose"]) == (chart.id, "payment")
    assert set(entry["categories"]) == {"incident", "patient", "patient_search"}
    for text in ("quack", "Quack", "1957"):
        assert text not in str([dict(row) for row in (*events, entry)])


async def test_rows_name_the_patients(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    chart = await call(agency, "Rivers", "Ana", date_of_birth="1957-03-14")
    second = await chart.add(PATIENT, last_name="Stone")
    third = await chart.add(PATIENT, last_name="Brook")
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, third), params={"version": third["version"]})
    empty = await agency.medic.expect(201, "POST", INCIDENTS, json={"incident_number": "26-000002"})
    names = [
        {"id": chart.patient["id"], "last_name": "Rivers", "first_name": "Ana", "date_of_birth": "1957-03-14"},
        {"id": second["id"], "last_name": "Stone", "first_name": None, "date_of_birth": None},
    ]
    for reader in ("medic", "biller", "admin"):
        page = await agency.actors[reader].expect(200, "GET", INCIDENTS)
        assert [(item["id"], item["patients"]) for item in page["items"]] == [(empty["id"], []), (chart.id, names)]
    searched = await agency.medic.expect(200, "POST", SEARCH, json={"last_name": "Stone"})
    assert [item["patients"] for item in searched["items"]] == [names]
    [entry] = await admin_connection.fetch(
        "SELECT * FROM access_log WHERE tenant_id = $1 AND actor_role = 'billing'", agency.tenant_id
    )
    assert set(entry["categories"]) == {"incident", "patient"}
    assert {str(one) for one in entry["incident_ids"]} == {chart.id, empty["id"]}


async def test_the_key_of_a_name_is_in_no_answer_and_no_audit(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    chart = await call(agency, "Núñez", "Ána")
    answers = [
        await chart.writer.expect(200, "GET", address)
        for address in (chart.at(PATIENT), f"{chart.url}/chart", INCIDENTS)
    ]
    assert "nunez" not in str(answers) and "_key" not in str(answers)
    rows = await admin_connection.fetch("SELECT * FROM audit_events WHERE tenant_id = $1", agency.tenant_id)
    events = await admin_connection.fetch("SELECT * FROM outbox_events WHERE tenant_id = $1", agency.tenant_id)
    assert "nunez" not in str([*rows, *events]) and "name_key" not in str([*rows, *events])
    [stored] = await admin_connection.fetch(
        "SELECT last_name_key, first_name_key FROM patients WHERE id = $1::text::uuid", chart.patient["id"]
    )
    assert tuple(stored) == ("nunez", "ana")


async def test_calls_of_a_crew_and_of_a_time(agency: Agency) -> None:
    medic = agency.medic
    early = await Chart.open(agency, dispatch_time="2026-03-01T09:00:00-06:00")
    late = await Chart.open(agency, dispatch_time="2026-03-02T09:00:00-06:00")
    untimed = await Chart.open(agency)
    me = (await medic.expect(200, "GET", "auth/me"))["id"]
    person = await PERSON.add(agency.admin, user_id=me)
    other = await PERSON.add(agency.admin, licensure_id="P-2")
    aboard = await early.add(CREW, personnel_id=person["id"])
    await late.add(CREW, personnel_id=other["id"])
    assert await listed(medic, crew_user_id=me) == [early.id]
    assert await listed(medic, crew_personnel_id=other["id"]) == [late.id]
    assert await listed(medic, crew_personnel_id=[other["id"], person["id"]]) == [late.id, early.id]
    assert await listed(medic, crew_personnel_id=str(uuid.uuid4())) == []
    assert await found(medic, crew_user_id=[me]) == [early.id]
    await early.writer.expect(204, "DELETE", early.at(CREW, aboard), params={"version": aboard["version"]})
    assert await listed(medic, crew_user_id=me) == []

    day = {"dispatch_time_from": "2026-03-01T00:00:00-06:00", "dispatch_time_to": "2026-03-02T00:00:00-06:00"}
    assert await listed(medic, **day) == [early.id]
    assert await listed(medic, dispatch_time_to="2026-03-01T09:00:00-06:00") == []
    assert await listed(medic, dispatch_time_from="2026-03-01T09:00:00-06:00", limit=1) == [late.id, early.id]
    assert await listed(medic, sort="dispatch_time", limit=1) == [early.id, late.id, untimed.id]
    assert await listed(medic, sort="-dispatch_time", limit=2) == [untimed.id, late.id, early.id]
    opened = untimed.head["created_at"]
    assert await listed(medic, created_at_from=opened) == [untimed.id]
    assert await listed(medic, created_at_to=opened) == [late.id, early.id]


@pytest.mark.parametrize(
    ("kind", "column", "body"),
    [
        (VITAL, "taken_at", {"heart_rate": 80}),
        (INTERVENTION, "performed_at", dict(INTERVENTION.body)),
    ],
    ids=["vitals", "interventions"],
)
async def test_entries_by_the_time_at_which_they_were_done(
    chart: Chart, kind: Any, column: str, body: dict[str, Any]
) -> None:
    times = ["2026-03-01T10:10:00-06:00", "2026-03-01T10:05:00-06:00", "2026-03-01T10:15:00-06:00", None]
    made = [(await chart.add(kind, **{**body, column: time}))["id"] for time in times]
    other = await chart.add(PATIENT, last_name="Stone")

    async def entries(**query: Any) -> list[str]:
        page = await chart.writer.expect(200, "GET", chart.at(kind), params=query)
        return [item["id"] for item in page["items"]]

    assert await entries(sort=column) == [made[1], made[0], made[2], made[3]]
    assert await entries(sort=f"-{column}") == [made[3], made[2], made[0], made[1]]
    assert await entries(**{f"{column}_from": times[0]}) == [made[2], made[0]]
    assert await entries(**{f"{column}_to": times[0]}) == [made[1]]
    assert await entries(patient_id=[chart.patient["id"], other["id"]]) == made[::-1]
    assert await entries(patient_id=other["id"]) == []


@pytest.mark.parametrize("limit", [1, 3, 200])
@pytest.mark.parametrize("sort", ["created_at", "-dispatch_time"])
async def test_both_ways_of_finding_patients_find_the_same(
    agency: Agency, runtime: Runtime, limit: int, sort: Sort
) -> None:
    """Which way is taken depends on how many patients match. What is found does not."""
    for number, name in enumerate(("Rivers", "Rivera", "Stone", "Riverton", "River")):
        chart = await call(agency, name, date_of_birth="1957-03-14" if number % 2 else None)
        await chart.add(PATIENT, last_name="Rivers")
    principal = runtime.tokens.verify(agency.medic.token or "")
    for filters in (beginning("last_name_key", "river"), {"date_of_birth": dt.date(1957, 3, 14)}):
        walked = []
        for kind in (FoundIncidentRepository, FewPatientsIncidentRepository):
            query: IncidentQuery | None = IncidentQuery(limit=limit, sort=sort)
            ids: list[uuid.UUID] = []
            async with runtime.read_unit_of_work(principal) as uow:
                while query is not None:
                    page = await kind(uow).list_page(principal.tenant_id, query, **filters)
                    ids += [item.id for item in page.items]
                    more = page.next_cursor
                    query = None if more is None else IncidentQuery(limit=limit, sort=sort, cursor=more)
            walked.append(ids)
        assert walked[0] == walked[1] and len(walked[0]) == len(set(walked[0])) == (5 if len(filters) == 2 else 2)


async def test_many_matching_patients_are_counted_no_further_than_need_be(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    chart = await call(agency, "Rivers")
    await fill_patients(admin_connection, chart, FEW - 1, "rivers")
    principal = runtime.tokens.verify(agency.medic.token or "")
    one = beginning("last_name_key", "river")
    async with runtime.read_unit_of_work(principal) as uow:
        assert not await MatchingPatientRepository(uow).are_many(principal.tenant_id, one)
        assert await MatchingPatientRepository(uow).are_many(principal.tenant_id, {"status": ["draft"]})
    await fill_patients(admin_connection, chart, 1, "riverton")
    async with runtime.read_unit_of_work(principal) as uow:
        assert await MatchingPatientRepository(uow).are_many(principal.tenant_id, one)
        assert not await MatchingPatientRepository(uow).are_many(
            principal.tenant_id, one | {"first_name_key_from": "a"}
        )
    assert await found(agency.medic, last_name="river") == [chart.id]


async def test_a_search_costs_as_many_statements_however_much_it_finds(agency: Agency, runtime: Runtime) -> None:
    counts = []
    for _ in range(2):
        await call(agency, "Rivers")
        await call(agency, "Rivera")
        async with counted(runtime.database) as statements:
            page = await agency.medic.expect(200, "POST", SEARCH, json={"last_name": "river"})
        counts.append((len(page["items"]), len(statements)))
    assert [items for items, _ in counts] == [2, 4]
    assert counts[0][1] == counts[1][1] == 7, "begin, how many, charts, patients, both logs, commit"


async def fill_patients(connection: asyncpg.Connection, chart: Chart, number: int, key: str) -> None:
    """Further patients of a chart whose last names have this key, numbered."""
    await connection.execute(
        "INSERT INTO patients (id, tenant_id, incident_id, pcr_uuid, last_name, last_name_key)"
        " SELECT gen_random_uuid(), tenant_id, incident_id, gen_random_uuid(), 'Other', $2 || n"
        " FROM patients, generate_series(1, $3::integer) AS n WHERE id = $1::text::uuid",
        chart.patient["id"],
        key,
        number,
    )


async def plan_of(runtime: Runtime, agency: Agency, about: dict[str, str]) -> str:
    """The plan of the search's first page, asked for as the app's role under row-level security."""
    principal = runtime.tokens.verify(agency.medic.token or "")
    async with runtime.read_unit_of_work(principal) as uow:
        repository = FewPatientsIncidentRepository(uow)
        shape = tuple((name, False) for name in sorted(about))
        table = repository.plan.table
        query = keyset(
            repository._selected(shape, including_deleted=False), table.c.created_at, table.c.id,
            ascending=False, after=False,
        )  # fmt: skip
        statement = CompiledStatement(query)
        connection = await uow._connection()
        assert await connection.fetchval("SELECT current_user") == "fusionems_app"
        arguments = statement.arguments({**about, "tenant_id": principal.tenant_id, "limit": 51})
        rows = await connection.fetch(f"EXPLAIN (VERBOSE) {statement.sql}", *arguments)
        return "\n".join(row[0] for row in rows)


async def test_row_level_security_lets_the_index_find_names(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    """The range of the key is a condition of the index: its operators cannot leak, as `starts_with` might."""
    chart = await call(agency, "Rivers")
    await fill_patients(admin_connection, chart, 5000, "other")
    await admin_connection.execute("ANALYZE patients")
    plan = await plan_of(runtime, agency, beginning("last_name_key", name_key("Quint")))
    [condition] = [line for line in plan.splitlines() if "last_name_key >=" in line]
    assert condition.strip().startswith("Index Cond:"), plan
    assert "ix_patients_tenant_name" in plan and "Seq Scan on public.patients" not in plan
    leaky = await admin_connection.fetch(
        "SELECT proname FROM pg_proc WHERE proname IN ('text_ge', 'text_lt', 'date_eq', 'texteq') AND NOT proleakproof"
    )
    assert leaky == []


@pytest.mark.parametrize("after", [False, True], ids=["first page", "far page"])
async def test_a_list_in_order_of_dispatch_walks_its_index(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection, after: bool
) -> None:
    chart = await Chart.open(agency)
    await admin_connection.execute(
        "INSERT INTO incidents (id, tenant_id, created_by, status, incident_number, dispatch_time)"
        " SELECT gen_random_uuid(), tenant_id, created_by, 'draft', n::text, now() - n * interval '1 minute'"
        " FROM incidents, generate_series(1, 5000) AS n WHERE id = $1::text::uuid",
        chart.id,
    )
    await admin_connection.execute("ANALYZE incidents")
    principal = runtime.tokens.verify(agency.medic.token or "")
    async with runtime.read_unit_of_work(principal) as uow:
        repository = FoundIncidentRepository(uow)
        query = keyset(
            repository._selected((), including_deleted=False), repository._sort_key("dispatch_time"),
            repository.plan.table.c.id, ascending=False, after=after,
        )  # fmt: skip
        statement = CompiledStatement(query)
        place = {"after_at": utcnow() - dt.timedelta(days=2), "after_id": uuid.uuid4()}
        arguments = statement.arguments({"tenant_id": principal.tenant_id, "limit": 51, **place})
        connection = await uow._connection()
        rows = await connection.fetch(f"EXPLAIN {statement.sql}", *arguments)
    plan = "\n".join(row[0] for row in rows)
    assert "ix_incidents_tenant_dispatch_time" in plan and "Sort" not in plan, plan
    [condition] = [line for line in plan.splitlines() if "Index Cond:" in line]
    assert ("ROW(CASE" in condition) is after


def test_the_key_of_a_beginning_is_the_beginning_of_the_key() -> None:
    for name in ("Núñez-O'Brien", "Großmann", "Əliyeva", "x" * 300, "王小明"):
        key = name_key(name)
        assert len(key) <= 100 and key.isascii() and key == key.lower()
        for end in range(1, len(name)):
            assert key.startswith(name_key(name[:end])[:100]), name[:end]
    assert name_key("-' \u2019") == name_key("") == ""


def test_patients_that_were_there_before_have_their_keys(worker_id: str) -> None:
    """More of them than one batch of the migration has."""
    names = ["Núñez-O'Brien", "Иванов", "--", None]
    with scratch_database(f"names_{worker_id}") as database:
        config = alembic_config(database)
        command.upgrade(config, str(ScriptDirectory.from_config(config).get_revision("find").down_revision))

        async def chart() -> None:
            connection = await asyncpg.connect(database.admin)
            await connection.execute("SET session_replication_role = replica")  # patients alone, without their charts
            await connection.execute(
                "INSERT INTO patients (id, tenant_id, incident_id, pcr_uuid, last_name, first_name)"
                " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
                " ($1::text[])[n % 4 + 1], 'Ána' FROM generate_series(1, 5200) AS n",
                names,
            )
            await connection.close()

        async def keys() -> list[Any]:
            connection = await asyncpg.connect(database.admin)
            found = await connection.fetch(
                "SELECT last_name, last_name_key, first_name_key, count(*) FROM patients GROUP BY 1, 2, 3"
            )
            await connection.close()
            return [tuple(row) for row in found]

        asyncio.run(chart())
        command.upgrade(config, "find")
        wanted = {(name, None if name is None else name_key(name) or None, "ana", 1300) for name in names}
        assert set(asyncio.run(keys())) == wanted
