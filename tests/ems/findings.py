"""Reading a chart's readiness, and bringing a chart to where one of its rules speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.demo_call import PEOPLE, Player
from scripts.demo_chart import CALL
from scripts.demo_chart import Call as Script
from tests.ems.charts import Chart
from tests.support.actors import Actor, Agency

Body = dict[str, Any]
ASSIGNED = {"statement_code": "assignment_of_benefits", "statement": "I assign my benefits to the agency."}
PLACE = ("stage", "code", "entity", "field")


async def readiness(actor: Actor, incident_id: str) -> Body:
    found: Body = await actor.expect(200, "GET", f"ems/incidents/{incident_id}/readiness")
    return found


def states(answer: Body) -> dict[str, str]:
    return {stage["stage"]: stage["state"] for stage in answer["stages"]}


def said(answer: Body, **wanted: Any) -> list[tuple[str, ...]]:
    """(stage, code, entity, field) of the findings that have the `wanted` values, as ranked."""
    return [tuple(finding[name] for name in PLACE) for finding in findings(answer, **wanted)]


def findings(answer: Body, **wanted: Any) -> list[Body]:
    return [found for found in answer["findings"] if all(found[name] == value for name, value in wanted.items())]


def blocking(answer: Body) -> set[tuple[str, ...]]:
    return {(*key_of(found), found["entity_id"]) for found in findings(answer, severity="blocking")}


def key_of(finding: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(finding[name] for name in PLACE)


def player(agency: Agency) -> Player:
    return Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)


async def charted(agency: Agency, script: Script = CALL) -> Chart:
    """The demo's chart, complete and in progress."""
    incident, patient = await player(agency).chart(script)
    return Chart(agency, "medic", incident, patient)


async def require_attestation(agency: Agency, required: bool = True) -> None:
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    if tenant["require_crew_signature"] != required:
        body = {"version": tenant["version"], "require_crew_signature": required}
        await agency.admin.expect(200, "PATCH", "tenants/current", json=body)


async def export_of(agency: Agency, incident_id: str, patient_id: str) -> Body:
    """Created and validated by the admin."""
    body = {"incident_id": incident_id, "patient_id": patient_id}
    export = await agency.admin.expect(201, "POST", "nemsis/exports", json=body)
    return await fire_export(agency, export, "validate")


async def fire_export(agency: Agency, export: Body, action: str, *, status: int = 200) -> Body:
    body = {"action": action, "version": export["version"]}
    path = f"nemsis/exports/{export['id']}/transitions"
    return dict(await agency.admin.expect(status, "POST", path, json=body))
