"""Loaded miles and their codes (Medicare Claims Processing Manual, chapter 15, section 30). Pure."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from app.billing.claims.models import LevelOfService
from app.billing.derivation.context import Context
from app.billing.derivation.levels import AIR, AIR_MILEAGE, GROUND_MILEAGE, WITHOUT_MILEAGE
from app.billing.derivation.outcomes import Known, Outcome, ReasonCode, found, unknown
from app.billing.derivation.reading import Reading
from app.billing.x12.ambulance import PRONOUNCED_DEAD_MODIFIER, billable_miles

R = ReasonCode
NONCOVERED_MILEAGE = "A0888"
EXCLUDED_MODIFIER = "GY"
_ON_SCENE, _AT_DESTINATION, _TO_NEAREST = "eResponse.20", "eResponse.21", "ePayment.48"
_FOR_CONVENIENCE = frozenset({"B", "C"})
"""CR104: a preferred physician, nearness of the family. Medicare pays to the nearest facility only."""


def is_mileage_due(known: Known) -> bool:
    """True if miles stand beside the base code: not for an intercept, a treatment without transport, a death."""
    level = known["level_of_service"]
    return level not in WITHOUT_MILEAGE and PRONOUNCED_DEAD_MODIFIER not in (known["other_modifiers"] or ())


def mileage_hcpcs(chart: Reading, known: Known, context: Context) -> Outcome:
    level = known["level_of_service"]
    if level is None:
        return unknown(R.LEVEL_UNKNOWN)
    if not is_mileage_due(known):
        return found(None, R.NO_MILEAGE_DUE)
    return found(AIR_MILEAGE.get(LevelOfService(level), GROUND_MILEAGE), R.FOLLOWS_FROM_LEVEL)


def loaded_miles(chart: Reading, known: Known, context: Context) -> Outcome:
    """Miles to bill under the mileage code: the odometer's difference, up to the tenth below 100 miles, to the mile
    above and in the air. Miles beyond the nearest facility are not among them."""
    if not is_mileage_due(known):
        return found(None, R.NO_MILEAGE_DUE)
    driven = _driven(chart, known)
    if driven.value is None:
        return driven
    beyond = _beyond(chart, known, context, Decimal(driven.value))
    covered = Decimal(driven.value) - beyond
    reasons = (R.ODOMETER_DIFFERENCE, *((R.BEYOND_NEAREST_FACILITY,) if beyond else ()))
    return found(_text(covered), *reasons)


def noncovered_miles(chart: Reading, known: Known, context: Context) -> Outcome:
    """Miles beyond the nearest facility (A0888), if Medicare's patient went farther for convenience."""
    if not is_mileage_due(known):
        return found(None, R.NO_MILEAGE_DUE)
    driven = _driven(chart, known)
    beyond = Decimal(0) if driven.value is None else _beyond(chart, known, context, Decimal(driven.value))
    return found(_text(beyond), R.BEYOND_NEAREST_FACILITY) if beyond else found(None, R.NOT_DUE)


def _driven(chart: Reading, known: Known) -> Outcome:
    began, ended = chart.number(_ON_SCENE), chart.number(_AT_DESTINATION)
    if began is None or ended is None:
        return unknown(R.ODOMETER_MISSING)
    if ended < began:
        return unknown(R.ODOMETER_BACKWARDS)
    return found(_text(_rounded(ended - began, known)), R.ODOMETER_DIFFERENCE)


def _rounded(miles: Decimal, known: Known) -> Decimal:
    by_air = known["level_of_service"] in AIR
    return miles.quantize(Decimal(1), ROUND_CEILING) if by_air else billable_miles(miles)


def _beyond(chart: Reading, known: Known, context: Context, driven: Decimal) -> Decimal:
    """Zero where nobody charted how far the nearest facility is."""
    nearest = chart.number(_TO_NEAREST)
    if not context.is_medicare or nearest is None or known["transport_reason"] not in _FOR_CONVENIENCE:
        return Decimal(0)
    return max(Decimal(0), driven - _rounded(nearest, known))


def _text(miles: Decimal) -> str:
    return f"{miles:f}"
