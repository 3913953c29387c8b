"""The rules against the table of transports, without a service: the charts are objects."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from app.billing.als_acts.scope import Scope
from app.billing.derivation.context import Context, Notice, PayerFacts
from app.billing.derivation.parties import lines
from app.billing.derivation.reading import Reading
from app.billing.derivation.rules import DerivedValue, derive
from app.coding.lookup.shipped import DATA
from app.coding.public import Icd10Extract
from app.core.facilities.public import FacilitySnapshot
from app.core.ids import new_id
from app.ems.public import (
    CrewMemberRead,
    IncidentRead,
    InterventionRead,
    PatientChart,
    PatientRead,
)
from app.ems.service_date import service_date
from tests.billing.derivation.driver import Derived, disagreements
from tests.billing.derivation.facts import Abn, Body, Charted, Due, PayerKind, Transport
from tests.billing.derivation.transports import TRANSPORTS

AT = dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC)
_ROW = {"version": 1, "created_at": AT, "updated_at": AT, "elements": {}}
ABOUT_EDITS = ("does not block", "is not found")
"""What scrubbing finds is another test's."""
with (DATA / "medications.csv").open(encoding="utf-8", newline="") as file:
    INGREDIENTS = {
        line["rxcui"]: frozenset(line["ingredient_name"].split(";") if line["ingredient_name"] else [line["name"]])
        for line in csv.DictReader(file)
    }
CLAIMS = [
    pytest.param(row, place, id=f"{row.id}-{place}")
    for row in TRANSPORTS
    for place, due in enumerate(row.expected)
    if isinstance(due, Due)
]


def _read(model: Any, body: Mapping[str, Any], **more: Any) -> Any:
    return model.model_validate(dict.fromkeys(model.model_fields) | _ROW | {"id": new_id()} | dict(body) | more)


def _facility(place: Body | None) -> FacilitySnapshot | None:
    blank = dict.fromkeys(FacilitySnapshot.model_fields)
    return None if place is None else FacilitySnapshot.model_validate(blank | place)


def charts_of(row: Transport) -> list[PatientChart]:
    """The charts that the row's bodies make."""
    origin, destination = _facility(row.origin), _facility(row.destination)
    head = _read(
        IncidentRead, row.incident, created_by=new_id(), status="locked", allowed_actions=[], incident_number=row.id
    ).model_copy(update={"origin_facility": origin, "destination_facility": destination})
    crew = [_read(CrewMemberRead, {}, incident_id=head.id, personnel_id=new_id(), licensure_level=level)
            for level in row.crew]  # fmt: skip
    found = []
    for charted in row.patients:
        patient = _read(PatientRead, charted.body, incident_id=head.id, pcr_uuid=new_id())
        acts = [_read(InterventionRead, act, incident_id=head.id, patient_id=patient.id)
                for act in charted.interventions]  # fmt: skip
        found.append(
            PatientChart(
                incident=head, patient=patient, vitals=[], interventions=acts, narratives=[], element_groups=[],
                crew=crew, destination=destination, alone=len(row.patients) == 1,
            )
        )  # fmt: skip
    return found


def context_of(row: Transport, charted: Charted, chart: PatientChart, **more: Any) -> Context:
    kind = charted.payer.kind
    payer = None if kind is PayerKind.NOBODY else PayerFacts(kind.value, {"claim_filing_code": kind.value})
    notice = {Abn.REQUIRED: Notice.REQUIRED, Abn.VOLUNTARY: Notice.VOLUNTARY, None: None}[charted.abn]
    day = service_date(chart.incident, "America/Chicago", of=chart)
    given = {"scope": Scope({}), "state": row.state, "codes": Icd10Extract(known=False), "ingredients": INGREDIENTS}
    return Context(**{**given, "served_on": day, "payer": payer, "notice": notice, **more})


def derived(row: Transport, place: int = 0, **more: Any) -> dict[str, DerivedValue]:
    charts = charts_of(row)
    chart = charts[place]
    others = [one for one in charts if one is not chart]
    values = derive(Reading(chart, others), context_of(row, row.patients[place], chart, **more))
    return {value.name: value for value in values}


@pytest.mark.parametrize(("row", "place"), CLAIMS)
def test_the_rules_make_of_a_chart_what_the_table_says(row: Transport, place: int) -> None:
    charted, due = row.patients[place], row.expected[place]
    assert isinstance(due, Due)
    values = derived(row, place)
    shown = [
        {**value.stored(), "status": "derived" if value.outcome.derivable else "underivable"}
        for value in values.values()
    ]
    effective = {name: value.effective for name, value in values.items()}
    claim = {
        "lines": [{**line, "units": Decimal(line["units"])} for line in lines(effective)],
        "claim_filing_code": (effective["payer"] or {}).get("claim_filing_code"),
        "member_id": due.member_id,
        "subscriber": None if due.relation == "18" else {"relationship": due.relation},
        "prior_authorization": effective["prior_authorization"],
    }
    found = disagreements(charted, due, Derived(claim, {"values": shown}, frozenset(), frozenset()))
    assert [one for one in found if not one.endswith(ABOUT_EDITS)] == []
