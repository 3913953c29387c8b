"""One change block: the row, its audit event, its outbox event and its revision, or none of them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.context import RequestContext, bind_context
from app.core.db.entity import SealedEntityError
from app.core.db.plan import plan_of
from app.core.errors import LostRace
from app.core.ids import new_id
from app.core.pagination import Paging
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.core.charts import CHART_CHANGED, Chart, ChartAction, ChartRepository, ChartStatus
from tests.core.evidence import DIGESTED, audit_of, checksum, one, outbox_of, revisions_of


async def change(runtime: Runtime, principal: Principal, chart_id: uuid.UUID, **values: Any) -> Chart:
    """Load, change and commit in one unit of work."""
    async with runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart_id)
        async with uow.change(loaded, ChartAction.REVISED, event=CHART_CHANGED):
            for name, value in values.items():
                setattr(loaded, name, value)
    return loaded


async def test_creation_writes_row_audit_and_revision_and_publishes_only_when_asked(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    row = await one(admin_connection, "SELECT * FROM probe.charts WHERE id = $1", chart.id)
    assert (row["version"], row["tenant_id"], row["patient_name"]) == (1, principal.tenant_id, "Canary Quill")
    assert (chart.version, chart.created_at, chart.updated_at) == (1, row["created_at"], row["updated_at"])
    [event] = await audit_of(admin_connection, chart.id)
    assert (event["action"], event["entity_type"]) == ("chart.opened", "chart")
    assert (event["tenant_id"], event["actor_user_id"]) == (principal.tenant_id, principal.user_id)
    fields = event["changed_fields_json"]
    assert fields["number"] == [None, chart.number]
    assert fields["status"] == [None, "draft"]
    assert fields["tags"] == [None, ["trauma"]]
    assert [fields[name] for name in ("patient_name", "vitals", "narrative")] == [[None, DIGESTED]] * 3
    assert fields["access_code"] == [None, DIGESTED]
    assert (fields["findings.airway"], fields["findings.skin"]) == ([None, DIGESTED], [None, DIGESTED])
    assert "charge" not in fields and "incident_id" not in fields
    assert await outbox_of(admin_connection, chart.id) == []
    [revision] = await revisions_of(admin_connection, chart.id)
    assert (revision["version"], revision["entity"], revision["incident_id"]) == (1, "chart", chart.incident_id)
    assert revision["snapshot"]["patient_name"] == "Canary Quill"
    assert revision["snapshot"]["vitals"] == {"pulse": [80, 82]}
    assert revision["snapshot"]["version"] == 1


async def test_change_bumps_the_version_once_and_records_exactly_the_difference(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    seen = dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC)
    changed = await change(
        runtime,
        principal,
        chart.id,
        charge=Decimal("12.50"),
        seen_at=seen,
        patient_name="Canary Other",
        access_code=None,
    )
    assert changed.version == 2
    row = await one(admin_connection, "SELECT * FROM probe.charts WHERE id = $1", chart.id)
    assert (row["version"], row["charge"], row["seen_at"]) == (2, Decimal("12.50"), seen)
    assert (changed.updated_at, row["narrative"]) == (row["updated_at"], chart.narrative)
    assert row["updated_at"] > row["created_at"]
    _, event = await audit_of(admin_connection, chart.id)
    assert event["changed_fields_json"] == {
        "charge": [None, "12.50"],
        "seen_at": [None, "2026-03-01T12:30:00+00:00"],
        "patient_name": [DIGESTED, DIGESTED],
        "access_code": [DIGESTED, None],
    }


async def test_outbox_payload_carries_ids_version_and_names_but_no_values(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    await change(runtime, principal, chart.id, patient_name="Canary Secret", narrative="canary text", charge=Decimal(7))
    [event] = await outbox_of(admin_connection, chart.id)
    assert (event["topic"], event["tenant_id"]) == (CHART_CHANGED.name, principal.tenant_id)
    assert event["aggregate_id"] == chart.incident_id
    payload = event["payload"]
    assert sorted(payload.pop("changed")) == ["charge", "narrative", "patient_name"]
    assert payload == {
        "entity_type": "chart",
        "entity_id": str(chart.id),
        "version": 2,
        "action": "chart.revised",
        "incident_id": str(chart.incident_id),
        "status": "draft",
    }


async def test_change_without_effect_writes_nothing(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    before = await checksum(admin_connection, principal.tenant_id)
    same = await change(
        runtime, principal, chart.id, patient_name="Canary Quill", vitals={"pulse": [80, 82]}, tags=["trauma"]
    )
    assert same.version == 1
    async with runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        async with uow.change(loaded, ChartAction.REVISED, event=CHART_CHANGED):
            pass
    assert await checksum(admin_connection, principal.tenant_id) == before


async def test_json_changed_in_place_is_a_change(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        async with uow.change(loaded, ChartAction.REVISED):
            assert loaded.vitals is not None and loaded.findings is not None and loaded.tags is not None
            loaded.vitals["pulse"].append(84)
            loaded.findings["skin"] = "warm"
            loaded.tags.append("fall")
    fields = (await audit_of(admin_connection, chart.id))[1]["changed_fields_json"]
    assert fields == {
        "vitals": [DIGESTED, DIGESTED],
        "findings.skin": [DIGESTED, DIGESTED],
        "tags": [["trauma"], ["trauma", "fall"]],
    }
    stored = await admin_connection.fetchval("SELECT vitals FROM probe.charts WHERE id = $1", chart.id)
    assert orjson.loads(stored) == {"pulse": [80, 82, 84]}


async def test_heavy_columns_are_written_only_when_they_changed(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    plan = plan_of(Chart)
    light, narrative = plan.update(["charge"]).sql, plan.update(["charge", "narrative"]).sql
    assert "narrative=" not in light.replace(" ", "") and "narrative=" in narrative.replace(" ", "")
    assert "report=" not in narrative.replace(" ", "")
    assert plan.update(["charge"]) is plan.update(["number", "tags"]), "one statement for all light columns"
    await change(runtime, principal, chart.id, narrative="a second text", report={"pages": 2})
    changed = await change(runtime, principal, chart.id, number=f"N-{uuid.uuid4().hex[:8]}")
    row = await one(admin_connection, "SELECT * FROM probe.charts WHERE id = $1", chart.id)
    assert (row["narrative"], row["report"], row["number"]) == ("a second text", '{"pages": 2}', changed.number)
    assert [sorted(event["changed_fields_json"]) for event in await audit_of(admin_connection, chart.id)][1:] == [
        ["narrative", "report"],
        ["number"],
    ]


async def test_revisions_keep_every_version_whole(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    await change(runtime, principal, chart.id, patient_name="Canary Two")
    await change(runtime, principal, chart.id, narrative="canary three")
    revisions = await revisions_of(admin_connection, chart.id)
    assert [revision["version"] for revision in revisions] == [1, 2, 3]
    assert [revision["snapshot"]["patient_name"] for revision in revisions] == [
        "Canary Quill",
        "Canary Two",
        "Canary Two",
    ]
    assert revisions[2]["snapshot"]["narrative"] == "canary three"
    stored = await admin_connection.fetchval("SELECT to_jsonb(c) FROM probe.charts AS c WHERE id = $1", chart.id)
    assert revisions[2]["snapshot"] == orjson.loads(stored)


async def test_audit_event_carries_the_request_and_the_metadata(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    request_id = uuid.uuid4()
    bind_context(RequestContext(request_id=request_id))
    async with runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        async with uow.change(loaded, ChartAction.CLOSED, metadata={"from": "draft"}):
            loaded.status = ChartStatus.CLOSED
    event = (await audit_of(admin_connection, chart.id))[1]
    assert (event["request_id"], event["metadata_json"]) == (request_id, {"from": "draft"})
    assert event["changed_fields_json"] == {"status": ["draft", "closed"]}


async def test_soft_delete_and_restore_are_audited_changes(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    when = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    await change(runtime, principal, chart.id, deleted_at=when)
    async with runtime.unit_of_work(principal) as uow:
        charts = ChartRepository(uow)
        assert await charts.find(principal.tenant_id, chart.id) is None
        gone = await charts.get_including_deleted(principal.tenant_id, chart.id)
        assert (gone.version, gone.deleted_at) == (2, when)
        async with uow.change(gone, ChartAction.REVISED):
            gone.deleted_at = None
    events = await audit_of(admin_connection, chart.id)
    assert [event["changed_fields_json"] for event in events[1:]] == [
        {"deleted_at": [None, "2026-03-01T00:00:00+00:00"]},
        {"deleted_at": ["2026-03-01T00:00:00+00:00", None]},
    ]


async def test_several_changes_of_one_unit_are_stored_together_or_not_at_all(
    runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    async def work(*, fail: bool) -> uuid.UUID:
        async with runtime.unit_of_work(principal) as uow:
            loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            async with uow.change(loaded, ChartAction.REVISED, event=CHART_CHANGED):
                loaded.patient_name = uuid.uuid4().hex
            async with uow.change(loaded, ChartAction.REVISED, event=CHART_CHANGED):
                loaded.charge = (loaded.charge or Decimal(0)) + 1
            made = Chart(tenant_id=principal.tenant_id, incident_id=chart.incident_id, number=uuid.uuid4().hex)
            await uow.create(made, ChartAction.OPENED, event=CHART_CHANGED)
            again = await ChartRepository(uow).get(principal.tenant_id, chart.id)
            assert (again.version, again.patient_name) == (loaded.version, loaded.patient_name)
            if fail:
                raise ZeroDivisionError
        return made.id

    before = await checksum(admin_connection, principal.tenant_id)
    with pytest.raises(ZeroDivisionError):
        await work(fail=True)
    assert await checksum(admin_connection, principal.tenant_id) == before
    made = await work(fail=False)
    assert [event["payload"]["version"] for event in await outbox_of(admin_connection, chart.id)] == [2, 3]
    assert len(await audit_of(admin_connection, chart.id)) == 3
    assert len(await audit_of(admin_connection, made)) == len(await outbox_of(admin_connection, made)) == 1


async def test_loaded_and_stored_entities_are_sealed(runtime: Runtime, principal: Principal, chart: Chart) -> None:
    with pytest.raises(SealedEntityError):
        chart.patient_name = "x"  # stored by uow.create
    async with runtime.unit_of_work(principal) as uow:
        loaded = await ChartRepository(uow).get(principal.tenant_id, chart.id)
        with pytest.raises(SealedEntityError):
            loaded.patient_name = "x"
        async with uow.change(loaded, ChartAction.REVISED):
            loaded.patient_name = "y"
        with pytest.raises(SealedEntityError):
            loaded.patient_name = "z"
        [page] = (await ChartRepository(uow).list_page(principal.tenant_id, Paging(limit=10))).items
        with pytest.raises(SealedEntityError):
            page.number = "x"
    assert (loaded.patient_name, loaded.version) == ("y", 2)


async def test_entity_is_sealed_again_when_its_block_raises(
    runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    async with runtime.read_unit_of_work(principal) as reading:
        loaded = await ChartRepository(reading).get(principal.tenant_id, chart.id)
    uow = runtime.unit_of_work(principal)
    with pytest.raises(ZeroDivisionError):
        async with uow, uow.change(loaded, ChartAction.REVISED):
            raise ZeroDivisionError
    with pytest.raises(SealedEntityError):
        loaded.number = "x"


async def test_constructor_names_missing_and_unknown_columns(principal: Principal) -> None:
    with pytest.raises(TypeError, match="needs incident_id"):
        Chart(tenant_id=principal.tenant_id, number="1")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no columns"):
        Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number="1", colour="red")  # type: ignore[call-arg]


async def test_entity_of_another_tenant_is_refused(
    runtime: Runtime, principal: Principal, charts: None, admin_connection: asyncpg.Connection
) -> None:
    foreign = Chart(tenant_id=new_id(), incident_id=new_id(), number="1")
    with pytest.raises(AssertionError, match="another tenant"):
        async with runtime.unit_of_work(principal) as uow:
            await uow.create(foreign, ChartAction.OPENED)
    assert await audit_of(admin_connection, foreign.id) == []


async def open_charts(runtime: Runtime, principal: Principal, number: int) -> list[Chart]:
    """Stored charts with one tag each."""
    made = [
        Chart(tenant_id=principal.tenant_id, incident_id=new_id(), number=uuid.uuid4().hex, tags=["trauma"])
        for _ in range(number)
    ]
    async with runtime.unit_of_work(principal) as uow:
        for chart in made:
            await uow.create(chart, ChartAction.OPENED)
    return made


@pytest.mark.usefixtures("charts")
async def test_several_entities_change_in_one_round_trip_each_with_its_records(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    made = await open_charts(runtime, principal, 3)

    def assign(chart: Chart) -> None:
        if chart.id != made[2].id:
            chart.tags = [chart.number]

    async with counted(runtime.database) as statements, runtime.unit_of_work(principal) as uow:
        charts = [await ChartRepository(uow).get(principal.tenant_id, chart.id) for chart in made]
        await uow.change_all(
            charts, ChartAction.REVISED, assign, event=CHART_CHANGED, metadata=lambda chart: {"of": str(chart.id)}
        )
    assert len(statements) == 7, "BEGIN, three reads, one write, the access log, COMMIT"
    assert [chart.version for chart in charts] == [2, 2, 1]
    for chart in charts[:2]:
        event = (await audit_of(admin_connection, chart.id))[-1]
        assert event["changed_fields_json"] == {"tags": [["trauma"], [chart.number]]}
        assert event["metadata_json"] == {"of": str(chart.id)}
        assert len(await outbox_of(admin_connection, chart.id)) == 1
        assert (await revisions_of(admin_connection, chart.id))[-1]["snapshot"]["tags"] == [chart.number]
    assert len(await audit_of(admin_connection, charts[2].id)) == 1, "what did not change is not written"


@pytest.mark.usefixtures("charts")
async def test_one_stale_entity_among_several_undoes_all(
    runtime: Runtime, principal: Principal, admin_connection: asyncpg.Connection
) -> None:
    made = await open_charts(runtime, principal, 3)
    before = await checksum(admin_connection, principal.tenant_id)

    def assign(chart: Chart) -> None:
        chart.tags = ["late"]

    async def change_all_but_late() -> None:
        nonlocal before
        async with runtime.unit_of_work(principal) as uow:
            charts = [await ChartRepository(uow).get(principal.tenant_id, chart.id) for chart in made]
            await change(runtime, principal, made[1].id, tags=["first"])
            before = await checksum(admin_connection, principal.tenant_id)
            await uow.change_all(charts, ChartAction.REVISED, assign)

    with pytest.raises(LostRace) as refused:
        await change_all_but_late()
    assert refused.value.details["server_version"] == 2
    assert await checksum(admin_connection, principal.tenant_id) == before
