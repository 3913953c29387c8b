"""Edits about the service lines, the diagnoses and the charges (E30 to E47). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from app.billing.edits.declaration import Edit, EditSeverity, Fault, change_line
from app.billing.edits.transport import CONFINED
from app.billing.edits.view import ClaimView
from app.billing.x12.ambulance import (
    AIR_BASE_CODES,
    BASE_RATE_CODES,
    PRONOUNCED_DEAD_MODIFIER,
    is_origin_destination,
)
from app.billing.x12.hcpcs import AMBULANCE_CODES, RETIRED_CODES
from app.core.errors import Problem
from app.ems.public import Fix

_INTERCEPT, _ALS2 = "A0432", "A0433"
_TOGETHER = "GM"
_ENDS = ("origin_modifier", "destination_modifier")
_NOTICE, _VOLUNTARY, _EXCLUDED, _EXPECTED_DENIAL = "GA", "GX", "GY", "GZ"
_CONTRADICTIONS = (
    frozenset({_NOTICE, _VOLUNTARY}),
    frozenset({_NOTICE, _EXCLUDED}),
    frozenset({_NOTICE, _EXPECTED_DENIAL}),
    frozenset({_VOLUNTARY, _EXPECTED_DENIAL}),
    frozenset({_EXCLUDED, _EXPECTED_DENIAL}),
)
_UNCOVERED_PAIRS = frozenset({"RR", "EE", "RE", "ER", "SR", "SE", "HP"})
_BUNDLED = frozenset({"A0382", "A0384", "A0392", "A0394", "A0396", "A0398", "A0420", "A0422", "A0424"})
_DEAD = {"eDisposition.19": frozenset({"4219007", "4219009"}), "eArrest.18": frozenset({"3018003"})}
_GROUND_CODES_OF_THE_DEAD = frozenset({"A0428", "A0429"})
_EXTERNAL_CAUSE, _INJURY, _AMBULANCE_CODE = re.compile(r"[V-Y]"), re.compile(r"[ST]"), re.compile(r"A0\d{3}|Q30\d\d")
_CONFINED_DIAGNOSES = ("Z74", "Z99")


def _mileage_due(view: ClaimView) -> Iterator[Fault]:
    if not any(True for _ in view.mileage()):
        yield Fault("lines", "mileage_missing", "The base code has no line of miles beside it.")


def _same_route(view: ClaimView, problem: Problem) -> Fix | None:
    if view.route is None or not problem.field.startswith("lines["):
        return None
    at = int(problem.field[len("lines[") : problem.field.index("]")])
    given = view.lines[at].modifiers
    rest = given[1:] if given and is_origin_destination(given[0]) else given
    return change_line(view, at, modifiers=[view.route, *(one for one in rest if one != view.route)])


def _unsaid_route(view: ClaimView) -> Iterator[Fault]:
    """Routes that the writer does not ask for: of a death before loading, and of a claim that has no base code yet."""
    derived = view.background.derived
    if view.base is None and derived is not None and None in [derived.values.get(name) for name in _ENDS]:
        yield Fault("lines", "origin_destination", "The chart does not tell origin and destination: say them.")
    for at, line in enumerate(view.lines):
        first = line.modifiers[0] if line.modifiers else ""
        dead = line.hcpcs in BASE_RATE_CODES and PRONOUNCED_DEAD_MODIFIER in line.modifiers
        if dead and not is_origin_destination(first):
            message = "Origin and intended destination come first, before QL."
            yield Fault(f"lines[{at}].modifiers", "origin_destination", message)


def _covered_pair(view: ClaimView) -> Iterator[Fault]:
    route = view.route
    if view.base is None or route is None:
        return
    if route in _UNCOVERED_PAIRS or route[1] == "P":
        message = "Medicare does not cover a transport between these places: expect a denial, or bill the patient."
        yield Fault(f"lines[{view.base[0]}].modifiers", "pair_not_covered", message)


def _dead_before_loading(view: ClaimView) -> Iterator[Fault]:
    for at, line in enumerate(view.lines):
        if PRONOUNCED_DEAD_MODIFIER not in line.modifiers:
            continue
        if line.hcpcs in BASE_RATE_CODES and line.hcpcs not in _GROUND_CODES_OF_THE_DEAD | AIR_BASE_CODES:
            yield Fault(f"lines[{at}].hcpcs", "level_of_the_dead", "QL is paid at the BLS rate: bill A0428 or A0429.")
    for at, _ in view.mileage():
        yield Fault(f"lines[{at}].hcpcs", "miles_of_the_dead", "Nobody was loaded, so no mile is billed.")
    if not any(code in dead for element_id, dead in _DEAD.items() for code in view.codes(element_id)):
        yield Fault("lines", "death_not_charted", "The chart does not tell of a death on scene.")


def _together(view: ClaimView) -> Iterator[Fault]:
    marked = any(_TOGETHER in line.modifiers for line in view.lines)
    if marked and view.claim.patient_count < 2:
        yield Fault("patient_count", "one_patient", "GM says several patients: give their number.")
    if view.claim.patient_count > 1 and view.is_medicare and not marked:
        message = "Several patients rode together: Medicare wants GM."
        yield Fault("lines", "several_patients", message, EditSeverity.WARNING)
    if view.claim.patient_count > 1 and view.chart.alone:
        message = "The chart has one patient only."
        yield Fault("patient_count", "chart_has_one", message, EditSeverity.WARNING)


def _agrees_with_places(view: ClaimView) -> Iterator[Fault]:
    derived = view.background.derived
    if derived is None or view.base is None or view.route is None:
        return
    letters = [derived.values.get(name) for name in _ENDS]
    if any(letter is not None and letter != said for letter, said in zip(letters, view.route, strict=True)):
        at, line = view.base
        written = {modifiers[0] for _, modifiers in derived.lines if modifiers}
        message = "Origin and destination are not those that the chart tells."
        yield Fault(f"lines[{at}].modifiers", "differs_from_chart", message, _by_override(line.modifiers[0] in written))


def _level_charted(view: ClaimView) -> Iterator[Fault]:
    derived = view.background.derived
    if derived is None or view.base is None or derived.values.get("hcpcs") in (None, view.base_code):
        return
    at, line = view.base
    written = {hcpcs for hcpcs, _ in derived.lines}
    message = "The level is not the one that the chart supports."
    yield Fault(f"lines[{at}].hcpcs", "level_not_charted", message, _by_override(line.hcpcs in written))


def _by_override(stands_by_override: bool) -> EditSeverity:
    """What a biller stated with a reason is only warned of."""
    return EditSeverity.WARNING if stands_by_override else EditSeverity.BLOCKING


def _notice_modifiers(view: ClaimView) -> Iterator[Fault]:
    filed = {notice.is_voluntary for notice in view.background.notices}
    for at, line in enumerate(view.lines):
        if any(pair <= {*line.modifiers} for pair in _CONTRADICTIONS):
            message = "Of GA, GX, GY and GZ only GX and GY go together."
            yield Fault(f"lines[{at}].modifiers", "notices_contradict", message)
        for modifier, voluntary in ((_NOTICE, False), (_VOLUNTARY, True)):
            if modifier in line.modifiers and voluntary not in filed:
                message = f"{modifier} says that a notice is on file, and none is."
                yield Fault(f"lines[{at}].modifiers", "notice_missing", message)


def _bundled(view: ClaimView) -> Iterator[Fault]:
    for at, line in enumerate(view.lines):
        if line.hcpcs in _BUNDLED:
            message = "Medicare pays this with the base rate, and nothing beside it."
            yield Fault(f"lines[{at}].hcpcs", "bundled", message)


def _units_and_prices(view: ClaimView) -> Iterator[Fault]:
    for at, line in enumerate(view.lines):
        if line.hcpcs in BASE_RATE_CODES and line.units != 1:
            yield Fault(
                f"lines[{at}].units", "base_units", "A base code has one unit.", offer=change_line(view, at, units="1")
            )
        if line.charge <= 0:
            message = "The line has no charge."
            yield Fault(f"lines[{at}].charge", "no_charge", message, EditSeverity.WARNING)
        price = _price(view, line.hcpcs)
        if price is not None and line.charge != (price * line.units).quantize(Decimal("0.01")):
            message = "The charge is not that of the fee schedule of the day."
            yield Fault(f"lines[{at}].charge", "differs_from_schedule", message, EditSeverity.WARNING)


def _price(view: ClaimView, hcpcs: str) -> Decimal | None:
    """The price of one unit on the day of service. None if no fee schedule has one."""
    if view.served_on is None or view.background.prices is None:
        return None
    found = view.background.prices.find(view.claim.payer_record_id, hcpcs, view.served_on)
    return None if found is None else found.amount


def _principal_pointed_at(view: ClaimView) -> Iterator[Fault]:
    if view.base is not None and view.base[1].diagnosis_pointers[:1] != [1]:
        message = "The base code should point to the principal diagnosis first."
        yield Fault(f"lines[{view.base[0]}].diagnosis_pointers", "principal_not_first", message)


def _diagnoses(view: ClaimView) -> Iterator[Fault]:
    diagnoses = view.claim.diagnoses
    if diagnoses and _EXTERNAL_CAUSE.match(diagnoses[0]):
        message = "An external cause (V to Y) never stands first."
        yield Fault("diagnoses[0]", "external_cause_first", message)
    if CONFINED in view.conditions and not any(code.startswith(_CONFINED_DIAGNOSES) for code in diagnoses):
        message = "The condition 12 (confined) is better supported by a diagnosis of Z74 or Z99."
        yield Fault("diagnoses", "confinement_not_coded", message, EditSeverity.WARNING)


def _accident(view: ClaimView) -> Iterator[Fault]:
    if view.claim.accident is None and any(_INJURY.match(code) for code in view.claim.diagnoses):
        message = "An injury is billed, and nothing says whether it was an accident."
        yield Fault("accident", "accident_missing", message, EditSeverity.WARNING)
    for at, line in enumerate(view.lines):
        if not _AMBULANCE_CODE.fullmatch(line.hcpcs):
            continue
        ended = RETIRED_CODES.get(line.hcpcs)
        if ended is not None and view.served_on is not None and view.served_on > ended:
            yield Fault(f"lines[{at}].hcpcs", "code_retired", "This code was no longer in force on the day of service.")
        elif ended is None and line.hcpcs not in AMBULANCE_CODES:
            yield Fault(f"lines[{at}].hcpcs", "code_unknown", "HCPCS has no such ambulance code.")


LINE_EDITS = (
    Edit(
        id="E30",
        what="Each way of the transport has exactly one base code.",
        why="A payer pays one level a transport.",
        source="Medicare Claims Processing Manual, chapter 15, section 30.2; 2400 SV1",
        fix="Keep one base code, or two for a round trip.",
        structural=("lines",),
    ),
    Edit(
        id="E31",
        what="A base code has its mileage beside it, and mileage has its base code.",
        why="Medicare pays the loaded miles with the base rate, and never alone.",
        source="Medicare Claims Processing Manual, chapter 15, section 30.1.2",
        fix="Add the line of miles, or the base code.",
        structural=("lines.hcpcs:mileage_without_base",),
        applies=lambda view: view.base_code in BASE_RATE_CODES - {_INTERCEPT} and not view.pronounced_dead,
        judge=_mileage_due,
    ),
    Edit(
        id="E32",
        what="Base code and mileage name the same origin and destination.",
        why="A line with another route belongs to another transport.",
        source="Medicare Claims Processing Manual, chapter 15, section 30.A",
        fix="Give the mileage the modifier of the base code.",
        structural=("lines.modifiers:mileage_route",),
        offer=_same_route,
    ),
    Edit(
        id="E33",
        what="The first modifier names origin and destination. X is no origin, S no destination.",
        why="A claim without them is unprocessable.",
        source="Medicare Claims Processing Manual, chapter 15, section 30.A; 2400 SV101-3",
        fix="Say the two letters. A facility record gives them once and for all.",
        structural=("lines.modifiers",),
        judge=_unsaid_route,
    ),
    Edit(
        id="E34",
        what="Origin and destination are those that the chart tells.",
        why="Reviewers compare the letters with the charted places and facilities.",
        source="Medicare Claims Processing Manual, chapter 15, section 30.A; eScene.09, eDisposition.21",
        fix="Derive the claim again, or override the letters with a reason.",
        judge=_agrees_with_places,
    ),
    Edit(
        id="E35",
        what="Medicare covers a transport between these places.",
        why="A physician's office is no covered destination, nor is one residence from another.",
        source="42 CFR 410.40(f); Medicare Benefit Policy Manual, chapter 10, section 10.3",
        fix="Check the letters. If they are right, bill the patient or expect a denial.",
        severity=EditSeverity.WARNING,
        applies=lambda view: view.is_medicare,
        judge=_covered_pair,
    ),
    Edit(
        id="E36",
        what="The chart supports the level of service.",
        why="A level that the record does not support is paid back.",
        source="42 CFR 414.605; Medicare Benefit Policy Manual, chapter 10, section 30.1.1",
        fix="Derive the claim again, or override the level with a reason.",
        applies=lambda view: view.base_code != _ALS2,
        judge=_level_charted,
    ),
    Edit(
        id="E37",
        what="ALS2 needs three administrations by vein or one of the listed procedures in the chart.",
        why="ALS2 is the level that is reviewed most.",
        source="42 CFR 414.605, ALS2",
        fix="Chart what was done, or bill ALS1.",
        applies=lambda view: view.base_code == _ALS2,
        judge=_level_charted,
    ),
    Edit(
        id="E38",
        what="A death before loading (QL) is billed at the BLS rate, without miles, and is charted.",
        why="Medicare pays the response, and no transport.",
        source="Medicare Benefit Policy Manual, chapter 10, section 10.2.6",
        fix="Correct code and lines, or take QL off.",
        applies=lambda view: view.pronounced_dead,
        judge=_dead_before_loading,
    ),
    Edit(
        id="E39",
        what="GM goes with the number of patients, and several patients with GM.",
        why="Medicare pays a share for each of several patients.",
        source="42 CFR 414.610(c)(6); 2400 QTY*PT",
        fix="Correct the number of patients, or the modifier.",
        structural=("patient_count", "lines.patient_count"),
        judge=_together,
    ),
    Edit(
        id="E40",
        what="GA and GX have their notice (ABN) on file. Modifiers about notices do not contradict each other.",
        why="Without the notice the patient cannot be billed for what Medicare denies.",
        source="Medicare Claims Processing Manual, chapter 30, section 50",
        fix="File the notice, or keep the modifier that is true.",
        judge=_notice_modifiers,
    ),
    Edit(
        id="E41",
        what="Medicare gets no lines for oxygen, supplies, waiting or attendants.",
        why="The base rate pays them (CARC 97).",
        source="42 CFR 414.610(b)",
        fix="Take the line off, unless a denial is wanted for another payer.",
        severity=EditSeverity.WARNING,
        applies=lambda view: view.is_medicare,
        judge=_bundled,
    ),
    Edit(
        id="E42",
        what="A base code has one unit. Units and charges are positive, and charges are those of the fee schedule.",
        why="Payers refuse other units of a base code. They pay no more than was charged.",
        source="2400 SV102, SV104",
        fix="Correct units and charge.",
        structural=("lines.units", "lines.charge", "charge_amount:charge_zero"),
        judge=_units_and_prices,
    ),
    Edit(
        id="E43",
        what="The claim's charge is the sum of its lines.",
        why="Payers refuse a claim that does not add up.",
        source="2300 CLM02; 2300 AMT*F5",
        fix="Nothing to do: the service adds the lines up.",
        structural=("charge_amount", "patient_amount_paid"),
    ),
    Edit(
        id="E44",
        what="The day of service is charted, after the patient's birth and not in the future.",
        why="Every line carries it.",
        source="2400 DTP*472",
        fix="Correct the times in the chart.",
        structural=(
            "incident.depart_scene_time",
            "incident.dispatch_time",
            "patient.depart_scene_time",
            "patient.dispatch_time",
        ),
    ),
    Edit(
        id="E45",
        what="A claim has one to twelve diagnoses, and lines point to those.",
        why="A line without a diagnosis of the claim has no reason.",
        source="2300 HI; 2400 SV107",
        fix="Correct the diagnoses, or the pointers of the line.",
        severity=EditSeverity.WARNING,
        structural=("diagnoses", "lines.diagnosis_pointers"),
        judge=_principal_pointed_at,
    ),
    Edit(
        id="E46",
        what="Diagnoses are ICD-10-CM codes that were billable on the day of service. No external cause comes first.",
        why="Payers refuse headings, invented and outdated codes.",
        source="45 CFR 162.1002; ICD-10-CM guidelines I.C.20",
        fix="Choose the more specific code, or the condition before its cause.",
        structural=(
            "diagnoses:icd_shape",
            "diagnoses:unknown_code",
            "diagnoses:code_not_in_force",
            "diagnoses:code_not_billable",
        ),
        judge=_diagnoses,
    ),
    Edit(
        id="E47",
        what="Codes of services exist and were in force. An injury says whether it was an accident.",
        why="Payers ask who else is liable for an injury, and refuse codes that HCPCS does not have.",
        source="HCPCS Level II; 2300 CLM11, DTP*439",
        fix="Correct the code, or say the accident with its day, and the state of an auto accident.",
        structural=("lines.hcpcs", "accident"),
        judge=_accident,
    ),
)
