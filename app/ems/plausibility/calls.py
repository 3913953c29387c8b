"""Doubts about the call: its times, how each patient left the scene, and who drove."""

from __future__ import annotations

import datetime as dt
import uuid

from app.core.schemas import EntityRead
from app.ems.call_kinds import CANCELLED_BEFORE_ARRIVAL, Need, needs_of
from app.ems.crew.models import CrewMember, ResponseRole
from app.ems.incidents.models import Incident
from app.ems.patient_facts import (
    NEVER,
    PRIMARY_IMPRESSION,
    TRANSPORT_DISPOSITION,
    UNIT_DISPOSITION,
    Transport,
    says_itself,
    time_of,
    transport_of,
)
from app.ems.patients.models import Patient
from app.ems.plausibility.doubts import TIMES, DoubtCode, Doubts, Looked, doubt, named, own_times
from app.ems.vitals.plausibility import TOLERANCE

LONGEST_CALL = dt.timedelta(hours=48)
"""If two times of one call are further apart, one of them has the wrong date."""
_AT_SCENE, _DEPARTED, _ARRIVED = "arrival_time", "depart_scene_time", "arrived_destination_time"
_DRIVERS = frozenset({ResponseRole.DRIVER_RESPONSE, ResponseRole.DRIVER_TRANSPORT})


def times(chart: Looked) -> Doubts:
    """Times in the future, and times on another day than the dispatch."""
    rows: list[tuple[EntityRead, str, uuid.UUID | None]] = [(chart.incident, Incident.entity_type, None)]
    rows += [(one.patient, Patient.entity_type, one.patient.id) for one in chart.patients]
    for entry, entity, patient_id in rows:
        for field, moment in own_times(entry).items():
            rule = TIMES.get(field) or field.removeprefix("elements.")
            code = _wrong(chart, moment)
            if code is not None:
                where = "in the future" if code is DoubtCode.IN_THE_FUTURE else "on another day than the dispatch"
                message = f"{named(rule)} lies {where}: was a clock wrong?"
                yield doubt(entry, entity, field, code, message, patient_id=patient_id, blocking=True, rule=rule)


def _wrong(chart: Looked, moment: dt.datetime) -> DoubtCode | None:
    if moment > chart.at + TOLERANCE:
        return DoubtCode.IN_THE_FUTURE
    dispatched = chart.incident.dispatch_time
    return DoubtCode.WRONG_DAY if dispatched is not None and abs(moment - dispatched) > LONGEST_CALL else None


def transports(chart: Looked) -> Doubts:
    """Transport times of patients who were not transported, or whose transport is not charted."""
    for one in chart.patients:
        patient, transport = one.patient, transport_of(one)
        if transport is Transport.NONE:
            for field in own_times(patient):
                rule = TIMES.get(field) or field.removeprefix("elements.")
                if rule in NEVER or rule == TIMES[_DEPARTED]:
                    message = f"{named(rule)} is recorded of a patient who was not transported: remove one of the two."
                    yield doubt(
                        patient,
                        Patient.entity_type,
                        field,
                        DoubtCode.NOT_TRANSPORTED,
                        message,
                        patient_id=patient.id,
                        blocking=True,
                        rule=rule,
                    )
        departed, arrived = (time_of(one, name) for name in (_DEPARTED, _ARRIVED))
        own = patient.depart_scene_time is not None or patient.arrived_destination_time is not None
        if own and departed is not None and arrived is not None and arrived < departed:
            message = f"{named(TIMES[_ARRIVED])} lies before {named(TIMES[_DEPARTED])}: check both."
            field = _ARRIVED if patient.arrived_destination_time is not None else _DEPARTED
            yield doubt(
                patient,
                Patient.entity_type,
                field,
                DoubtCode.TIME_ORDER,
                message,
                patient_id=patient.id,
                rule=TIMES[field],
            )
    yield from _unsaid(chart)
    yield from _of_nobody(chart)


def _unsaid(chart: Looked) -> Doubts:
    """Patients whose transport is not charted, on a call with several patients. They get no arrival time."""
    if len(chart.patients) < 2 or chart.incident.arrived_destination_time is None:
        return
    for one in chart.patients:
        said = any(entry.get("value") for entry in one.patient.elements.get(TRANSPORT_DISPOSITION, ()))
        unsaid = transport_of(one) is Transport.UNSAID and not said
        if unsaid and not says_itself(one.patient, TIMES[_ARRIVED]):
            message = f"{named(TRANSPORT_DISPOSITION)} is missing: was this patient transported, as another one was?"
            yield doubt(
                one.patient,
                Patient.entity_type,
                f"elements.{TRANSPORT_DISPOSITION}",
                DoubtCode.TRANSPORT_UNSAID,
                message,
                patient_id=one.patient.id,
            )


def _of_nobody(chart: Looked) -> Doubts:
    """An arrival at a destination on a call where this unit transported nobody. No document holds that arrival."""
    transported = [transport_of(one) for one in chart.patients]
    if chart.incident.arrived_destination_time is None or not transported:
        return
    if all(transport in (Transport.NONE, Transport.ANOTHER_UNIT) for transport in transported):
        message = f"{named(TIMES[_ARRIVED])} is recorded, and this unit transported nobody: check both."
        yield doubt(
            chart.incident,
            Incident.entity_type,
            _ARRIVED,
            DoubtCode.NOT_TRANSPORTED,
            message,
            rule=TIMES[_ARRIVED],
        )


def impressions(chart: Looked) -> Doubts:
    """The incident's primary impression on a call with several patients. Nothing says whose it is."""
    if chart.incident.primary_impression is None or len(chart.patients) < 2:
        return
    if any(PRIMARY_IMPRESSION not in one.patient.elements for one in chart.patients):
        message = (
            "This impression counts for none of several patients: record each patient's own, or say why there is none."
        )
        yield doubt(
            chart.incident,
            Incident.entity_type,
            "primary_impression",
            DoubtCode.IMPRESSION_UNASSIGNED,
            message,
            rule=PRIMARY_IMPRESSION,
        )


def dispositions(chart: Looked) -> Doubts:
    """A patient, or a time of arrival, on a call that had none by its disposition."""
    for one in chart.patients:
        if Need.PATIENT not in needs_of(one):
            message = (
                f"{named(UNIT_DISPOSITION)} says that there was no patient, and there is one: correct one of the two."
            )
            own = UNIT_DISPOSITION in one.patient.elements
            yield doubt(
                one.patient if own else chart.incident,
                Patient.entity_type if own else Incident.entity_type,
                f"elements.{UNIT_DISPOSITION}" if own else "disposition",
                DoubtCode.CONTRADICTS_DISPOSITION,
                message,
                patient_id=one.patient.id if own else None,
                rule=UNIT_DISPOSITION,
            )
    if chart.incident.arrival_time is not None and chart.incident.disposition == CANCELLED_BEFORE_ARRIVAL:
        message = f"{named(TIMES[_AT_SCENE])} is recorded of a call that was cancelled before arrival: check both."
        yield doubt(
            chart.incident,
            Incident.entity_type,
            _AT_SCENE,
            DoubtCode.CONTRADICTS_DISPOSITION,
            message,
            rule=TIMES[_AT_SCENE],
        )


def crew(chart: Looked) -> Doubts:
    """A transport without a driver, if the roles of the whole crew are recorded."""
    members = chart.patients[0].crew if chart.patients else []
    roles = [member.response_roles for member in members]
    drove = any(role in _DRIVERS for given in roles for role in given or ())
    transported = any(transport_of(one) is Transport.THIS_UNIT for one in chart.patients)
    if members and transported and not drove and None not in roles:
        message = "A patient was transported, and nobody of the crew drove: check the roles."
        yield doubt(members[0], CrewMember.entity_type, "response_roles", DoubtCode.NO_DRIVER, message, rule="eCrew.03")
