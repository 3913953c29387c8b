"""Kinds of calls: how a kind follows from the dispositions, and what readiness then asks for, and what it does not."""

from __future__ import annotations

import datetime as dt
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.ems.call_kinds import KINDS, CallKind, Need, kind_of, needs_of, not_due
from app.ems.elements import TARGET_BUILD, load_dictionary
from app.ems.public import get_patient_charts
from app.ems.readiness.sections import ReadinessSection
from tests.ems.charts import INCIDENT, NARRATIVE, PATIENT, VITAL, Chart
from tests.ems.evidence import Evidence
from tests.ems.findings import ASSIGNED, findings, readiness, states
from tests.ems.uploads import sign
from tests.support.actors import Agency

Body = dict[str, Any]
CONTACT, CANCELLED = "4227001", "4227005"
REFUSAL: Body = {"statement_code": "refusal", "statement": "I refuse to be transported."}


def values(**codes: str) -> Body:
    return {name.replace("_", "."): [{"value": code}] for name, code in codes.items()}


def one(disposition: str | None = CONTACT, **codes: str) -> Any:
    """A patient's chart, as far as its kind depends on it."""
    nothing: dict[str, dt.datetime | None] = {"depart_scene_time": None, "arrived_destination_time": None}
    return SimpleNamespace(
        incident=SimpleNamespace(disposition=disposition, elements={}, **nothing),
        patient=SimpleNamespace(elements=values(**codes), **nothing),
        alone=True,
    )


@pytest.mark.parametrize(
    ("chart", "kind"),
    [
        (one(None), CallKind.UNSAID),
        (one(), CallKind.UNSAID),
        (one("4227003"), CallKind.NO_PATIENT),
        (one("4227005"), CallKind.CANCELLED),
        (one("4227007"), CallKind.NO_PATIENT),
        (one("4227009"), CallKind.NO_PATIENT),
        (one("4227011"), CallKind.STANDBY),
        (one("4227005", eDisposition_27="4227001", eDisposition_30="4230001"), CallKind.TRANSPORT),
        (one(eDisposition_27="4227009"), CallKind.NO_PATIENT),
        (one(eDisposition_28="4228001", eDisposition_30="4230001"), CallKind.TRANSPORT),
        (one(eDisposition_28="4228003", eDisposition_30="4230003"), CallKind.TRANSPORT),
        (one(eDisposition_30="4230005"), CallKind.TRANSFERRED),
        (one(eDisposition_30="4230007"), CallKind.TRANSFERRED),
        (one(eDisposition_29="4229003"), CallKind.TRANSFERRED),
        (one(eDisposition_30="4230009"), CallKind.REFUSAL),
        (one(eDisposition_28="4228003", eDisposition_30="4230013"), CallKind.REFUSAL),
        (one(eDisposition_28="4228007"), CallKind.REFUSAL),
        (one(eDisposition_29="4229013", eDisposition_30="4230013"), CallKind.REFUSAL),
        (one(eDisposition_29="4229013", eDisposition_30="4230001"), CallKind.TRANSPORT),
        (one(eDisposition_30="4230013", eDisposition_19="4219007"), CallKind.DEAD_ON_SCENE),
        (one(eDisposition_30="4230013", eDisposition_19="4219009"), CallKind.DEAD_ON_SCENE),
        (one(eDisposition_30="4230013", eArrest_18="3018003"), CallKind.DEAD_ON_SCENE),
        (one(eDisposition_30="4230001", eDisposition_19="4219009"), CallKind.TRANSPORT),
        (one(eDisposition_28="4228009", eDisposition_30="4230013"), CallKind.ASSIST),
        (one(eDisposition_29="4229009", eDisposition_30="4230013"), CallKind.ASSIST),
        (one(eDisposition_28="4228001", eDisposition_30="4230013"), CallKind.RELEASED),
        (one(eDisposition_28="4228005", eDisposition_30="4230013"), CallKind.RELEASED),
    ],
)
def test_a_kind_follows_from_the_dispositions(chart: Any, kind: CallKind) -> None:
    assert kind_of(chart) is kind


def test_every_unit_disposition_without_contact_is_a_kind_without_a_patient() -> None:
    codes = load_dictionary(TARGET_BUILD).elements["eDisposition.27"].type.codes
    kinds = {code: kind_of(one(code)) for code in codes}
    assert kinds.pop(CONTACT) is CallKind.UNSAID
    assert len(kinds) == 5 and not any(Need.PATIENT in KINDS[kind].needs for kind in kinds.values())


def test_the_table_has_every_kind_and_only_transports_and_the_unsaid_are_billed() -> None:
    assert set(KINDS) == set(CallKind)
    assert {kind for kind, what in KINDS.items() if Need.CLAIM in what.needs} == {CallKind.TRANSPORT, CallKind.UNSAID}
    assert {kind for kind, what in KINDS.items() if Need.ARRIVAL_TIME not in what.needs} == {CallKind.CANCELLED}


def test_a_refuser_has_vital_signs_only_if_evaluated() -> None:
    evaluated = one(eDisposition_28="4228003", eDisposition_30="4230009")
    assert Need.VITAL_SIGNS in needs_of(evaluated)
    assert Need.VITAL_SIGNS not in needs_of(one(eDisposition_28="4228007", eDisposition_30="4230009"))
    assert [found.need for found in not_due(evaluated)] == [Need.TRANSPORT_TIMES, Need.CLAIM]
    assert list(not_due(one())) == [], "nothing is ruled out before a disposition"


async def without_patient(agency: Agency, **fields: Any) -> Chart:
    head = await agency.medic.expect(201, "POST", "ems/incidents", json={**INCIDENT.body, **fields})
    return Chart(agency, "medic", head)


async def test_a_cancelled_call_is_asked_for_no_patient_no_arrival_and_no_payment(agency: Agency) -> None:
    chart = await without_patient(agency, disposition=CANCELLED)
    answer = await readiness(agency.medic, chart.id)
    asked = {found["code"]: found["field"] for found in findings(answer, stage="review")}
    assert "patient_missing" not in asked and "narrative_missing" not in asked and "crew_missing" in asked
    assert {found["field"] for found in findings(answer, code="time_missing")} == {
        "dispatch_time", "enroute_time", "cleared_time"
    }  # fmt: skip
    assert states(answer)["payment"] == "not_due" and findings(answer, stage="payment") == []
    [payment] = [stage for stage in answer["stages"] if stage["stage"] == "payment"]
    assert payment["reason"] == "The call was cancelled before the unit arrived: no claim is due."
    assert [stage["reason"] for stage in answer["stages"] if stage["stage"] != "payment"] == [None] * 3
    [kind] = answer["kinds"]
    assert (kind["patient_id"], kind["kind"]) == (None, "cancelled_before_arrival")
    assert {found["need"] for found in kind["not_due"]} == set(Need)
    blank = {found["rule"].partition(".")[0] for found in findings(answer, code="not_recorded")}
    assert not blank & {"ePatient", "ePayment", "eSituation", "eDisposition", "eScene", "eHistory", "eOutcome"}
    assert {found["entity"] for found in findings(answer, code="not_recorded")} == {"incident"}


async def test_a_call_without_a_word_about_its_end_is_asked_for_it(agency: Agency) -> None:
    chart = await without_patient(agency)
    answer = await readiness(agency.medic, chart.id)
    asked = {(found["stage"], found["code"]) for found in answer["findings"]}
    assert {("review", "patient_missing"), ("review", "disposition_missing")} <= asked
    assert {("state_submission", "patient_missing"), ("payment", "patient_missing")} <= asked
    assert answer["kinds"] == [{"patient_id": None, "kind": "unsaid", "not_due": []}]


async def test_no_document_of_a_call_that_may_have_had_a_patient(agency: Agency, evidence: Evidence) -> None:
    chart = await without_patient(agency)
    before = await evidence.digest(agency.tenant_id)
    for body in ({"incident_id": chart.id}, {"incident_id": chart.id, "patient_id": chart.id}):
        await agency.admin.expect(422, "POST", "nemsis/exports", json=body)
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_patient_who_comes_later_makes_the_document_of_the_call_invalid(agency: Agency) -> None:
    chart = await without_patient(agency, disposition=CANCELLED)
    export = await agency.admin.expect(201, "POST", "nemsis/exports", json={"incident_id": chart.id})
    assert export["patient_id"] is None
    patient = await chart.add(PATIENT)
    move = {"action": "validate", "version": export["version"]}
    await agency.admin.expect(404, "POST", f"nemsis/exports/{export['id']}/transitions", json=move)
    [found] = findings(await readiness(agency.medic, chart.id), code="contradicts_disposition")
    assert (found["entity"], found["field"]) == ("incident", "disposition")
    met = await chart.revise(PATIENT, patient, elements=values(eDisposition_27=CONTACT))
    answer = await readiness(agency.medic, chart.id)
    assert findings(answer, code="contradicts_disposition") == []
    assert [(kind["patient_id"], kind["kind"]) for kind in answer["kinds"]] == [(met["id"], "unsaid")]


async def test_a_story_about_nobody_stands_only_on_a_call_without_a_patient(agency: Agency, evidence: Evidence) -> None:
    chart = await without_patient(agency, disposition=CANCELLED)
    story = await agency.medic.expect(201, "POST", chart.at(NARRATIVE), json={"narrative_text": "Cancelled by police."})
    assert story["patient_id"] is None
    story = await chart.revise(NARRATIVE, story, narrative_text="Cancelled by dispatch.")
    chart.patient = await chart.add(PATIENT)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.medic.expect(422, "POST", chart.at(NARRATIVE), json={"narrative_text": "Whose?"})
    assert [(one["field"], one["code"]) for one in refused["error"]["details"]["problems"]] == [
        ("patient_id", "missing")
    ]  # fmt: skip
    await chart.revise(NARRATIVE, story, status=422, narrative_text="Whose?")
    assert await evidence.digest(agency.tenant_id) == before
    await chart.writer.expect(204, "DELETE", chart.at(NARRATIVE, story), params={"version": story["version"]})
    await chart.add(NARRATIVE)


async def test_a_story_that_names_nobody_is_in_the_document_of_no_stranger(agency: Agency, runtime: Runtime) -> None:
    """It was charted before any patient. The sole patient has it; of two, neither until it is moved to one."""
    chart = await without_patient(agency)
    story = await agency.medic.expect(201, "POST", chart.at(NARRATIVE), json={"narrative_text": "Ann fell."})

    async def told_of(*patients: Body) -> list[list[str]]:
        async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
            charts = {one.patient.id: one for one in await get_patient_charts(uow, uuid.UUID(chart.id))}
        return [[str(found.id) for found in charts[uuid.UUID(patient["id"])].narratives] for patient in patients]

    ann = chart.patient = await chart.add(PATIENT)
    assert await told_of(ann) == [[story["id"]]]
    assert findings(await readiness(agency.medic, chart.id), code="narrative_of_nobody") == []
    bea = await chart.add(PATIENT)
    assert await told_of(ann, bea) == [[], []]
    answer = await readiness(agency.medic, chart.id)
    [found] = findings(answer, code="narrative_of_nobody")
    assert (found["entity_id"], found["field"], found["severity"]) == (story["id"], "patient_id", "warning")
    assert {one["entity_id"] for one in findings(answer, code="narrative_missing")} == {ann["id"], bea["id"]}
    move = {"patient_id": ann["id"], "entries": [{"entity": "narrative", "id": story["id"], "version": 1}]}
    await agency.medic.expect(200, "POST", f"{chart.url}/moves", json=move)
    assert await told_of(ann, bea) == [[story["id"]], []]
    assert findings(await readiness(agency.medic, chart.id), code="narrative_of_nobody") == []


async def test_an_arrival_on_a_call_cancelled_before_it(agency: Agency) -> None:
    chart = await without_patient(agency, disposition=CANCELLED, arrival_time="2026-03-01T10:00:00-06:00")
    [found] = findings(await readiness(agency.medic, chart.id), code="contradicts_disposition")
    assert (found["field"], found["severity"]) == ("arrival_time", "warning")


async def test_each_patient_of_a_call_is_asked_for_what_their_own_end_needs(agency: Agency) -> None:
    chart = await Chart.open(agency, disposition=CONTACT)
    went = await chart.revise(PATIENT, chart.patient, elements=values(eDisposition_30="4230001"))
    stayed = await chart.add(
        PATIENT, last_name="Stayed", elements=values(eDisposition_28="4228007", eDisposition_30="4230009")
    )
    lost = await chart.add(
        PATIENT, last_name="Lost", elements=values(eDisposition_30="4230013", eDisposition_19="4219007")
    )
    answer = await readiness(agency.medic, chart.id)
    assert [(kind["patient_id"], kind["kind"]) for kind in answer["kinds"]] == [
        (went["id"], "transport"), (stayed["id"], "refusal"), (lost["id"], "dead_on_scene"),
    ]  # fmt: skip
    assert [found["patient_id"] for found in findings(answer, code="vitals_missing")] == [went["id"]]
    assert [found["patient_id"] for found in findings(answer, code="refusal_missing")] == [stayed["id"]]
    assert {found["patient_id"] for found in findings(answer, stage="payment")} == {None, went["id"]}
    assert {"depart_scene_time", "arrived_destination_time"} <= {
        found["field"] for found in findings(answer, code="time_missing")
    }
    times: Body = {
        "depart_scene_time": "2026-03-01T10:10:00-06:00", "arrived_destination_time": "2026-03-01T10:20:00-06:00",
    }  # fmt: skip
    await chart.revise(PATIENT, went, **times)
    await chart.add(VITAL)
    answer = await readiness(agency.medic, chart.id)
    assert findings(answer, code="vitals_missing") == []
    assert not {*times} & {found["field"] for found in findings(answer, code="time_missing")}


async def test_a_refusal_is_signed_by_the_patient_and_a_witness_or_by_a_witness_alone(agency: Agency) -> None:
    async def asked() -> list[str]:
        found = findings(await readiness(agency.medic, chart.id), stage="signature", entity="patient")
        assert {each["severity"] for each in found} <= {"warning"}, "`complete` does not ask for it"
        return [each["code"] for each in found]

    refuses = values(eDisposition_30="4230009")
    chart = await Chart.open(agency, disposition=CONTACT)
    chart.patient = await chart.revise(PATIENT, chart.patient, elements=refuses)
    assert await asked() == ["refusal_missing"]
    await sign(chart, **ASSIGNED)
    assert await asked() == ["refusal_missing"], "another statement"
    await sign(chart, **REFUSAL, signer_role="guardian")
    assert await asked() == ["witness_missing"]
    await sign(chart, **REFUSAL, signer_role="witness", signer_name="Lee Stander")
    assert await asked() == []
    other = await chart.add(PATIENT, last_name="Other", elements=refuses)
    assert await asked() == ["refusal_missing"], "each patient signs for themselves"
    await sign(chart, **REFUSAL, signer_role="witness", signer_name="Lee Stander", patient_id=other["id"])
    assert await asked() == [], "for one who will not sign"


async def test_an_empty_chart_is_folded_by_section(agency: Agency) -> None:
    chart = await Chart.open(agency)
    whole = await readiness(agency.medic, chart.id)
    path = f"{chart.url}/readiness"
    folded = await agency.medic.expect(200, "GET", path, params={"folded": "true"})
    blank = findings(whole, code="not_recorded")
    assert len(blank) > 60 and [found for found in whole["findings"] if found not in blank] == folded["findings"]
    shown = {"findings", "fixes"}
    assert {name: value for name, value in folded.items() if name not in shown} == {
        name: value for name, value in whole.items() if name not in shown
    }, "the sums are of the whole chart"
    assert {cleared["code"] for fix in folded["fixes"] for cleared in fix["clears"]} == {"not_started"}
    for section in whole["sections"]:
        lines = findings(whole, section=section["section"], patient_id=section["patient_id"])
        sums = [sum(line["code"] == "not_recorded" for line in lines)]
        sums += [
            sum(line["severity"] == severity and line["code"] != "not_recorded" for line in lines)
            for severity in ("blocking", "warning")
        ]
        assert sums == [section["blank"], section["blocking"], section["warnings"]] and any(sums)
    assert sum(section["blank"] for section in whole["sections"]) == len(blank)
    titles = {section["section"]: section["title"] for section in whole["sections"]}
    assert (titles["eHistory"], titles["ePatient"], titles["incident"]) == ("History", "Patient", "Call")
    assert {found["section"] for found in findings(whole, entity="patient", field="home_zip")} == {"ePatient"}
    asked = [("folded", "true"), ("section", "ePayment"), ("section", "eHistory")]
    unfolded = await agency.medic.expect(200, "GET", path, params=asked)
    assert unfolded["findings"] == [
        found for found in whole["findings"] if found["section"] in ("ePayment", "eHistory")
    ]  # fmt: skip
    assert unfolded["findings"]
    assert {section["section"] for section in whole["sections"]} <= set(ReadinessSection)
    for unknown in ("ePaymnet", ""):
        refused = await agency.medic.expect(422, "GET", path, params={"section": unknown})
        assert [one["field"] for one in refused["error"]["details"]["problems"]] == ["query.section.0"], (
            "a misspelt section is not one in which all is well"
        )
