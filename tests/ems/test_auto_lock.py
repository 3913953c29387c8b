"""The system locks a completed chart after the agency's hours (decisions: auto_lock_hours), and no other."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.clock import utcnow
from app.core.jobs.queue import run_job, sealed_content
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.ems.charting.schemas import IncidentTransitionRequest
from app.ems.charting.service import AUTO_LOCK, IncidentService
from tests.ems.charts import STATES, Chart
from tests.ems.evidence import Evidence
from tests.support.actors import Agency

HOUR = dt.timedelta(hours=1)


async def run_lock(runtime: Runtime, chart: Chart) -> None:
    """What the runner does with the job of this chart."""
    ids = {"incident_id": uuid.UUID(chart.id)}
    content = sealed_content(runtime.keys.seal, AUTO_LOCK, chart.agency.tenant_id, ids)
    await run_job(runtime, AUTO_LOCK, orjson.dumps(content))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`later(hours)`: the service's clock goes that much ahead."""

    def advance(hours: float) -> None:
        monkeypatch.setattr("app.ems.charting.service.utcnow", lambda: utcnow() + hours * HOUR)

    return advance


async def set_hours(agency: Agency, hours: int) -> None:
    profile = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": profile["version"], "auto_lock_hours": hours}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)


@pytest.mark.parametrize("hours", [None, 1, 720])
async def test_completing_enqueues_the_lock(agency: Agency, evidence: Evidence, hours: int | None) -> None:
    if hours is not None:
        await set_hours(agency, hours)
    chart = await Chart.open(agency, "ready_for_review")
    assert await evidence.jobs(chart.id) == []
    await chart.fire("complete", "supervisor")
    [job] = await evidence.jobs(chart.id)
    assert (job["entrypoint"], job["delay"]) == ("ems.auto_lock", (hours or 24) * HOUR)
    assert job["payload"].pop("seal")
    assert job["payload"] == {"tenant_id": str(agency.tenant_id), "incident_id": chart.id}


async def test_the_job_is_rolled_back_with_its_cause(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "ready_for_review")
    before = await evidence.digest(agency.tenant_id)
    principal = runtime.tokens.verify(agency.supervisor.token or "")
    given = IncidentTransitionRequest.model_validate({"action": "complete", "version": chart.version})
    with pytest.raises(ZeroDivisionError):
        async with runtime.unit_of_work(principal) as uow:
            await IncidentService(uow).transition(uuid.UUID(chart.id), given)
            raise ZeroDivisionError
    assert await evidence.jobs(chart.id) == []
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_due_chart_is_locked_by_the_system_once(
    agency: Agency, runtime: Runtime, evidence: Evidence, later: Any
) -> None:
    chart = await Chart.open(agency, "completed")
    before = (await evidence.records(chart.id)).counts()
    later(24.001)
    for _ in range(2):
        await run_lock(runtime, chart)
    locked = await chart.reload()
    assert (locked["status"], locked["version"]) == ("locked", 5)
    records = await evidence.records(chart.id)
    assert records.counts() == tuple(count + 1 for count in before)
    audit, event = records.audit[-1], records.outbox[-1]
    assert (audit["action"], audit["actor_user_id"]) == ("incident.locked", None)
    assert audit["metadata_json"] == {"action": "lock", "from": "completed", "to": "locked"}
    assert (event["topic"], event["payload"]["status"]) == ("incident.status_changed", "locked")


async def test_an_early_job_leaves_the_chart_alone_and_comes_again(
    agency: Agency, runtime: Runtime, evidence: Evidence, later: Any
) -> None:
    """The hours were raised meanwhile, or two machines' clocks differ: the chart must still be locked one day."""
    chart = await Chart.open(agency, "completed")
    await set_hours(agency, 48)
    later(24.001)
    await run_lock(runtime, chart)
    assert (await chart.reload())["status"] == "completed"
    _, again = await evidence.jobs(chart.id)
    assert (again["entrypoint"], 23 * HOUR < again["delay"] <= 24 * HOUR) == ("ems.auto_lock", True)
    later(48.001)
    await run_lock(runtime, chart)
    assert (await chart.reload())["status"] == "locked"


@pytest.mark.parametrize("state", [state for state in STATES if state != "completed"])
async def test_a_chart_that_moved_on_is_left_alone(
    agency: Agency, runtime: Runtime, evidence: Evidence, later: Any, state: str
) -> None:
    chart = await Chart.open(agency, state)
    before = await evidence.digest(agency.tenant_id)
    later(1000)
    await run_lock(runtime, chart)
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_unlocked_chart_has_its_hours_again(
    agency: Agency, runtime: Runtime, evidence: Evidence, later: Any
) -> None:
    chart = await Chart.open(agency, "locked")
    later(24.001)
    await chart.fire("unlock", "admin", reason="Insurance asked.")
    assert len(await evidence.jobs(chart.id)) == 2
    later(25)
    await run_lock(runtime, chart)  # the job of the first completion
    assert (await chart.reload())["status"] == "completed"
    later(49)
    await run_lock(runtime, chart)
    assert (await chart.reload())["status"] == "locked"


async def test_a_deleted_or_unknown_chart_is_no_failure(
    chart: Chart, runtime: Runtime, admin_connection: asyncpg.Connection, later: Any, evidence: Evidence
) -> None:
    await chart.writer.expect(204, "DELETE", chart.url, params={"version": 1, "reason": "Test call."})
    before = await evidence.digest(chart.agency.tenant_id)
    later(1000)
    await run_lock(runtime, chart)
    chart.head["id"] = str(uuid.uuid4())
    await run_lock(runtime, chart)
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_the_system_fires_nothing_else(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    """It holds no permission: its one transition is declared."""
    for state in STATES:
        chart = await Chart.open(agency, state)
        for action in ("start", "submit_for_review", "complete", "return_for_correction", "unlock"):
            given = IncidentTransitionRequest.model_validate(
                {"action": action, "version": chart.version, "reason": "why"}
            )
            with pytest.raises(Exception, match="not permitted"):
                async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
                    await IncidentService(uow).transition(uuid.UUID(chart.id), given)
