"""Calls charted over HTTP, for domains that begin where the chart ends: the least that a claim or an export needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.actors import Agency

INCIDENT: Mapping[str, Any] = {
    "incident_number": "26-000001",
    "dispatch_time": "2026-11-01T09:55:00-06:00",
    "enroute_time": "2026-11-01T09:57:00-06:00",
    "arrival_time": "2026-11-01T10:05:00-06:00",
    "depart_scene_time": "2026-11-01T10:20:00-06:00",
    "arrived_destination_time": "2026-11-01T10:40:00-06:00",
    "cleared_time": "2026-11-01T11:00:00-06:00",
    "location_street": "100 Main St",
    "location_city": "Springfield",
    "location_state": "IL",
    "location_zip": "62701-1234",
}
PATIENT: Mapping[str, Any] = {
    "last_name": "Muster",
    "first_name": "Erika",
    "date_of_birth": "1948-02-17",
    "gender": "female",
    "home_street": "100 Main St",
    "home_city": "Springfield",
    "home_state": "IL",
    "home_zip": "62701",
    "destination_name": "Memorial Hospital",
    "destination_street": "701 N 1st St",
    "destination_city": "Springfield",
    "destination_state": "IL",
    "destination_zip": "62781",
    "elements": {"eDisposition.30": [{"value": "4230001"}]},
}
_TO_LOCKED = (("start", "medic"), ("submit_for_review", "medic"), ("complete", "supervisor"), ("lock", "admin"))


@dataclass
class Call:
    """One incident with its first patient, as the API last answered."""

    incident: dict[str, Any]
    patient: dict[str, Any]


async def open_call(agency: Agency, *, patient: Mapping[str, Any] | None = None, **incident: Any) -> Call:
    """In `draft`, written by the medic. `patient` and the keywords vary PATIENT and INCIDENT."""
    head = await agency.medic.expect(201, "POST", "ems/incidents", json={**INCIDENT, **incident})
    return Call(head, await add_patient(agency, head, **(patient or {})))


async def add_patient(agency: Agency, incident: Mapping[str, Any], **patient: Any) -> dict[str, Any]:
    """A (further) patient of an open incident."""
    path = f"ems/incidents/{incident['id']}/patients"
    added: dict[str, Any] = await agency.medic.expect(201, "POST", path, json={**PATIENT, **patient})
    return added


async def lock_call(agency: Agency, call: Call) -> Call:
    """From `draft` to `locked`: written by the medic, reviewed by the supervisor, locked by the admin."""
    for action, who in _TO_LOCKED:
        await fire(agency, call, action, who)
    return call


async def unlock_call(agency: Agency, call: Call) -> Call:
    return await fire(agency, call, "unlock", "admin", reason="A field must be corrected.")


async def fire(agency: Agency, call: Call, action: str, who: str, **more: Any) -> Call:
    """One transition of the incident; the answer becomes `call.incident`."""
    body = {"action": action, "version": call.incident["version"], **more}
    path = f"ems/incidents/{call.incident['id']}/transitions"
    call.incident = await agency.actors[who].expect(200, "POST", path, json=body)
    return call


async def locked_call(agency: Agency, *, patient: Mapping[str, Any] | None = None, **incident: Any) -> Call:
    """A minimal locked chart. `patient` and the keywords vary PATIENT and INCIDENT."""
    return await lock_call(agency, await open_call(agency, patient=patient, **incident))
