"""Edits about the transport: place, miles, weight, conditions, addresses (E19 to E29). Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from app.billing.edits.declaration import Edit, EditSeverity, Fault, change_claim
from app.billing.edits.view import EMERGENCY_CODES, ClaimView
from app.billing.x12.ambulance import AIR_CODES, OTHER_BASE_CODES, billable_miles
from app.core.errors import Problem
from app.ems.public import Fix

EMERGENCY, STRETCHER, NECESSARY, CONFINED = "06", "04", "09", "12"
_AIR_OR_WATER_PLACE = "42"
_HEAVIEST = Decimal(1500)
_IMMEDIATE = frozenset({"2223001", "2223003"})
_RESPONSE_MODE, _TRANSPORT_METHOD, _WATER = "eResponse.23", "eDisposition.16", "4216017"
_FARTHER_THAN_STRAIGHT, _EXTRA_MILES = Decimal("1.5"), Decimal(10)
_EARTH_MILES = 3958.8
_NAMED_DESTINATIONS = frozenset("GHJN")


def _is_transport(view: ClaimView) -> bool:
    """True if the claim is for a transport: the patient was loaded."""
    return not view.pronounced_dead and view.base_code not in OTHER_BASE_CODES


def _land_place(view: ClaimView) -> Iterator[Fault]:
    flown = any(line.hcpcs in AIR_CODES for line in view.lines)
    if view.claim.place_of_service == _AIR_OR_WATER_PLACE and not flown and view.code(_TRANSPORT_METHOD) != _WATER:
        message = "Place of service 42 is for transport by air or on water."
        yield Fault("place_of_service", "land_place", message, offer=change_claim(view, place_of_service="41"))


def _air_place(view: ClaimView, problem: Problem) -> Fix | None:
    return change_claim(view, place_of_service=_AIR_OR_WATER_PLACE) if problem.code == "air_place" else None


def _miles_and_weight(view: ClaimView) -> Iterator[Fault]:
    claim = view.claim
    if claim.loaded_miles is not None and claim.loaded_miles <= 0 and _is_transport(view):
        yield Fault("loaded_miles", "no_miles", "A transport has loaded miles: give at least a tenth.")
    if claim.weight_lb is not None and claim.weight_lb > _HEAVIEST:
        yield Fault("weight_lb", "too_heavy", f"A weight of more than {_HEAVIEST} pounds is a typing error.")


def _rounded(view: ClaimView, problem: Problem) -> Fix | None:
    miles = view.claim.loaded_miles
    if problem.field != "loaded_miles" or miles is None or miles < 0:
        return None
    return change_claim(view, loaded_miles=f"{billable_miles(miles):f}")


def _straight_line(view: ClaimView) -> Iterator[Fault]:
    miles, straight = view.claim.loaded_miles, _miles_between(view)
    if miles is None or straight is None:
        return
    if miles < Decimal(straight) - 1:
        yield Fault("loaded_miles", "shorter_than_straight", "The miles are fewer than the straight line is long.")
    elif miles > _FARTHER_THAN_STRAIGHT * Decimal(straight) + _EXTRA_MILES:
        yield Fault("loaded_miles", "detour", "The miles are many for the distance on the map: say why in a note.")


def _miles_between(view: ClaimView) -> float | None:
    """The straight line between the charted positions of pick-up and drop-off. None if one is not charted."""
    incident, written = view.chart.incident, view.code("eDisposition.09")
    if incident.location_latitude is None or incident.location_longitude is None or written is None:
        return None
    try:
        latitude, longitude = (float(part) for part in written.split(","))
    except ValueError:
        return None
    here, there = math.radians(float(incident.location_latitude)), math.radians(latitude)
    east = math.radians(longitude - float(incident.location_longitude))
    chord = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    return 2 * _EARTH_MILES * math.asin(math.sqrt(chord))


def _supported(view: ClaimView) -> Iterator[Fault]:
    if not view.conditions:
        yield Fault("certifications", "condition_missing", "Say at least one condition that made it necessary.")


def _not_urgent(view: ClaimView) -> Iterator[Fault]:
    if EMERGENCY in view.conditions:
        message = "A non-emergency code contradicts the condition 06 (emergency)."
        yield Fault("certifications", "emergency_condition", message, EditSeverity.BLOCKING)
    if not view.conditions & {STRETCHER, NECESSARY, CONFINED}:
        message = "A non-emergency transport is covered for 04, 09 or 12: moved by stretcher, necessary, confined."
        yield Fault("certifications", "confinement_missing", message)


def _urgent(view: ClaimView) -> Iterator[Fault]:
    if EMERGENCY not in view.conditions:
        yield Fault("certifications", "emergency_missing", "An emergency code goes with the condition 06 (emergency).")
    mode = view.code(_RESPONSE_MODE)
    if mode is not None and mode not in _IMMEDIATE:
        base = 0 if view.base is None else view.base[0]
        message = "An emergency code needs an immediate response, and the chart says another one (eResponse.23)."
        yield Fault(f"lines[{base}].hcpcs", "response_not_immediate", message)


def _named_destination(view: ClaimView) -> Iterator[Fault]:
    if not view.chart.patient.destination_name:
        yield Fault("patient.destination_name", "missing", "The name of the facility of the destination is missing.")


TRANSPORT_EDITS = (
    Edit(
        id="E19",
        what="The place of service is 41 on land, and 42 in the air or on water.",
        why="Payers refuse a place that does not fit the code.",
        source="CMS place of service codes; 2300 CLM05-1",
        fix="Change the place of service.",
        severity=EditSeverity.WARNING,
        structural=("place_of_service", "lines.hcpcs:air_place"),
        judge=_land_place,
        offer=_air_place,
    ),
    Edit(
        id="E20",
        what="The transport has a reason, loaded miles above zero, and a weight from 1 to 1,500 pounds or none.",
        why="Every ambulance claim tells of its transport (CR1).",
        source="2300 CR1",
        fix="Enter reason and miles as the crew charted them.",
        structural=("transport_reason", "loaded_miles", "weight_lb", "round_trip_purpose", "stretcher_purpose"),
        judge=_miles_and_weight,
    ),
    Edit(
        id="E21",
        what="The miles of the transport are the units of the mileage lines together.",
        why="Payers compare both.",
        source="2300 CR106; 2400 SV104",
        fix="Correct the miles, or the units of the lines.",
        structural=("loaded_miles:miles_units",),
    ),
    Edit(
        id="E22",
        what="Miles are in tenths below 100, and whole from 100 on.",
        why="Medicare's fractional mileage rule.",
        source="Medicare Claims Processing Manual, chapter 15, section 30.1.2",
        fix="Round up: to a tenth below 100 miles, to a whole mile from 100 on.",
        structural=("loaded_miles:miles_format", "lines.units:miles_format"),
        offer=_rounded,
    ),
    Edit(
        id="E23",
        what="The miles fit the distance between the charted positions.",
        why="Miles that no map explains are paid back after an audit.",
        source="Medicare Benefit Policy Manual, chapter 10, section 10.3.1",
        fix="Check the odometer readings, or say the reason of the detour in a note.",
        severity=EditSeverity.WARNING,
        applies=_is_transport,
        judge=_straight_line,
    ),
    Edit(
        id="E24",
        what="At least one condition says why an ambulance was necessary.",
        why="Payers pay for a transport only if another one was contraindicated.",
        source="42 CFR 410.40(e); 2300 CRC*07",
        fix="State the conditions that the chart shows.",
        structural=("certifications",),
        applies=_is_transport,
        judge=_supported,
    ),
    Edit(
        id="E25",
        what="A non-emergency transport is no emergency (06), and tells of 04, 09 or 12.",
        why="The condition 06 contradicts A0426 and A0428.",
        source="42 CFR 410.40(e); 2300 CRC03 to CRC07",
        fix="Correct the conditions, or the code.",
        severity=EditSeverity.WARNING,
        applies=lambda view: view.is_non_emergency,
        judge=_not_urgent,
    ),
    Edit(
        id="E26",
        what="An emergency code goes with the condition 06 and an immediate response.",
        why="An emergency response is one that began as quickly as possible.",
        source="42 CFR 414.605; 2400 SV109",
        fix="Correct the conditions, or bill the code that is no emergency.",
        severity=EditSeverity.WARNING,
        applies=lambda view: view.base_code in EMERGENCY_CODES and not view.pronounced_dead,
        judge=_urgent,
    ),
    Edit(
        id="E27",
        what="Pick-up and drop-off have an address with a ZIP code that exists.",
        why="Medicare's fee depends on the ZIP code of the pick-up.",
        source="2310E, 2310F N3, N4",
        fix="Correct the addresses in the chart.",
        structural=("incident.location", "patient.destination", "pick_up", "drop_off"),
    ),
    Edit(
        id="E29",
        what="A hospital, skilled nursing or dialysis facility of the destination has a name.",
        why="Reviewers check whether it was the nearest appropriate facility.",
        source="2310F NM103",
        fix="Chart the facility to which the patient went.",
        severity=EditSeverity.WARNING,
        structural=("patient.destination_name",),
        applies=lambda view: view.route is not None and view.route[1] in _NAMED_DESTINATIONS,
        judge=_named_destination,
    ),
)
