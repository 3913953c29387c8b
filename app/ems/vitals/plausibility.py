"""Unusual vital signs: warnings derived on every read, never stored, so that they follow each correction.

A limit here asks for a second look at the number or its unit. It is no triage score: a sick patient may well lie
outside. Impossible values are refused when they are written: `schemas.py` (bounds of the NEMSIS types) and
`app/ems/entries/vitals.py` (values that contradict each other).

Limits of children follow the American Heart Association's Pediatric Advanced Life Support (PALS), as these quote it:

- Heart rate: usually below 60 in a bradyarrhythmia; in supraventricular tachycardia from 220 in infants, from 180
  in children: emedicine.medscape.com/article/2066778 and /2066794.
- Respiratory rate above 60, abnormal at any age: tomwademd.net, "What the pediatric respiratory rate, pulse rate and
  blood pressure means" (PALS of 2006).
- Systolic pressure below 60 mmHg (to 28 days), 70 (infants), 70 plus 2 for each year (to ten), then 90: the same page;
  wikem.org, "Pediatric vital signs". Hagedoorn and others, Critical Care 2019;23:380, found it near the fifth centiles
  of healthy children up to twelve years, and below them later.

All other limits are ours (a child's lowest respiratory rate and highest pressures, twelve years as the end of a
child's rates and eighteen as that of a child's pressures, everything of adults), wider than any early-warning
score's. Zero is how crews chart an arrest: where it can be measured it is no slip.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from app.ems.vitals.models import Etco2Unit

MMHG_PER_UNIT = {Etco2Unit.MMHG: Decimal(1), Etco2Unit.PERCENT: Decimal("7.6"), Etco2Unit.KPA: Decimal("7.50062")}
"""One percent of an atmosphere of 760 mmHg."""
TOLERANCE = dt.timedelta(minutes=15)
"""The difference that the clocks of a monitor and of dispatch may have."""
GLUCOSE = "eVitals.18"
_PRIOR_TO_ARRIVAL = "eVitals.02"
_YES = "9923003"
_YEAR = 365
_NEWBORN, _INFANT, _CHILD, _ADOLESCENT, _ADULT = 29, _YEAR, 10 * _YEAR, 12 * _YEAR, 18 * _YEAR
"""The first day of age after each age group. PALS counts days 0 to 28 as a newborn's."""


class WarningCode(StrEnum):
    UNUSUALLY_LOW = "unusually_low"
    UNUSUALLY_HIGH = "unusually_high"
    NO_PULSE_PRESSURE = "no_pulse_pressure"
    OUTSIDE_CALL = "outside_call"
    UNIT_MISSING = "unit_missing"


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning. `field` is named as in the request: a column, or `elements.<id>`."""

    field: str
    code: WarningCode
    message: str


@dataclass(frozen=True, slots=True)
class Band:
    """Usual values, inclusive, from `from_days` of age up to `until_days`; None for every later age.

    `low_per_year` raises the lower limit with each completed year.
    """

    low: Decimal
    high: Decimal
    from_days: int = 0
    until_days: int | None = None
    low_per_year: int = 0

    def holds(self, age_days: int) -> bool:
        return self.from_days <= age_days and (self.until_days is None or age_days < self.until_days)

    def lowest(self, age_days: int) -> Decimal:
        return self.low + self.low_per_year * (age_days // _YEAR)


@dataclass(frozen=True, slots=True)
class Limit:
    """The usual values of one field in the unit of the table, by age."""

    field: str
    name: str
    bands: tuple[Band, ...]
    zero_is_charted: bool = False

    def warning_for(self, value: Decimal, age_days: int | None) -> WarningCode | None:
        """The warning that `value` deserves, if any. At an unknown age only values that are unusual at every age do."""
        if value == 0 and self.zero_is_charted:
            return None
        bands = [band for band in self.bands if age_days is None or band.holds(age_days)]
        if value < min(band.lowest(band.from_days if age_days is None else age_days) for band in bands):
            return WarningCode.UNUSUALLY_LOW
        return WarningCode.UNUSUALLY_HIGH if value > max(band.high for band in bands) else None


def _band(low: str, high: str, from_days: int = 0, until_days: int | None = None, low_per_year: int = 0) -> Band:
    return Band(Decimal(low), Decimal(high), from_days, until_days, low_per_year)


LIMITS: tuple[Limit, ...] = (
    Limit(
        "heart_rate",
        "The heart rate",
        (_band("60", "219", 0, _INFANT), _band("60", "179", _INFANT, _ADOLESCENT), _band("30", "220", _ADOLESCENT)),
        zero_is_charted=True,
    ),
    Limit(
        "respiratory_rate",
        "The respiratory rate",
        (_band("10", "60", 0, _ADOLESCENT), _band("6", "50", _ADOLESCENT)),
        zero_is_charted=True,
    ),
    Limit(
        "systolic_bp",
        "The systolic pressure",
        (
            _band("60", "150", 0, _NEWBORN),
            _band("70", "150", _NEWBORN, _INFANT),
            _band("70", "180", _INFANT, _CHILD, low_per_year=2),
            _band("90", "250", _CHILD, _ADULT),
            _band("60", "250", _ADULT),
        ),
        zero_is_charted=True,
    ),
    Limit("diastolic_bp", "The diastolic pressure", (_band("20", "150"),), zero_is_charted=True),
    Limit("spo2", "The pulse oximetry", (_band("70", "100"),)),
    Limit("etco2", "The end tidal CO2", (_band("10", "100"),), zero_is_charted=True),
    Limit("temperature_c", "The temperature", (_band("32", "41"),)),
    Limit(f"elements.{GLUCOSE}", "The blood glucose", (_band("40", "600"),)),
)
"""The one table of usual values: pressures and CO2 in mmHg, rates per minute, percent, °C, mg/dL."""


class CallTimes(Protocol):
    """The incident, as far as the time of a measurement is compared with it."""

    @property
    def dispatch_time(self) -> dt.datetime | None: ...

    @property
    def enroute_time(self) -> dt.datetime | None: ...

    @property
    def arrival_time(self) -> dt.datetime | None: ...

    @property
    def cleared_time(self) -> dt.datetime | None: ...


def warnings_of(vital: Any, age_days: int | None = None, call: CallTimes | None = None) -> list[Warned]:
    """Everything unusual about a vital (entity or answer). Without age or call, rules that need them are left out."""
    found = []
    for limit in LIMITS:
        value = _value(vital, limit.field)
        code = None if value is None else limit.warning_for(value, age_days)
        if code is not None:
            how = code.value.replace("_", " ")
            found.append(Warned(limit.field, code, f"{limit.name} is {how}: check the value and its unit."))
    systolic, diastolic = vital.systolic_bp, vital.diastolic_bp
    if systolic is not None and systolic == diastolic != 0:
        message = "The diastolic pressure equals the systolic one: check both."
        found.append(Warned("diastolic_bp", WarningCode.NO_PULSE_PRESSURE, message))
    if vital.etco2 is not None and vital.etco2_unit is None:
        message = "The unit of the end tidal CO2 is missing: say which one the monitor showed."
        found.append(Warned("etco2_unit", WarningCode.UNIT_MISSING, message))
    if call is not None and vital.taken_at is not None and _outside(vital, call):
        message = (
            "The vital signs were taken before or after this call: check the time, or mark them as prior to arrival."
        )
        found.append(Warned("taken_at", WarningCode.OUTSIDE_CALL, message))
    return found


def _value(vital: Any, field: str) -> Decimal | None:
    if field.startswith("elements."):
        text = _element(vital, field.removeprefix("elements."))
        return (
            Decimal(text) if text is not None and text.isdecimal() else None
        )  # "High" and "Low" are the meter's words
    value = getattr(vital, field)
    if value is not None and field == "etco2":
        return None if vital.etco2_unit is None else Decimal(value * MMHG_PER_UNIT[vital.etco2_unit])
    return None if value is None else Decimal(value)


def _element(vital: Any, element_id: str) -> str | None:
    entries = vital.elements.get(element_id) or [{}]
    text: str | None = entries[0].get("value")
    return text


def _outside(vital: Any, call: CallTimes) -> bool:
    """True if the vital was taken outside the call: before the unit's first known time, or after its last.

    One taken prior to the unit's arrival (eVitals.02) may lie before it.
    """
    starts = [moment for moment in (call.dispatch_time, call.enroute_time, call.arrival_time) if moment is not None]
    early = bool(starts) and vital.taken_at < min(starts) - TOLERANCE and _element(vital, _PRIOR_TO_ARRIVAL) != _YES
    return early or (call.cleared_time is not None and vital.taken_at > call.cleared_time + TOLERANCE)
