"""The day that a call counts as: what is in force is told by it."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from app.ems.incidents.schemas import IncidentRead


def service_time_field(*, loaded: bool) -> str:
    """The incident's field that dates the service (CMS Claims Processing Manual, chapter 15).

    When the loaded ambulance left; the dispatch when nobody was loaded.
    """
    return "depart_scene_time" if loaded else "dispatch_time"


def service_date(incident: IncidentRead, time_zone: str, *, loaded: bool | None = None) -> dt.date | None:
    """The agency-local day of the service; None where the chart lacks the time.

    `loaded`: whether the patient was; without it, as the chart's times tell.
    """
    if loaded is None:
        loaded = incident.depart_scene_time is not None
    moment: dt.datetime | None = getattr(incident, service_time_field(loaded=loaded))
    return None if moment is None else moment.astimezone(zoneinfo.ZoneInfo(time_zone)).date()
