"""The rows of the table are charted over HTTP as a crew would, to the lock, and the chart holds what they say."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

import pytest

from app.ems.call_kinds import CallKind
from app.ems.public import IncidentRead
from app.ems.service_date import service_date
from tests.billing.derivation.driver import INCIDENTS, chart_and_lock
from tests.billing.derivation.facts import Body, Due, Expected, Level, NoClaim, NoClaimBecause, Transport
from tests.billing.derivation.transports import TRANSPORTS
from tests.ems.findings import readiness
from tests.support.actors import Agency

KINDS: Mapping[NoClaimBecause, CallKind] = {
    NoClaimBecause.CANCELLED: CallKind.CANCELLED,
    NoClaimBecause.NO_PATIENT: CallKind.NO_PATIENT,
    NoClaimBecause.OTHER_UNIT: CallKind.TRANSFERRED,
    NoClaimBecause.REFUSED: CallKind.REFUSAL,
    NoClaimBecause.DEAD_BEFORE_DISPATCH: CallKind.DEAD_ON_SCENE,
    NoClaimBecause.NOT_TRANSPORTED: CallKind.RELEASED,
}
NOT_LOADED: Mapping[Level | None, CallKind] = {
    Level.PARAMEDIC_INTERCEPT: CallKind.TRANSFERRED,
    Level.TREATED_NOT_TRANSPORTED: CallKind.RELEASED,
}


def kind_of(expected: Expected) -> CallKind:
    """The kind of call that the row describes: only a transport has miles."""
    if isinstance(expected, NoClaim):
        return KINDS[expected.because]
    return CallKind.TRANSPORT if expected.mileage_due else NOT_LOADED.get(expected.level, CallKind.DEAD_ON_SCENE)


def read(element_id: str, *rows: Body) -> Decimal | None:
    """An odometer reading: the patient's own before the incident's."""
    found = [entry["value"] for row in rows for entry in row["elements"].get(element_id, ())]
    return Decimal(found[0]) if found else None


def billed(driven: Decimal, *, air: bool) -> Decimal:
    """Up to the tenth below 100 miles, up to the whole mile from there on and in the air (reference 2.2)."""
    step = Decimal(1) if air or driven >= 100 else Decimal("0.1")
    return driven.quantize(step, rounding=ROUND_CEILING)


@pytest.mark.parametrize("row", TRANSPORTS, ids=lambda row: row.id)
async def test_a_row_is_charted_and_locked(row: Transport, agency: Agency) -> None:
    locked = await chart_and_lock(agency, row)

    chart = await agency.biller.expect(200, "GET", f"{INCIDENTS}/{locked.incident['id']}/chart")
    incident = chart["incident"]
    assert incident["status"] == "locked"
    assert sorted(member["licensure_level"] for member in chart["crew"]) == sorted(row.crew)
    for column, place in (("origin_facility", row.origin), ("destination_facility", row.destination)):
        assert (incident[column] or {}).get("billing_letter") == (place or {}).get("billing_letter")
    _holds(incident, row.incident)
    kinds = (await readiness(agency.biller, incident["id"]))["kinds"]
    assert [kind["kind"] for kind in kinds] == [kind_of(expected) for expected in row.expected]
    rows = {patient["id"]: patient for patient in chart["patients"]}
    assert list(rows) == [patient["id"] for patient in locked.patients]
    for charted, expected, patient in zip(row.patients, row.expected, rows.values(), strict=bool(row.patients)):
        _holds(patient, charted.body)
        for part, sent in (("interventions", charted.interventions), ("element_groups", charted.payer.groups)):
            mine = [entry for entry in chart[part] if entry["patient_id"] == patient["id"]]
            assert len(mine) == len(sent)
            for entry, body in zip(sorted(mine, key=lambda one: one["id"]), sent, strict=True):
                assert entry["elements"] == body["elements"]
        if isinstance(expected, Due):
            day = service_date(IncidentRead.model_validate(incident), "America/Chicago", loaded=expected.mileage_due)
            assert str(day) == expected.date_of_service
        if isinstance(expected, Due) and expected.miles is not None:
            assert _driven(incident, patient, expected) == Decimal(expected.miles) + Decimal(expected.beyond or 0)


def _holds(row: Body, sent: Body) -> None:
    for element_id, entries in sent["elements"].items():
        assert row["elements"][element_id] == entries, element_id


def _driven(incident: Body, patient: Body, expected: Due) -> Decimal:
    began, ended = read("eResponse.20", incident), read("eResponse.21", patient, incident)
    assert began is not None and ended is not None
    return billed(ended - began, air=expected.level in (Level.FIXED_WING, Level.ROTARY_WING))
