"""Why the transport was necessary: CR1, CRC, diagnoses, accident, signature, authorisation. Pure."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from app.billing.derivation.context import Context
from app.billing.derivation.levels import AIR
from app.billing.derivation.outcomes import Known, Outcome, ReasonCode, found, unknown
from app.billing.derivation.reading import Reading

R = ReasonCode
_POUNDS_A_KILOGRAM = Decimal("2.20462262")
_MOVED_BY_STRETCHER = "9909013"
_STRETCHER, _MOST_CONDITIONS, _MOST_DIAGNOSES = "04", 5, 12
_IMPRESSIONS = ("eSituation.11", "eSituation.12")
_CAUSES = "eInjury.01"
_EXTERNAL_CAUSE = re.compile(r"[V-Y]")
_MOTOR_VEHICLE = re.compile(r"V(0[2-4]|09|1[2-4]|19|[2-7][0-9]|8[3-7])")
"""ICD-10-CM: a motor vehicle hit a pedestrian or a cyclist, or the patient rode in or on one."""
_INJURED = "9922005"
_WATER = "4216017"
_LAND_PLACE, _AIR_OR_WATER_PLACE = "41", "42"


def transport_reason(chart: Reading, known: Known, context: Context) -> Outcome:
    """CR104, as charted in ePayment.44."""
    codes = chart.codes("ePayment.44")
    if not codes:
        return unknown(R.NOT_CHARTED)
    return found(codes[0], R.CHARTED, *((R.SEVERAL_CHARTED,) if len(codes) > 1 else ()))


def weight_lb(chart: Reading, known: Known, context: Context) -> Outcome:
    """CR102 in whole pounds, of the kilograms in eExam.01."""
    kilograms = chart.number("eExam.01")
    if kilograms is None:
        return unknown(R.NOT_CHARTED)
    pounds = (kilograms * _POUNDS_A_KILOGRAM).quantize(Decimal(1), ROUND_HALF_UP)
    return found(f"{max(pounds, Decimal(1)):f}", R.CHARTED)


def certifications(chart: Reading, known: Known, context: Context) -> Outcome:
    """CRC*07: the conditions of ePayment.47, and 04 for a patient who was moved by stretcher. Nothing is denied."""
    conditions = set(chart.codes("ePayment.47"))
    if _MOVED_BY_STRETCHER in chart.codes("eDisposition.13"):
        conditions.add(_STRETCHER)
    return found({"yes": sorted(conditions)[:_MOST_CONDITIONS], "no": []}, R.CHARTED if conditions else R.NOT_CHARTED)


def round_trip_purpose(chart: Reading, known: Known, context: Context) -> Outcome:
    """CR109, as charted in ePayment.45."""
    return _said(chart, "ePayment.45")


def stretcher_purpose(chart: Reading, known: Known, context: Context) -> Outcome:
    """CR110, as charted in ePayment.46."""
    return _said(chart, "ePayment.46")


def prior_authorization(chart: Reading, known: Known, context: Context) -> Outcome:
    """REF*G1, as charted in ePayment.53."""
    return _said(chart, "ePayment.53")


def diagnoses(chart: Reading, known: Known, context: Context) -> Outcome:
    """ICD-10-CM in billing order: the primary impression, the secondary ones, the causes of an injury.

    A code that cannot stand on a claim of the day of service is left out. A cause never stands first.
    """
    charted = [code for element_id in _IMPRESSIONS for code in _coded(chart, element_id)]
    causes = [code for code in chart.codes(_CAUSES) if _EXTERNAL_CAUSE.match(code)]
    impressions = [code for code in charted if not _EXTERNAL_CAUSE.match(code)]
    ordered = list(dict.fromkeys([*impressions, *(code for code in charted if code not in impressions), *causes]))
    day = context.served_on
    refused = [] if day is None else [code for code in ordered if context.codes.fault(code, day) is not None]
    billable = [code for code in ordered if code not in refused][:_MOST_DIAGNOSES]
    also = (R.CODE_REFUSED,) if refused else ()
    if not billable or _EXTERNAL_CAUSE.match(billable[0]):
        return unknown(R.NOT_CHARTED, *also)
    return found(billable, R.CHARTED, *also)


def accident(chart: Reading, known: Known, context: Context) -> Outcome:
    """CLM11 and DTP*439: an injury whose cause is charted; its day is that of the onset (eSituation.01)."""
    causes = [code for code in chart.codes(_CAUSES) if _EXTERNAL_CAUSE.match(code)]
    if not causes and chart.code("eSituation.02") != _INJURED:
        return found(None, R.NOT_DUE)
    if not causes:
        return unknown(R.NOT_CHARTED)
    by_car = any(_MOTOR_VEHICLE.match(code) for code in causes)
    at_work = chart.code("eSituation.14") == _INJURED
    related = [*(["AA"] if by_car else []), *(["EM"] if at_work else [])] or ["OA"]
    onset, state = chart.moment("eSituation.01"), chart.incident_field("location_state")
    on = None if onset is None else onset.date().isoformat()
    reasons = (R.CHARTED,) if on is not None else (R.CHARTED, R.NOT_CHARTED)
    return found({"causes": related, "state": state if by_car else None, "occurred_on": on}, *reasons)


def place_of_service(chart: Reading, known: Known, context: Context) -> Outcome:
    """CLM05-1: 42 by air or on water, else 41."""
    if known["level_of_service"] in AIR or chart.code("eDisposition.16") == _WATER:
        return found(_AIR_OR_WATER_PLACE, R.CHARTED)
    if known["level_of_service"] is None:
        return found(context.place_of_service, R.AGENCY_DEFAULT)
    return found(_LAND_PLACE, R.FOLLOWS_FROM_LEVEL)


def signature_on_file(chart: Reading, known: Known, context: Context) -> Outcome:
    """CLM06: the chart holds an assignment of benefits that covers it (42 CFR 424.36)."""
    return found(True, R.SIGNED) if context.signed else unknown(R.NO_SIGNATURE)


def _said(chart: Reading, element_id: str) -> Outcome:
    text = chart.code(element_id)
    return found(text, R.NOT_DUE if text is None else R.CHARTED)


def _coded(chart: Reading, element_id: str) -> tuple[str, ...]:
    """The patient's own codes; for a sole patient, else the incident's primary impression."""
    codes = chart.codes(element_id)
    if codes or element_id != _IMPRESSIONS[0] or not chart.chart.alone:
        return codes
    primary = chart.incident_field("primary_impression")
    return () if primary is None else (primary,)
