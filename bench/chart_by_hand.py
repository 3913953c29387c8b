"""The rival of the chart read: the same nine tables by asyncpg alone, and the same JSON straight from the rows.

Both variants take the warnings about a vital from the service's own rule. The measured chart has no signatures and no
attachments: their lists are asked for and are empty, because deciding what a signature covers is more than reading.
"""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import orjson
from fastapi import Request, Response

from app.core.dependencies import CurrentUser
from app.core.errors import NotFound
from app.ems.crew.schemas import CrewMemberRead
from app.ems.element_groups.schemas import ElementGroupRead
from app.ems.incidents.schemas import IncidentRead
from app.ems.interventions.schemas import InterventionRead
from app.ems.lifecycle import IncidentStatus, incident_lifecycle
from app.ems.narratives.schemas import NarrativeRead
from app.ems.patients.ages import age_in_days
from app.ems.patients.schemas import PatientRead
from app.ems.permissions import CHART_READ
from app.ems.vitals.plausibility import warnings_of
from app.ems.vitals.schemas import VitalRead

_HEAD = "SELECT * FROM incidents WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL"
_LISTS = {
    "patients": "SELECT * FROM patients WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
    "vitals": "SELECT * FROM vitals WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
    "interventions": "SELECT * FROM interventions WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
    "narratives": "SELECT * FROM narratives WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
    "element_groups": "SELECT * FROM element_groups WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
    "crew": "SELECT * FROM crew_members WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
    "signatures": "SELECT * FROM signatures WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
    "attachments": "SELECT * FROM attachments WHERE tenant_id = $1 AND incident_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at, id",
}
_HEAD_FIELDS = tuple(name for name in IncidentRead.model_fields if name != "allowed_actions")
_FIELDS = {
    "patients": tuple(PatientRead.model_fields),
    "vitals": tuple(name for name in VitalRead.model_fields if name != "warnings"),
    "interventions": tuple(InterventionRead.model_fields),
    "narratives": tuple(NarrativeRead.model_fields),
    "element_groups": tuple(ElementGroupRead.model_fields),
    "crew": tuple(CrewMemberRead.model_fields),
    "signatures": (),
    "attachments": (),
}


async def read_by_hand(incident_id: uuid.UUID, principal: CurrentUser, request: Request) -> Response:
    """This route answers a GET as the real route does."""
    principal.require(CHART_READ)
    async with request.app.state.hand_written_pool.acquire() as connection:
        await connection.execute(f"BEGIN;SELECT set_config('app.tenant_id','{principal.tenant_id}',true)")
        try:
            head = await connection.fetchrow(_HEAD, principal.tenant_id, incident_id)
            if head is None:
                raise NotFound
            lists = {
                name: await connection.fetch(query, principal.tenant_id, incident_id) for name, query in _LISTS.items()
            }
        finally:
            await connection.execute("COMMIT")
    incident: dict[str, Any] = {name: head[name] for name in _HEAD_FIELDS}
    shown = SimpleNamespace(status=IncidentStatus(head["status"]), created_by=head["created_by"])
    incident["allowed_actions"] = incident_lifecycle.allowed_actions(shown, principal)
    chart: dict[str, Any] = {"incident": incident}
    for name, rows in lists.items():
        fields = _FIELDS[name]
        chart[name] = [{field: row[field] for field in fields} for row in rows]
    ages = {row["id"]: SimpleNamespace(**row) for row in lists["patients"]}
    call = SimpleNamespace(**head)
    for shown_vital, row in zip(chart["vitals"], lists["vitals"], strict=True):
        vital = SimpleNamespace(**row)
        age = age_in_days(ages[vital.patient_id], vital.taken_at or call.dispatch_time)
        shown_vital["warnings"] = warnings_of(vital, age, call)
    return Response(orjson.dumps(chart, str, orjson.OPT_UTC_Z), media_type="application/json")
