"""A sync saves what single requests would save, change by change, and says of each what became of it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest
import sqlalchemy.exc

from app.core.errors import ServiceUnavailable
from app.core.runtime import Runtime
from app.ems.entries.children import ChildService
from tests.architecture.queries import counted
from tests.ems.charts import CHILDREN, INCIDENT, INCIDENTS, KINDS, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.test_races import started, until_somebody_waits
from tests.support.actors import Actor, Agency


def creation(chart: Chart, kind: Kind, **fields: Any) -> dict[str, Any]:
    return {"kind": kind.entity_type, "op": "create", "id": str(uuid.uuid4()), "data": chart.body(kind, **fields)}


def patch(kind: Kind, entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    about = {"kind": kind.entity_type, "op": "patch", "id": entry["id"], "version": entry["version"]}
    return {**about, "data": fields or dict(kind.change)}


def deletion(kind: Kind, entry: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind.entity_type, "op": "delete", "id": entry["id"], "version": entry["version"]}


async def sync(chart: Chart, *changes: dict[str, Any], who: str = "medic") -> list[dict[str, Any]]:
    answer = await chart.agency.actors[who].expect(200, "POST", f"{chart.url}/sync", json={"changes": changes})
    results: list[dict[str, Any]] = answer["results"]
    assert [(result["kind"], result["op"], result["id"]) for result in results] == [
        (change["kind"], change["op"], change["id"]) for change in changes
    ]
    return results


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_each_kind_is_created_patched_and_deleted(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    """In one request, in order: a patch finds what was created before it."""
    await chart.ready(kind)
    made = creation(chart, kind)
    entry = {"id": made["id"], "version": 1}
    created, patched, deleted = await sync(chart, made, patch(kind, entry), deletion(kind, entry | {"version": 2}))
    assert [(one["outcome"], one["status"], one["version"]) for one in (created, patched, deleted)] == [
        ("saved", 201, 1), ("saved", 200, 2), ("saved", 204, 3),
    ]  # fmt: skip
    assert (created["resource"]["id"], created["resource"]["version"]) == (made["id"], 1)
    changed = {name: value for name, value in patched["resource"].items() if name in kind.change}
    assert deleted["resource"] is None and changed == dict(kind.change)
    records = await evidence.records(made["id"])
    assert [row["action"].partition(".")[2] for row in records.audit] == ["created", "revised", "deleted"]
    assert records.counts() == (3, 3, 3)
    assert len({row["request_id"] for row in records.audit}) == 1
    await chart.writer.expect(404, "GET", chart.at(kind, entry))


async def test_the_incident_is_patched_and_no_other(chart: Chart, evidence: Evidence) -> None:
    head = {"kind": "incident", "op": "patch", "id": chart.id, "version": chart.version}
    [saved] = await sync(chart, {**head, "data": {"location_street": "9 Elm St"}})
    assert saved["resource"] == await chart.reload()
    assert saved["resource"]["location_street"] == "9 Elm St"
    before = await evidence.digest(chart.agency.tenant_id)
    foreign = await Chart.open(chart.agency)
    before = await evidence.digest(chart.agency.tenant_id)
    [refused] = await sync(chart, {**head, "id": foreign.id, "version": 1, "data": {"location_street": "x"}})
    assert (refused["outcome"], refused["status"], refused["error"]["code"]) == ("refused", 404, "NOT_FOUND")
    [refused] = await sync(chart, {**head, "op": "delete"})
    assert (refused["status"], refused["error"]["details"]["problems"][0]["field"]) == (422, "op")
    [refused] = await sync(chart, {**head, "op": "create", "version": None, "data": dict(INCIDENT.body)})
    assert (refused["status"], refused["error"]["code"]) == (409, "ID_TAKEN")
    [refused] = await sync(
        chart, {**head, "op": "create", "id": str(uuid.uuid4()), "version": None, "data": INCIDENT.body}
    )
    assert (refused["status"], refused["error"]["details"]["problems"][0]["field"]) == (422, "id")
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_one_result_does_not_depend_on_another(chart: Chart, evidence: Evidence) -> None:
    vital = await chart.add(VITAL)
    newer = await chart.revise(VITAL, vital, heart_rate=101)
    stranger = str(uuid.uuid4())
    results = await sync(
        chart,
        creation(chart, VITAL, heart_rate=-1),
        patch(VITAL, vital, heart_rate=55),
        creation(chart, VITAL, patient_id=stranger),
        {"kind": "vital", "op": "delete", "id": stranger, "version": 1},
        patch(VITAL, newer, heart_rate=102),
    )
    assert [(one["outcome"], one["status"]) for one in results] == [
        ("refused", 422), ("conflict", 409), ("refused", 422), ("refused", 404), ("saved", 200),
    ]  # fmt: skip
    assert results[0]["error"]["details"]["problems"][0]["field"] == "heart_rate"
    assert results[2]["error"]["details"]["problems"][0]["code"] == "unknown_patient"
    assert (results[1]["server_version"], results[1]["updated_at"]) == (2, newer["updated_at"])
    assert results[1]["resource"] == newer
    assert results[4]["resource"]["heart_rate"] == 102
    assert (await evidence.records(vital["id"])).counts() == (3, 3, 3)
    listed = await chart.writer.expect(200, "GET", chart.at(VITAL))
    assert [item["id"] for item in listed["items"]] == [vital["id"]]


async def test_a_creation_sent_again_is_saved_again_and_makes_nothing(chart: Chart, evidence: Evidence) -> None:
    """By a sync or by the single request, first or second: it is the same creation."""
    made = creation(chart, VITAL)
    [first] = await sync(chart, made)
    body = {**made["data"], "id": made["id"]}
    before = await evidence.digest(chart.agency.tenant_id)
    [second] = await sync(chart, made)
    assert second == {**first, "status": 200}
    assert await chart.writer.expect(200, "POST", chart.at(VITAL), json=body) == first["resource"]
    [other] = await sync(chart, {**made, "data": {**made["data"], "heart_rate": 1}})
    assert (other["outcome"], other["error"]["code"], other["status"]) == ("refused", "ID_TAKEN", 409)
    assert await evidence.digest(chart.agency.tenant_id) == before
    single = chart.body(VITAL, id=str(uuid.uuid4()))
    await chart.writer.expect(201, "POST", chart.at(VITAL), json=single)
    data = {name: value for name, value in single.items() if name != "id"}
    [known] = await sync(chart, {"kind": "vital", "op": "create", "id": single["id"], "data": data})
    assert (known["outcome"], known["status"], known["version"]) == ("saved", 200, 1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
async def test_a_patch_whose_answer_was_lost_is_saved_again(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    entry = await chart.reload() if kind is INCIDENT else await chart.add(kind)
    change = patch(kind, entry)
    [first] = await sync(chart, change)
    assert (first["outcome"], first["version"]) == ("saved", 2)
    before = await evidence.digest(chart.agency.tenant_id)
    assert await sync(chart, change) == [first]
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_a_deletion_whose_answer_was_lost_is_saved_again(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    change = deletion(kind, await chart.add(kind))
    [first] = await sync(chart, change)
    assert (first["outcome"], first["status"], first["version"]) == ("saved", 204, 2)
    before = await evidence.digest(chart.agency.tenant_id)
    assert await sync(chart, change) == [first]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_an_amendment_whose_answer_was_lost_is_recorded_once(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "completed")
    reason = {"reason": "Typed into the wrong chart."}
    change = patch(PATIENT, chart.patient, first_name="Ana", **reason)
    first = await sync(chart, change, who="admin")
    assert await sync(chart, change, who="admin") == first
    assert len(await evidence.amendments(chart.patient["id"])) == 1


Meanwhile = tuple[str, str, dict[str, Any]]
_RATE: dict[str, Any] = {"heart_rate": 96}


@pytest.mark.parametrize(
    ("meanwhile", "op", "outcome"),
    [
        pytest.param([("partner", "PATCH", _RATE)], "patch", "conflict", id="another user's very change"),
        pytest.param([("medic", "PATCH", {"heart_rate": 97})], "patch", "conflict", id="own, another value"),
        pytest.param([("medic", "PATCH", {"respiratory_rate": 9})], "patch", "conflict", id="own, another field"),
        pytest.param([("medic", "PATCH", _RATE | {"elements": {}})], "patch", "saved", id="own, the same change"),
        pytest.param(
            [("medic", "PATCH", _RATE), ("partner", "PATCH", {"respiratory_rate": 9})], "patch", "saved",
            id="own, and something since",
        ),
        pytest.param(
            [("partner", "PATCH", {"respiratory_rate": 9}), ("medic", "PATCH", _RATE)], "patch", "conflict",
            id="own, on top of something else",
        ),
        pytest.param([("medic", "DELETE", {})], "patch", "conflict", id="own deletion"),
        pytest.param([("medic", "PATCH", _RATE), ("medic", "DELETE", {})], "patch", "saved", id="own, then deleted"),
        pytest.param(
            [("medic", "PATCH", _RATE), ("partner", "DELETE", {})], "patch", "conflict", id="own, deleted by another"
        ),
        pytest.param([("medic", "DELETE", {}), ("admin", "RESTORE", {})], "patch", "conflict", id="restored since"),
        pytest.param([("medic", "DELETE", {})], "delete", "saved", id="own deletion, deleted"),
        pytest.param([("partner", "DELETE", {})], "delete", "conflict", id="another user's deletion"),
        pytest.param([("medic", "PATCH", _RATE)], "delete", "conflict", id="own change, deleted"),
        pytest.param(
            [("medic", "PATCH", _RATE), ("medic", "DELETE", {})], "delete", "conflict",
            id="own deletion of another version",
        ),
        pytest.param(
            [("medic", "DELETE", {}), ("admin", "RESTORE", {})], "delete", "conflict", id="own deletion, restored"
        ),
    ],
)  # fmt: skip
async def test_what_counts_as_saved_before(
    chart: Chart, evidence: Evidence, meanwhile: list[Meanwhile], op: str, outcome: str
) -> None:
    """A device that saw version 1 sends its change, after what was done `meanwhile` at each next version."""
    vital = await chart.add(VITAL)
    for version, (who, method, fields) in enumerate(meanwhile, start=1):
        actor, at = chart.agency.actors[who], chart.at(VITAL, vital)
        if method == "DELETE":
            await actor.expect(204, "DELETE", at, params={"version": version})
        elif method == "RESTORE":
            await actor.expect(200, "POST", f"{at}/restore", json={"version": version})
        else:
            await actor.expect(200, "PATCH", at, json={"version": version, **fields})
    before = await evidence.digest(chart.agency.tenant_id)
    [result] = await sync(chart, patch(VITAL, vital, **_RATE) if op == "patch" else deletion(VITAL, vital))
    assert result["outcome"] == outcome
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_deletion_in_another_chart_is_none_of_this_one(chart: Chart) -> None:
    change = deletion(VITAL, await chart.add(VITAL))
    await sync(chart, change)
    other = await Chart.open(chart.agency)
    [result] = await sync(other, change)
    assert (result["outcome"], result["status"]) == ("refused", 404)


@pytest.mark.parametrize("change", [{"op": "create", "version": 1}, {"op": "patch"}, {"op": "delete"}])
async def test_a_change_without_its_version_holds_up_no_other(chart: Chart, change: dict[str, Any]) -> None:
    bad = {"kind": "vital", "id": str(uuid.uuid4()), "data": chart.body(VITAL), **change}
    first, refused, last = await sync(chart, creation(chart, VITAL), bad, creation(chart, VITAL))
    assert [first["outcome"], refused["outcome"], last["outcome"]] == ["saved", "refused", "saved"]
    assert (refused["status"], refused["error"]["details"]["problems"][0]["field"]) == (422, "version")


@pytest.mark.parametrize(
    ("change", "field", "shown"),
    [
        ({"op": "patch", "version": 0}, "version", {"kind": "vital", "op": "patch"}),
        ({"op": "restore", "version": 1}, "op", {"kind": "vital", "op": None}),
        ({"op": "create", "kind": "vitals"}, "kind", {"kind": None, "op": "create"}),
        ({"op": "create", "kind": ["Canary"]}, "kind", {"kind": None, "op": "create"}),
        ({"op": "create", "id": "Canary"}, "id", {"id": None}),
        ({"op": "create", "data": []}, "data", {"kind": "vital", "op": "create"}),
        ({"op": "create", "extra": "Canary"}, "extra", {"kind": "vital", "op": "create"}),
        ({"op": None, "Canary": 1}, "op", {"op": None}),
        ("Canary", "", {"kind": None, "op": None, "id": None}),
        (None, "", {"kind": None, "op": None, "id": None}),
    ],
)
async def test_a_change_that_makes_no_sense_refuses_itself_alone(
    chart: Chart, evidence: Evidence, change: Any, field: str, shown: dict[str, Any]
) -> None:
    """Its place in the list says which it is; what could be read of it is shown, and nothing else is echoed."""
    first, last = creation(chart, VITAL), creation(chart, VITAL)
    about = {"kind": "vital", "id": str(uuid.uuid4()), "data": chart.body(VITAL)}
    bad = {**about, **change} if isinstance(change, dict) else change
    body = {"changes": [first, bad, last]}
    answer = await chart.writer.expect(200, "POST", f"{chart.url}/sync", json=body)
    saved, refused, also = answer["results"]
    assert (saved["outcome"], also["outcome"]) == ("saved", "saved")
    assert (refused["outcome"], refused["status"], refused["error"]["code"]) == ("refused", 422, "VALIDATION_FAILED")
    assert field in [problem["field"] for problem in refused["error"]["details"]["problems"]]
    assert {name: refused[name] for name in shown} == shown
    assert "Canary" not in str(answer)
    listed = await chart.writer.expect(200, "GET", chart.at(VITAL))
    assert {item["id"] for item in listed["items"]} == {first["id"], last["id"]}


async def test_a_refusal_names_a_hundred_problems_at_most(chart: Chart) -> None:
    [refused] = await sync(chart, creation(chart, NARRATIVE, **{f"field_{number}": 1 for number in range(150)}))
    details = refused["error"]["details"]
    assert (len(details["problems"]), details["problems_omitted"]) == (100, 50)


async def test_a_request_that_is_no_list_of_changes_is_refused(chart: Chart, evidence: Evidence) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    good = creation(chart, VITAL)
    bodies: list[Any] = [
        {"changes": []},
        {"changes": [good] * 101},
        {"changes": None},
        {"changes": {}},
        {},
        [good],
        None,
    ]
    for body in bodies:
        await chart.writer.expect(422, "POST", f"{chart.url}/sync", json=body)
    await chart.writer.expect(422, "POST", f"{chart.url}/sync", json={"changes": [good], "strict": True})
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_hundred_changes_are_taken(chart: Chart) -> None:
    results = await sync(chart, *(creation(chart, VITAL) for _ in range(100)))
    assert {result["outcome"] for result in results} == {"saved"}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"id": "x"}, "id"),
        ({"surname": "Canary"}, "surname"),
        ({"heart_rate": "Canary"}, "heart_rate"),
        ({"elements": {"eVitals.10": [{"value": "Canary\x00"}]}, "correlation_id": 1}, "correlation_id"),
        ({"reason": 1}, "reason"),
    ],
)
async def test_bad_data_is_refused_with_its_change_and_not_echoed(
    chart: Chart, evidence: Evidence, data: dict[str, Any], field: str | None
) -> None:
    bad = creation(chart, VITAL, **data)
    before = await evidence.digest(chart.agency.tenant_id)
    [refused] = await sync(chart, bad)
    assert (refused["outcome"], refused["error"]["code"]) == ("refused", "VALIDATION_FAILED")
    assert "Canary" not in str(refused["error"])
    if field is not None:
        assert refused["error"]["details"]["problems"][0]["field"] == field
    assert await evidence.digest(chart.agency.tenant_id) == before
    refused, saved = await sync(chart, bad, creation(chart, VITAL))
    assert (refused["outcome"], saved["outcome"]) == ("refused", "saved")


async def test_a_closed_chart_refuses_every_change_and_an_amendment_passes(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "completed")
    before = await evidence.digest(agency.tenant_id)
    for who, code in (("medic", "CHART_NOT_EDITABLE"), ("admin", "VALIDATION_FAILED")):
        results = await sync(
            chart, creation(chart, VITAL), patch(PATIENT, chart.patient), deletion(PATIENT, chart.patient), who=who
        )
        assert [result["error"]["code"] for result in results] == [code] * 3
    assert await evidence.digest(agency.tenant_id) == before
    reason = {"reason": "Typed into the wrong chart."}
    made = creation(chart, VITAL, **reason)
    gone = {**deletion(VITAL, {"id": made["id"], "version": 1}), "data": reason}
    results = await sync(chart, made, patch(PATIENT, chart.patient, first_name="Ana", **reason), gone, who="admin")
    assert [result["outcome"] for result in results] == ["saved"] * 3
    assert [row["change"] for row in await evidence.amendments(made["id"])] == ["created", "deleted"]
    assert [row["change"] for row in await evidence.amendments(chart.patient["id"])] == ["revised"]


async def test_who_may_sync(agency: Agency, found: Any, evidence: Evidence, anonymous: Actor) -> None:
    chart, other = await Chart.open(agency), await found()
    before = await evidence.digest(agency.tenant_id)
    body = {"changes": [creation(chart, VITAL)]}
    await anonymous.expect(401, "POST", f"{chart.url}/sync", json=body)
    for who in ("biller", "founder"):
        await agency.actors[who].expect(403, "POST", f"{chart.url}/sync", json=body)
    missing = await agency.medic.expect(404, "POST", f"{INCIDENTS}/{uuid.uuid4()}/sync", json=body)
    foreign = await other.admin.expect(404, "POST", f"{chart.url}/sync", json=body)
    assert missing["error"] | {"trace_id": ""} == foreign["error"] | {"trace_id": ""}
    assert await evidence.digest(agency.tenant_id) == before


async def test_two_devices_that_sync_at_once_lose_nothing(chart: Chart, evidence: Evidence) -> None:
    """Every patch is saved once or is a conflict; every creation is there."""
    vitals = [await chart.add(VITAL) for _ in range(4)]
    devices = [
        [change for vital in vitals for change in (patch(VITAL, vital, heart_rate=rate), creation(chart, VITAL))]
        for rate in (61, 62)
    ]
    answers = await asyncio.gather(*(sync(chart, *changes) for changes in devices))
    for one, other in zip(*answers, strict=True):
        wanted = ["saved", "saved"] if one["op"] == "create" else ["conflict", "saved"]
        assert sorted([one["outcome"], other["outcome"]]) == wanted
    for vital in vitals:
        assert (await evidence.records(vital["id"])).counts() == (2, 2, 2)
    page = await chart.writer.expect(200, "GET", chart.at(VITAL), params={"limit": 200})
    assert len(page["items"]) == 12


async def test_a_change_costs_few_statements(chart: Chart, runtime: Runtime) -> None:
    await sync(chart, *(creation(chart, VITAL) for _ in range(2)))  # the driver asks about types once
    sent = []
    for count in (1, 11):
        changes = [creation(chart, VITAL) for _ in range(count)]
        async with counted(runtime.database) as statements:
            await sync(chart, *changes)
        sent.append(len(statements))
    assert (sent[1] - sent[0]) / 10 <= 7


async def test_who_wrote_is_asked_in_a_conflict_only(chart: Chart, runtime: Runtime) -> None:
    vital = await chart.add(VITAL)
    changes = (patch(VITAL, vital, heart_rate=61), patch(VITAL, vital | {"version": 2}, heart_rate=62))
    for asked in (0, 1):
        async with counted(runtime.database) as statements:
            await sync(chart, *changes[asked:])
        assert sum("FROM audit_events" in statement for statement in statements) == asked
    [saved] = await sync(chart, changes[1])
    assert saved["outcome"] == "saved"


async def test_a_deadlock_is_tried_again(chart: Chart, admin_connection: asyncpg.Connection) -> None:
    """The sync waits for the vital sign while it holds the incident, which is then asked for the other way round."""
    vital = await chart.add(VITAL)
    async with admin_connection.transaction():
        await admin_connection.execute("SELECT FROM vitals WHERE id = $1::text::uuid FOR UPDATE", vital["id"])
        body = {"changes": [patch(VITAL, vital), creation(chart, VITAL)]}
        syncing = started(chart.writer.post(f"{chart.url}/sync", json=body))
        await until_somebody_waits(admin_connection, syncing)
        await admin_connection.execute("SELECT FROM incidents WHERE id = $1::text::uuid FOR UPDATE", chart.id)
    results = (await syncing).json()["results"]
    assert [(result["outcome"], result["version"]) for result in results] == [("saved", 2), ("saved", 1)]


@pytest.mark.parametrize(
    ("failure", "times", "outcomes", "attempts"),
    [
        (asyncpg.DeadlockDetectedError, 1, ["saved", "saved", "saved"], [1, 2, 1]),
        (asyncpg.SerializationError, 1, ["saved", "saved", "saved"], [1, 2, 1]),
        (asyncpg.LockNotAvailableError, 1, ["saved", "saved", "saved"], [1, 2, 1]),
        (asyncpg.DeadlockDetectedError, 9, ["saved", "refused", "saved"], [1, 2, 1]),
        (asyncpg.LockNotAvailableError, 9, ["saved", "refused", "saved"], [1, 2, 1]),
        (asyncpg.ConnectionDoesNotExistError, 1, ["saved", "refused", "refused"], [1, 1, 0]),
        (sqlalchemy.exc.TimeoutError, 1, ["saved", "refused", "refused"], [1, 1, 0]),
        (ServiceUnavailable, 1, ["saved", "refused", "refused"], [1, 1, 0]),
        (ZeroDivisionError, 1, ["saved", "refused", "saved"], [1, 1, 1]),
    ],
)
async def test_what_lost_is_tried_again_and_what_is_away_is_not(
    chart: Chart,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[Exception],
    times: int,
    outcomes: list[str],
    attempts: list[int],
) -> None:
    """The second of three changes fails `times` times."""
    made = [creation(chart, VITAL) for _ in range(3)]
    tried: list[str] = []
    create = ChildService.create

    async def failing(self: Any, incident_id: uuid.UUID, given: Any, creation: Any) -> Any:
        tried.append(str(given.id))
        result = await create(self, incident_id, given, creation)
        if tried[-1] == made[1]["id"] and tried.count(made[1]["id"]) <= times:
            raise failure("x")
        return result

    monkeypatch.setattr(ChildService, "create", failing)
    results = await sync(chart, *made)
    assert [result["outcome"] for result in results] == outcomes
    assert [tried.count(change["id"]) for change in made] == attempts
    listed = await chart.writer.expect(200, "GET", chart.at(VITAL))
    saved = {change["id"] for change, outcome in zip(made, outcomes, strict=True) if outcome == "saved"}
    assert {item["id"] for item in listed["items"]} == saved


async def test_when_the_database_is_away_the_rest_is_refused_untried(
    chart: Chart, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device keeps what was not saved and sends it again."""
    made = [creation(chart, VITAL) for _ in range(4)]
    acquire, calls = runtime.database.acquire, 0

    async def failing() -> Any:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise ConnectionRefusedError
        return await acquire()

    monkeypatch.setattr(runtime.database, "acquire", failing)
    results = await sync(chart, *made)
    tried = calls
    monkeypatch.undo()
    assert [result["outcome"] for result in results] == ["saved", "refused", "refused", "refused"]
    assert {result["error"]["code"] for result in results[1:]} == {"SERVICE_UNAVAILABLE"}
    assert tried == 3  # the incident, the saved one, the one that failed
    again = await sync(chart, *made)
    assert [(result["outcome"], result["status"]) for result in again] == [("saved", 200), *[("saved", 201)] * 3]
