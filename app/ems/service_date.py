"""The date of service of a call. It decides which codes and rules are in force."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from app.ems.incidents.schemas import IncidentRead
from app.ems.patient_facts import OnePatient, time_of


def service_time_field(*, loaded: bool) -> str:
    """The incident's field that dates the service (CMS Claims Processing Manual, chapter 15).

    It is the time at which the loaded ambulance left, or the dispatch when nobody was loaded.
    """
    return "depart_scene_time" if loaded else "dispatch_time"


def service_date(
    incident: IncidentRead, time_zone: str, *, loaded: bool | None = None, of: OnePatient | None = None
) -> dt.date | None:
    """The agency-local day of the service; None where the chart lacks the time.

    `loaded` says whether the patient was loaded. Without it the chart's times tell. `of` asks for the day of one
    patient's transport; without it the incident's time counts.
    """
    if loaded is None:
        loaded = incident.depart_scene_time is not None
    field = service_time_field(loaded=loaded)
    moment = getattr(incident, field) if of is None else time_of(of, field)
    return None if moment is None else moment.astimezone(zoneinfo.ZoneInfo(time_zone)).date()
