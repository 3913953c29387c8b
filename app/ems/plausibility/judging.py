"""Applies all rules of plausibility to one chart. Readiness shows the doubts. `complete` refuses blocking ones."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence

from app.core.errors import Problem
from app.ems.incidents.schemas import IncidentRead
from app.ems.patient_charts import PatientChart
from app.ems.plausibility.calls import crew, dispositions, impressions, times, transports
from app.ems.plausibility.doubts import Doubt, Doubts, Looked
from app.ems.plausibility.entries import interventions, vitals
from app.ems.plausibility.patients import patients

RULES: tuple[Callable[[Looked], Doubts], ...] = (
    times,
    transports,
    impressions,
    dispositions,
    crew,
    patients,
    interventions,
    vitals,
)


def doubts_of(incident: IncidentRead, charts: Sequence[PatientChart], time_zone: str, at: dt.datetime) -> list[Doubt]:
    """Everything implausible about the chart at the instant `at`."""
    looked = Looked(incident, charts, at, zoneinfo.ZoneInfo(time_zone))
    return [found for rule in RULES for found in rule(looked)]


def blocking_problems(doubts: Sequence[Doubt]) -> tuple[Problem, ...]:
    """The doubts that keep a chart from being completed, as its guard reports them."""
    return tuple(Problem(found.path, found.code.value, found.message) for found in doubts if found.blocking)
