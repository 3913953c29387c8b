"""How a row of the table is written down, and the sources that rows name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.billing.derivation.charted import ALS_CREW, BED_CONFINED, call
from tests.billing.derivation.facts import Body, Charted, Due, Expected, Level, NoClaim, Transport

CFR = "42 CFR 414.605"
LEVELS = "reference 2.1"
MILES = "reference 2.2"
LETTERS = "reference 2.3"
NECESSITY = "reference 2.4"
EDITS = "reference 6"
PLACES = "facts A: letters"
CHART = "facts A: where it stands in the chart"
ALS2 = "facts B"
MANUAL_LEVELS = "Medicare Benefit Policy Manual, chapter 10, section 30.1.1"
MANUAL_DEATH = "Medicare Benefit Policy Manual, chapter 10, section 10.2.6"
MANUAL_AIR_DEATH = "Medicare Benefit Policy Manual, chapter 10, section 10.4.9"
MANUAL_DESTINATION = "Medicare Benefit Policy Manual, chapter 10, section 10.3.8"
MANUAL_DATE = "Medicare Claims Processing Manual, chapter 15: date of service"
SCOPE = "National EMS Scope of Practice Model (2019)"
X12 = "reference 1.2"

_ADDRESS: Body = {
    "destination_name": "Memorial Hospital",
    "destination_street": "701 N 1st St",
    "destination_city": "Springfield",
    "destination_state": "IL",
    "destination_zip": "62781",
}


def _addressed(charted: Charted) -> Charted:
    """The patient with the address of the destination, if they were taken to one."""
    taken = "eDisposition.21" in charted.body["elements"]
    return replace(charted, body=_ADDRESS | charted.body) if taken else charted


def row(
    number: str,
    name: str,
    source: Iterable[str],
    patients: Charted | Iterable[Charted],
    expected: Expected | Iterable[Expected],
    *,
    incident: Body | None = None,
    crew: tuple[str, ...] = ALS_CREW,
    destination: Body | None = None,
    **more: Any,
) -> Transport:
    """A row of one patient, or of several. Where no facility is picked, the crew charts the destination's address."""
    charted = (patients,) if isinstance(patients, Charted) else tuple(patients)
    due = (expected,) if isinstance(expected, Due | NoClaim) else tuple(expected)
    if destination is None:
        charted = tuple(_addressed(one) for one in charted)
    head = call() if incident is None else incident
    return Transport(number, name, tuple(source), head, crew, charted, due, destination=destination, **more)


def due(level: Level | None, pair: str | None = "RH", miles: str | None = "8.4", **more: Any) -> Due:
    """An emergency from a residence to a hospital, 8.4 miles away, unless said otherwise."""
    return Due(level, pair, miles, **more)


def planned_due(level: Level | None, pair: str | None, miles: str | None = "8.4", **more: Any) -> Due:
    """The claim for a patient of `confined`."""
    return Due(level, pair, miles, **{"conditions": BED_CONFINED, **more})


_EMERGENCY, _ALS1_EMERGENCY = Level.BLS_EMERGENCY, Level.ALS1_EMERGENCY
