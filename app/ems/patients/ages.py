"""The age of a patient in days, as exact as limits by age need it."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from app.ems.patients.models import AgeUnit

_DAYS = {AgeUnit.YEARS: 365, AgeUnit.MONTHS: 30, AgeUnit.DAYS: 1, AgeUnit.HOURS: 0, AgeUnit.MINUTES: 0}


class Aged(Protocol):
    """A patient's columns of age, in an entity or an answer."""

    @property
    def date_of_birth(self) -> dt.date | None: ...

    @property
    def age(self) -> int | None: ...

    @property
    def age_unit(self) -> AgeUnit | None: ...


def age_in_days(patient: Aged, on: dt.datetime | None) -> int | None:
    """The age by the date of birth where it and `on` are known, else as charted (a year has 365 days)."""
    if patient.date_of_birth is not None and on is not None:
        return max((on.date() - patient.date_of_birth).days, 0)
    if patient.age is None or patient.age_unit is None:
        return None
    return patient.age * _DAYS[patient.age_unit]
