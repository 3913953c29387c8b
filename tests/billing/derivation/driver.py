"""Charts a row of the table over HTTP, and compares what the service derived with what the rules say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.billing.derivation.facts import (
    BEYOND_NEAREST,
    BEYOND_NEAREST_MODIFIER,
    STATED,
    Body,
    Charted,
    Due,
    PayerKind,
    Transport,
    Why,
)
from tests.support.actors import Agency
from tests.support.charts import Call, lock_call

FACILITIES, PERSONNEL, TENANT, INCIDENTS = (
    "tenants/current/facilities",
    "tenants/current/personnel",
    "tenants/current",
    "ems/incidents",
)
_CAREGIVER, _DRIVER, _OTHER = ["2403011", "2403013"], ["2403001", "2403003"], ["2403009"]
_EDIT_NUMBERS = (19, 20, 22, 24, 25, 26, *range(30, 41), 48)
ABOUT_TRANSPORTS = frozenset(f"E{number}" for number in _EDIT_NUMBERS)
"""Edits (reference 6) about what the table says. Where a row expects none to block, none of these may."""


@dataclass(frozen=True)
class Locked:
    """A row as charted: the locked incident, and its patients in the order of the row."""

    incident: Body
    patients: tuple[Body, ...]


async def chart_and_lock(agency: Agency, row: Transport) -> Locked:
    """The whole chart of a row, written by the medic, reviewed, and locked."""
    await _move_to(agency, row.state)
    picks = {}
    for column, place in (("origin_facility_id", row.origin), ("destination_facility_id", row.destination)):
        if place is not None:
            picks[column] = (await agency.admin.expect(201, "POST", FACILITIES, json=place))["id"]
    head = {"incident_number": f"26-{row.id}", **row.incident, **picks}
    incident = await agency.medic.expect(201, "POST", INCIDENTS, json=head)
    at = f"{INCIDENTS}/{incident['id']}"
    for place_in_crew, level in enumerate(row.crew):
        await _join(agency, at, row.id, place_in_crew, level)
    patients = tuple([await _add(agency, at, charted) for charted in row.patients])
    call = await lock_call(agency, Call(incident, patients[0] if patients else {}))
    return Locked(call.incident, patients)


async def _move_to(agency: Agency, state: str) -> None:
    tenant = await agency.admin.expect(200, "GET", TENANT)
    if tenant["state"] != state:
        body = {"version": tenant["version"], "state": state}
        await agency.admin.expect(200, "PATCH", TENANT, json=body)


async def _join(agency: Agency, at: str, row_id: str, place: int, level: str) -> None:
    """One of the crew, hired for the call: the first cares for the patient, the second drives."""
    person = {"last_name": f"Crew {row_id}", "first_name": f"Number {place}", "licensure_level": level}
    hired = await agency.admin.expect(201, "POST", PERSONNEL, json=person)
    roles = (_CAREGIVER, _DRIVER)[place] if place < 2 else _OTHER
    await agency.medic.expect(201, "POST", f"{at}/crew", json={"personnel_id": hired["id"], "response_roles": roles})


async def _add(agency: Agency, at: str, charted: Charted) -> Body:
    patient: Body = await agency.medic.expect(201, "POST", f"{at}/patients", json=charted.body)
    about = {"patient_id": patient["id"]}
    for given in charted.interventions:
        await agency.medic.expect(201, "POST", f"{at}/interventions", json=about | given)
    for group in charted.payer.groups:
        await agency.medic.expect(201, "POST", f"{at}/element-groups", json=about | group)
    return patient


@dataclass(frozen=True)
class Derived:
    """What the service answers about one claim: the claim, its derivation, and the ids of the edits that were found."""

    claim: Body
    derivation: Body
    blocking: frozenset[str]
    warnings: frozenset[str]

    def value(self, name: str) -> Body:
        """The derived value `name`; raises KeyError if the answer has none."""
        return self._values[name]

    @property
    def _values(self) -> Mapping[str, Body]:
        return {value["name"]: value for value in self.derivation["values"]}


def disagreements(charted: Charted, due: Due, found: Derived) -> list[str]:
    """Where the service and the table disagree, in words. Empty: nowhere."""
    compared = (_facts(due, found), _stated(charted, due, found), _lines(due, found), _parties(charted, due, found))
    return [*(each for found_there in compared for each in found_there), *_edits(due, found)]


def _letters(due: Due) -> dict[str, str | None]:
    """The letters of origin and destination. Of a pair that is not known, only the missing letter is said."""
    if due.pair is not None:
        return {"origin_modifier": due.pair[0], "destination_modifier": due.pair[1]}
    return {"origin_modifier" if due.why["pair"] is Why.ORIGIN else "destination_modifier": None}


def _facts(due: Due, found: Derived) -> Iterator[str]:
    expected: dict[str, Any] = {
        "hcpcs": due.hcpcs,
        "transport_reason": due.reason,
        "weight_lb": None if due.weight_lb is None else Decimal(due.weight_lb),
        "other_modifiers": list(due.further),
        "patient_count": due.patients_transported,
        "place_of_service": due.place_of_service,
        "certifications": {"yes": sorted(due.conditions), "no": []},
        **_letters(due),
    }
    if due.level is None:
        del expected["place_of_service"]
    if due.mileage_due:
        expected["loaded_miles"] = None if due.miles is None else Decimal(due.miles)
        expected["mileage_hcpcs"] = due.mileage_hcpcs
    for name, wanted in expected.items():
        said = found.value(name)
        value = _comparable(name, said["value"])
        if value != wanted:
            yield f"{name}: {wanted!r} expected, {value!r} derived ({_reasons(said)})"
        elif wanted is None and (said["status"] != "underivable" or not said["reasons"]):
            yield f"{name}: null without a reason"
        if wanted is not None and wanted != [] and not (said["citations"] or said["rule"]):
            yield f"{name}: neither a cited field nor a rule"


def _stated(charted: Charted, due: Due, found: Derived) -> Iterator[str]:
    """A level that the crew stated otherwise is shown beside the derived one: the level cites the statement."""
    cited = [citation["field"] for citation in found.value("level_of_service")["citations"]]
    if due.differs_from(charted) and f"elements.{STATED}" not in cited:
        yield f"level_of_service: the crew's statement ({STATED}) is not compared"


def _comparable(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in ("weight_lb", "loaded_miles"):
        return Decimal(str(value))
    if name == "certifications":
        return {answer: sorted(codes) for answer, codes in value.items()}
    return value


def _reasons(said: Body) -> str:
    return ", ".join(reason["code"] for reason in said["reasons"]) or "no reason"


def _lines(due: Due, found: Derived) -> Iterator[str]:
    """Base, miles, and miles beyond the nearest facility: code, units and modifiers of each line."""
    if due.modifiers is None or due.hcpcs is None:
        return
    wanted = {due.hcpcs: (Decimal(1), list(due.modifiers))}
    if due.mileage_hcpcs is not None and due.miles is not None:
        wanted[due.mileage_hcpcs] = (Decimal(due.miles), list(due.modifiers))
    if due.beyond is not None:
        wanted[BEYOND_NEAREST] = (Decimal(due.beyond), [due.modifiers[0], BEYOND_NEAREST_MODIFIER])
    lines = {line["hcpcs"]: (Decimal(str(line["units"])), line["modifiers"]) for line in found.claim["lines"]}
    if lines != wanted:
        yield f"lines: {wanted} expected, {lines} made"


def _parties(charted: Charted, due: Due, found: Derived) -> Iterator[str]:
    """Payer, subscriber, member id, authorisation; a claim without a coverage says why."""
    payer, claim = charted.payer, found.claim
    filing = None if payer.kind is PayerKind.NOBODY else payer.kind.value
    if claim["claim_filing_code"] != filing:
        yield f"claim_filing_code: {filing!r} expected, {claim['claim_filing_code']!r} drafted"
    if filing is None and not found.value("payer")["reasons"]:
        yield "payer: null without a reason"
    relation = (claim["subscriber"] or {"relationship": "18"})["relationship"]
    if relation != due.relation:
        yield f"subscriber: {due.relation!r} expected, {relation!r} drafted"
    if due.member_id is not None and claim["member_id"] != due.member_id:
        yield "member_id: another one than the coverage's"
    if due.authorization is not None and claim["prior_authorization"] != due.authorization:
        yield "prior_authorization: another one than charted"


def _edits(due: Due, found: Derived) -> Iterator[str]:
    for edit in sorted({*due.blocks} - found.blocking):
        yield f"{edit} does not block"
    for edit in sorted({*due.flags} - found.blocking - found.warnings):
        yield f"{edit} is not found"
    if not due.blocks and not due.open_edits:
        for edit in sorted(found.blocking & ABOUT_TRANSPORTS - {*due.flags}):
            yield f"{edit} blocks, and nothing is wrong"
