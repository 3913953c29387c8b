"""Billing's part of the readiness: the stand-in of a claim that is not made yet, and where an 837P carries a field."""

from __future__ import annotations

from typing import Any

import pytest

from app.billing.claims.content import FIELDS
from app.billing.claims.readiness import _SOURCES, _source_of
from app.coding.public import CodeFault, Icd10Extract
from tests.billing.support.claims import CLAIM, new_claim
from tests.ems.charts import PATIENT, Chart
from tests.ems.findings import charted, findings, readiness, said, states
from tests.support.actors import Agency
from tests.support.charts import locked_call, open_call


@pytest.mark.parametrize("field", sorted({*FIELDS.values(), *(CLAIM.keys() - {"lines"}), "lines[1].hcpcs"}))
def test_every_field_of_a_claim_has_its_place_in_an_837p(field: str) -> None:
    assert _source_of(field)


@pytest.mark.parametrize(
    "field,source",
    [
        ("patient.home_zip", "2010BA N3, N4"),
        ("patient.destination_name", "2310F NM103"),
        ("patient.destination_zip", "2310F N3, N4"),
        ("tenant.npi", "2010AA NM109"),
        ("tenant.zip", "2010AA N3, N4"),
        ("incident.depart_scene_time", "2400 DTP*472"),
        ("lines[0].modifiers", "2400 SV1"),
        ("patient_id", None),
    ],
)
def test_the_longest_beginning_says_it(field: str, source: str | None) -> None:
    assert _source_of(field) == source


def test_no_source_is_idle() -> None:
    """Each is the longest beginning of some field that a problem can have."""
    fields = {*FIELDS.values(), *CLAIM, "prior_authorization", "accident.state", "place_of_service"}
    fields |= {"incident.dispatch_time", "round_trip_purpose", "diagnoses[0]", "tenant.pay_to_city"}
    assert {_source_of(field) for field in fields} - {None} == {*_SOURCES.values()}


async def test_a_chart_that_lacks_nothing_has_no_problem_before_there_is_a_claim(agency: Agency) -> None:
    call = await open_call(agency)
    answer = await readiness(agency.biller, call.incident["id"])
    assert said(answer, stage="payment", severity="blocking") == [("payment", "chart_locked", "incident", "status")]


async def test_of_somebody_who_was_not_transported_no_claim_is_due_but_one_made_by_hand_is_judged(
    agency: Agency,
) -> None:
    chart = await charted(agency)
    await chart.revise(PATIENT, chart.patient, elements={"eDisposition.30": [{"value": "4230013"}]})
    await chart.reload()
    times: dict[str, Any] = {
        "version": chart.version,
        "arrived_destination_time": None,
        "depart_scene_time": None,
        "elements": {"eTimes.12": None},
    }
    chart.head = await agency.medic.expect(200, "PATCH", chart.url, json=times)
    await chart.advance("locked")
    answer = await readiness(agency.biller, chart.id)
    assert (states(answer)["payment"], findings(answer, stage="payment")) == ("not_due", [])
    await new_claim(agency, incident_id=chart.id)
    answer = await readiness(agency.biller, chart.id)
    assert states(answer)["payment"] == "blocked"
    assert "not_transported" in {found["code"] for found in findings(answer, stage="payment")}


@pytest.mark.parametrize(
    "patient,place",
    [
        ({"last_name": None}, ("payment", "missing", "patient", "last_name")),
        ({"home_zip": "K1A 0B1"}, ("payment", "zip", "patient", "home_zip")),
        ({"destination_city": None}, ("payment", "missing", "patient", "destination_city")),
        ({"date_of_birth": "2026-11-03"}, ("payment", "before_birth", "incident", "depart_scene_time")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_what_the_chart_must_give_is_said_before_there_is_a_claim_and_after(
    agency: Agency, patient: dict[str, Any], place: tuple[str, ...]
) -> None:
    call = await locked_call(agency, patient=patient)
    missing = ("payment", "claim_missing", "patient", "claim")
    assert {*said(await readiness(agency.biller, call.incident["id"]), stage="payment", severity="blocking")} == {
        missing,
        place,
    }
    await new_claim(agency, call)
    assert said(await readiness(agency.biller, call.incident["id"]), stage="payment", severity="blocking") == [place]


async def test_the_agencys_own_profile(agency: Agency) -> None:
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": tenant["version"], "street": "PO Box 12"}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)
    call = await open_call(agency)
    [found] = findings(await readiness(agency.medic, call.incident["id"]), entity="tenant")
    assert (found["code"], found["field"], found["entity_id"], found["fixable_by"], found["fix"]) == (
        "billing_po_box", "street", str(agency.tenant_id), ["admin"], None,
    )  # fmt: skip


async def test_the_charts_impressions_are_looked_up(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a warning: the claim may name other diagnoses. The code tables of this database are empty."""
    monkeypatch.setattr(Icd10Extract, "fault", lambda _self, _code, _day: CodeFault.NOT_BILLABLE)
    chart = await charted(agency)
    await chart.revise(PATIENT, chart.patient, elements={"eSituation.12": [{"value": "R07.9"}]})
    answer = await readiness(agency.medic, chart.id)
    faults = findings(answer, code="code_not_billable")
    assert [(found["severity"], found["entity"], found["field"], found["rule"]) for found in faults] == [
        ("warning", "incident", "primary_impression", "45 CFR 162.1002"),
        ("warning", "patient", "elements.eSituation.12", "45 CFR 162.1002"),
    ]


async def test_a_claim_that_went_out_is_done_and_one_patient_without_keeps_the_stage_open(agency: Agency) -> None:
    call = await open_call(agency)
    chart = Chart(agency, "medic", call.incident, call.patient)
    second = await chart.add(PATIENT)
    await chart.advance("locked")
    claim = await new_claim(agency, call, patient_id=call.patient["id"])
    closed = {"action": "close", "version": claim["version"]}
    await agency.biller.expect(200, "POST", f"billing/claims/{claim['id']}/transitions", json=closed)
    answer = await readiness(agency.biller, chart.id)
    assert states(answer)["payment"] == "blocked"
    assert {found["patient_id"] for found in findings(answer, stage="payment")} == {second["id"]}
