"""Origin, destination, and the other modifiers (Medicare Claims Processing Manual, chapter 15, section 30). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.billing.derivation.context import Context, Notice
from app.billing.derivation.levels import died_before_loading
from app.billing.derivation.outcomes import Known, Outcome, ReasonCode, found, unknown
from app.billing.derivation.reading import Reading
from app.billing.x12.ambulance import PRONOUNCED_DEAD_MODIFIER
from app.core.facilities.public import FacilitySnapshot, FacilityType
from app.ems.public import Transport

R = ReasonCode

_DESTINATIONS: Mapping[str, str] = {
    "4221001": "R",
    "4221003": "H",
    "4221005": "H",
    "4221027": "D",
    "4221029": "E",
    "4221041": "N",
}
"""eDisposition.21. The other kinds of places fit several letters, or none."""
_FACILITIES: Mapping[FacilityType, str] = {
    FacilityType.ASSISTED_LIVING_FACILITY: "E",
    FacilityType.DIAGNOSTIC_SERVICES: "D",
    FacilityType.HOSPITAL: "H",
    FacilityType.SKILLED_NURSING_FACILITY: "N",
}
"""Facility records without a letter of their own whose kind has one letter only."""
_ORIGINS: Mapping[str, str] = {
    "Y92.0": "R",
    "Y92.21": "S",
    "Y92.22": "S",
    "Y92.23": "H",
    "Y92.24": "S",
    "Y92.25": "S",
    "Y92.26": "S",
    "Y92.29": "S",
    "Y92.3": "S",
    "Y92.4": "S",
    "Y92.51": "S",
    "Y92.52": "S",
    "Y92.531": "P",
    "Y92.59": "S",
    "Y92.6": "S",
    "Y92.7": "S",
    "Y92.8": "S",
}
"""Beginnings of eScene.09; the longest counts. Institutions (Y92.1) and other ambulatory care fit several letters."""
_MULTIPLE_PATIENTS = "GM"
_NOTICES: Mapping[Notice, str] = {Notice.REQUIRED: "GA", Notice.VOLUNTARY: "GX"}


def origin_modifier(chart: Reading, known: Known, context: Context) -> Outcome:
    """The facility record's letter, else what the place is (eScene.09)."""
    by_record = _of_record(chart.origin())
    if by_record is not None:
        return by_record
    place = chart.incident_field("location_type")
    if place is None:
        return unknown(R.PLACE_MISSING)
    beginnings = [beginning for beginning in _ORIGINS if place.startswith(beginning)]
    if not beginnings:
        return unknown(R.PLACE_UNDECIDABLE)
    return found(_ORIGINS[max(beginnings, key=len)], R.CHARTED_PLACE)


def destination_modifier(chart: Reading, known: Known, context: Context) -> Outcome:
    """The facility record's letter, else what the destination is (eDisposition.21)."""
    if chart.transport() not in (Transport.THIS_UNIT, Transport.ANOTHER_UNIT):
        return unknown(R.NO_DESTINATION)
    by_record = _of_record(chart.destination())
    if by_record is not None:
        return by_record
    kind = chart.code("eDisposition.21")
    if kind is None:
        return unknown(R.PLACE_MISSING)
    letter = _DESTINATIONS.get(kind)
    return unknown(R.PLACE_UNDECIDABLE) if letter is None else found(letter, R.CHARTED_PLACE)


def other_modifiers(chart: Reading, known: Known, context: Context) -> Outcome:
    """GM for several patients in one vehicle, QL for a death before loading, GA and GX for Medicare's notices.

    QM and QN belong to institutional claims. GZ says that a denial is expected, which no chart tells: a biller adds it.
    """
    modifiers: dict[str, ReasonCode] = {}
    if known["patient_count"] > 1:
        modifiers[_MULTIPLE_PATIENTS] = R.PATIENTS_TOGETHER
    if died_before_loading(chart):
        modifiers[PRONOUNCED_DEAD_MODIFIER] = R.PRONOUNCED_DEAD
    if context.notice is not None and context.is_medicare:
        modifiers[_NOTICES[context.notice]] = R.NOTICE_ON_FILE
    return found(list(modifiers), *(dict.fromkeys(modifiers.values()) or (R.NOT_DUE,)))


def patient_count(chart: Reading, known: Known, context: Context) -> Outcome:
    """How many patients this unit transported on the call (QTY*PT), at least the one."""
    together = chart.transported_together()
    if chart.transport() is not Transport.THIS_UNIT or together < 2:
        return found(1, R.CHARTED)
    return found(together, R.PATIENTS_TOGETHER)


def _of_record(facility: FacilitySnapshot | None) -> Outcome | None:
    if facility is None:
        return None
    letter = facility.billing_letter or _FACILITIES.get(facility.facility_type)
    return None if letter is None else found(str(letter), R.FACILITY_RECORD)
