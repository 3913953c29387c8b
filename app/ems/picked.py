"""What the records that a chart names say for it. The chart's own words come first (ADR 0037)."""

from __future__ import annotations

from typing import Any

from app.ems.incidents.schemas import IncidentRead


def with_picks(incident: IncidentRead) -> IncidentRead:
    """The incident with the unit's capability, number and call sign from its vehicle.

    A unit without a call sign is called by its number, as NEMSIS words eResponse.14.
    """
    vehicle = incident.vehicle
    if vehicle is None:
        return incident
    said = {
        "eResponse.07": vehicle.capability,
        "eResponse.13": vehicle.unit_number,
        "eResponse.14": vehicle.call_sign or vehicle.unit_number,
    }
    return incident.model_copy(update={"elements": _with_elements(incident.elements, said)})


def _with_elements(charted: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """The charted elements, and of the others those that were said."""
    added = {name: [{"value": value}] for name, value in said.items() if value is not None and name not in charted}
    return charted | added
