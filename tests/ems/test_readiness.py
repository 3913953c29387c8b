"""GET …/readiness: which rules speak when, how they are ranked, who can mend them, and what is never said."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.runtime import Runtime
from app.ems.lifecycle import IncidentStatus
from app.ems.permissions import CHART_LOCK, CHART_REVIEW
from app.ems.readiness.people import holders, step_towards, who_can_correct
from app.ems.readiness.port import ReadinessSeverity, Stage
from scripts.demo_chart import CALL
from tests.architecture.queries import counted
from tests.billing.support.claims import CLAIMS, new_claim
from tests.billing.support.claims import fire as fire_claim
from tests.ems.charts import CREW, INCIDENT, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart
from tests.ems.findings import (
    ASSIGNED,
    charted,
    export_of,
    findings,
    fire_export,
    player,
    readiness,
    require_attestation,
    said,
    states,
)
from tests.ems.uploads import ATTESTED, attach, declare, sign
from tests.support.actors import Actor, Agency
from tests.support.charts import lock_call, open_call, unlock_call

READY, BLOCKED, DONE = "ready", "blocked", "done"
BLANK = "not_recorded"


def told(answer: dict[str, Any], **wanted: Any) -> list[tuple[str, ...]]:
    """As `said`, without the blanks: no crew knows the hospital's outcome."""
    return [place for place in said(answer, **wanted) if place[1] != BLANK]


async def test_a_bare_draft(chart: Chart) -> None:
    answer = await readiness(chart.writer, chart.id)
    assert states(answer) == {
        "review": BLOCKED, "state_submission": BLOCKED, "payment": BLOCKED, "signature": READY
    }  # fmt: skip
    assert said(answer, stage="review") == [
        ("review", "not_started", "incident", "status"),
        ("review", "crew_missing", "incident", "crew"),
        *(
            ("review", "time_missing", "incident", name)
            for name in ("dispatch_time", "enroute_time", "arrival_time", "cleared_time")
        ),
        ("review", "disposition_missing", "incident", "disposition"),
        ("review", "narrative_missing", "patient", "narratives"),
    ]
    assert ("state_submission", "missing", "incident", "elements.eResponse.05") in said(answer, severity="blocking")
    assert ("payment", "missing", "patient", "home_zip") in said(answer, severity="blocking")
    [zip_code] = findings(answer, field="home_zip", stage="payment")
    assert (zip_code["rule"], zip_code["message"]) == (
        "2010BA N3, N4", "Patient home zip is missing: a claim needs it.",
    )  # fmt: skip
    assert zip_code["entity_id"] == zip_code["patient_id"] == chart.patient["id"]


async def test_a_crew_member_without_a_role(chart: Chart) -> None:
    """Until the role is charted, or why it is not."""
    member = await chart.add(CREW, response_roles=None)
    at = ("review", "crew_role_missing", "crew_member", "response_roles")
    answer = await readiness(chart.writer, chart.id)
    assert at in said(answer, entity_id=member["id"])
    assert "crew_missing" not in {code for _, code, *_ in said(answer)}
    await chart.revise(CREW, member, elements={"eCrew.03": [{"not_value": "7701003"}]})
    assert at not in said(await readiness(chart.writer, chart.id))


async def test_a_complete_chart_waits_for_people_only(agency: Agency) -> None:
    chart = await charted(agency)
    answer = await readiness(agency.medic, chart.id)
    assert states(answer) == {
        "review": READY, "state_submission": BLOCKED, "payment": BLOCKED, "signature": READY
    }  # fmt: skip
    assert told(answer) == [
        ("state_submission", "chart_closed", "incident", "status"),
        ("payment", "chart_locked", "incident", "status"),
        ("payment", "assignment_missing", "patient", "signatures"),
    ]


async def test_what_is_exported_billed_and_locked_is_done_until_it_is_amended(agency: Agency) -> None:
    played = await player(agency).play(CALL)
    incident_id = played.incident["id"]
    answer = await readiness(agency.biller, incident_id)
    assert (set(states(answer).values()), answer["findings"]) == ({DONE}, [])
    chart = Chart(agency, "medic", played.incident, played.patient)
    await chart.fire("unlock", "admin", reason="A field must be corrected.")
    body = {"version": chart.version, "reason": "A slip of the pen.", "location_street": "2 Main St"}
    await agency.admin.expect(200, "PATCH", chart.url, json=body)
    answer = await readiness(agency.admin, incident_id)
    assert states(answer) == {
        "review": DONE, "state_submission": READY, "payment": DONE, "signature": READY
    }  # fmt: skip
    assert told(answer) == [("state_submission", "export_outdated", "patient", "nemsis_exports")]
    await fire_export(agency, await export_of(agency, chart.id, chart.patient["id"]), "export")
    assert states(await readiness(agency.admin, incident_id))["state_submission"] == DONE


async def test_the_order_is_severity_then_stage_then_chart(agency: Agency) -> None:
    chart = await Chart.open(agency)
    for _ in range(2):
        await chart.add(VITAL, heart_rate=400)
        await chart.add(PATIENT)
    answer = await readiness(chart.writer, chart.id)
    severities, stages = list(ReadinessSeverity), list(Stage)
    whole = await chart.writer.expect(200, "GET", f"{chart.url}/chart")
    order = [chart.id]
    for patient in whole["patients"]:
        order += [patient["id"], *(vital["id"] for vital in whole["vitals"] if vital["patient_id"] == patient["id"])]
    ranks = [
        (severities.index(found["severity"]), stages.index(found["stage"]), order.index(found["entity_id"]))
        for found in answer["findings"]
    ]
    assert ranks == sorted(ranks) and len(set(ranks)) > 8
    for stage in answer["stages"]:
        counts = [len(findings(answer, stage=stage["stage"], severity=each)) for each in ("blocking", "warning")]
        assert counts == [stage["blocking"], stage["warnings"]]


async def test_times_out_of_order_and_reasons_for_missing_ones(agency: Agency) -> None:
    chart = await Chart.open(
        agency,
        dispatch_time="2026-03-01T10:00:00-06:00",
        enroute_time="2026-03-01T09:59:00-06:00",
        arrived_destination_time="2026-03-01T11:00:00-06:00",
        elements={"eTimes.06": [{"not_value": "7701003"}]},
    )
    found = said(await readiness(chart.writer, chart.id), stage="review")
    assert [(code, field) for _, code, _, field in found if code.startswith("time")] == [
        ("time_missing", "depart_scene_time"), ("time_missing", "cleared_time"), ("time_order", "enroute_time"),
    ]  # fmt: skip


async def test_each_patient_of_several_has_a_disposition_or_the_calls_and_a_narrative(agency: Agency) -> None:
    chart = await Chart.open(agency, disposition="4227001")
    assert ("review", "disposition_missing", "incident", "disposition") not in said(
        await readiness(chart.writer, chart.id)
    )
    empty = await chart.add(NARRATIVE, narrative_text=None)
    second = await chart.add(PATIENT, elements={"eDisposition.27": [{"value": "4227001"}]})
    answer = await readiness(chart.writer, chart.id)
    assert [
        (found["code"], found["entity_id"], found["field"], found["patient_id"])
        for found in findings(answer, stage="review")
        if found["code"] in ("disposition_missing", "narrative_missing")
    ] == [
        ("narrative_missing", empty["id"], "narrative_text", chart.patient["id"]),
        ("narrative_missing", second["id"], "narratives", second["id"]),
    ]
    assert findings(answer, stage="state_submission", rule="eDisposition.27") == []
    await chart.revise(INCIDENT, chart.head, disposition=None)
    answer = await readiness(chart.writer, chart.id)
    [missing] = findings(answer, code="disposition_missing")
    assert (missing["entity_id"], missing["field"]) == (chart.patient["id"], "elements.eDisposition.27")
    [document] = findings(answer, stage="state_submission", rule="eDisposition.27")
    assert (document["entity_id"], document["field"]) == (chart.patient["id"], "elements.eDisposition.27")


async def test_comments_vital_signs_and_uploads_are_warned_of(agency: Agency) -> None:
    chart = await Chart.open(agency)
    vital = await chart.add(VITAL, heart_rate=400)
    pending = await declare(chart)
    rejected = await attach(chart, b"no picture", "image/jpeg")
    assert rejected["status"] == "rejected"
    waiting = await declare(chart, "signatures")
    await chart.advance("ready_for_review")
    comment = {"entity": "vital", "entity_id": vital["id"], "field": "heart_rate", "text": "400?"}
    body = {"action": "return_for_correction", "version": chart.version, "comments": [comment]}
    await agency.supervisor.expect(200, "POST", f"{chart.url}/transitions", json=body)
    answer = await readiness(chart.writer, chart.id)
    found = {(each["code"], each["entity_id"], each["field"]) for each in findings(answer, severity="warning")}
    assert {
        ("unusually_high", vital["id"], "heart_rate"),
        ("comment_open", vital["id"], "heart_rate"),
        ("upload_pending", pending["id"], "status"),
        ("upload_rejected", rejected["id"], "status"),
        ("upload_pending", waiting["id"], "status"),
    } <= found
    assert [each["stage"] for each in findings(answer, entity_id=waiting["id"])] == ["signature"]
    await chart.reload()
    [open_comment] = (await chart.writer.expect(200, "GET", f"{chart.url}/review-comments"))["items"]
    resolve = {"action": "resolve", "version": open_comment["version"]}
    path = f"{chart.url}/review-comments/{open_comment['id']}/transitions"
    await chart.writer.expect(200, "POST", path, json=resolve)
    assert not findings(await readiness(chart.writer, chart.id), code="comment_open")


async def test_the_crews_signature_where_the_agency_asks_for_it(agency: Agency) -> None:
    chart = await Chart.open(agency, "in_progress")
    assert states(await readiness(chart.writer, chart.id))["review"] == READY
    await require_attestation(agency)
    answer = await readiness(chart.writer, chart.id)
    assert [place for place in said(answer, severity="blocking") if place[0] in ("review", "signature")] == [
        ("review", "crew_signature", "incident", "signatures"),
        ("signature", "attestation_missing", "incident", "signatures"),
    ]
    signature = await sign(chart, **ATTESTED)
    answer = await readiness(chart.writer, chart.id)
    assert (states(answer)["review"], states(answer)["signature"]) == (READY, READY)
    await chart.add(VITAL)
    answer = await readiness(chart.writer, chart.id)
    assert (states(answer)["review"], states(answer)["signature"]) == (BLOCKED, BLOCKED)
    assert findings(answer, code="signature_outdated")[0]["entity_id"] == signature["id"]
    await sign(chart, **ATTESTED)
    assert not findings(await readiness(chart.writer, chart.id), stage="signature")


async def test_an_assignment_of_benefits_that_no_longer_covers(agency: Agency) -> None:
    chart = await charted(agency)
    await sign(chart, **ASSIGNED)
    answer = await readiness(agency.medic, chart.id)
    assert told(answer, severity="warning") == []
    await chart.revise(PATIENT, chart.patient, last_name="Brooks")
    answer = await readiness(agency.medic, chart.id)
    assert told(answer, severity="warning") == [
        ("payment", "assignment_missing", "patient", "signatures"),
        ("signature", "signature_outdated", "signature", "changed_since"),
    ]
    rules = {found["rule"] for found in findings(answer, severity="warning") if found["code"] != BLANK}
    assert rules == {"42 CFR 424.36"}


async def test_a_claims_own_problems_name_its_fields(agency: Agency) -> None:
    chart = await charted(agency)
    await chart.advance("locked")
    answer = await readiness(agency.biller, chart.id)
    assert said(answer, stage="payment") == [("payment", "claim_missing", "patient", "claim")]
    claim = await new_claim(agency, signature_on_file=None, incident_id=chart.id)
    answer = await readiness(agency.biller, chart.id)
    [found] = [one for one in findings(answer, stage="payment") if one["code"] != "payer_unlisted"]
    assert (found["code"], found["entity"], found["entity_id"], found["field"], found["rule"]) == (
        "missing", "claim", claim["id"], "signature_on_file", "42 CFR 424.36",
    )  # fmt: skip
    assert (found["fix"], found["fixable_by"]) == (None, ["admin", "billing"]), "nobody signed: it may be on paper"
    body = {"version": claim["version"], "signature_on_file": True}
    claim = await agency.biller.expect(200, "PATCH", f"{CLAIMS}/{claim['id']}", json=body)
    assert states(await readiness(agency.biller, chart.id))["payment"] == READY
    await fire_claim(agency, claim, "approve")
    assert states(await readiness(agency.biller, chart.id))["payment"] == READY


async def test_an_approved_claim_of_an_unlocked_chart_cannot_be_exported(agency: Agency) -> None:
    call = await lock_call(agency, await open_call(agency))
    claim = await new_claim(agency, call)
    await fire_claim(agency, claim, "approve")
    await unlock_call(agency, call)
    answer = await readiness(agency.biller, call.incident["id"])
    unlisted = ("payment", "payer_unlisted", "claim", "payer_record_id")
    locked = ("payment", "chart_locked", "incident", "status")
    assert sorted(said(answer, stage="payment")) == [locked, unlisted]
    [found] = [one for one in findings(answer, stage="payment") if one["code"] == "chart_locked"]
    assert found["fixable_by"] == list(holders(CHART_LOCK))


@pytest.mark.parametrize(
    "status,people",
    [
        ("draft", ["admin", "ems"]),
        ("in_progress", ["admin", "ems"]),
        ("ready_for_review", ["admin", "reviewer"]),
        ("completed", ["admin"]),
        ("locked", ["admin"]),
    ],
)
async def test_who_can_mend_a_field_depends_on_the_charts_state(agency: Agency, status: str, people: list[str]) -> None:
    chart = await Chart.open(agency, status)
    answer = await readiness(agency.admin, chart.id)
    [found] = findings(answer, stage="state_submission", field="elements.eResponse.05")
    assert found["fixable_by"] == people == list(who_can_correct(IncidentStatus(status)))
    offered = {each["fix"] is not None for each in findings(answer, code="not_recorded")}
    assert offered == {status in ("draft", "in_progress")}, "an amendment needs a reason that only a person can give"


def test_the_way_on_is_read_off_the_state_machine() -> None:
    states_wanted = {IncidentStatus.COMPLETED}
    step = step_towards(IncidentStatus.READY_FOR_REVIEW, states_wanted.__contains__)
    assert (step.target, step.permission) == (IncidentStatus.COMPLETED, CHART_REVIEW)
    assert step_towards(IncidentStatus.DRAFT, states_wanted.__contains__).target is IncidentStatus.IN_PROGRESS
    with pytest.raises(LookupError):
        step_towards(IncidentStatus.LOCKED, lambda state: state is IncidentStatus.DRAFT)


async def test_every_reader_of_charts_is_told_and_only_who_may_write_is_offered_a_fix(agency: Agency) -> None:
    chart = await Chart.open(agency)
    told_to = {}
    for who in ("admin", "medic", "partner", "supervisor", "biller"):
        answer = await readiness(agency.actors[who], chart.id)
        told_to[who] = [{**found, "fix": None} for found in answer["findings"]]
        assert any(found["fix"] for found in answer["findings"]) == (who != "biller")
    assert all(each == told_to["medic"] for each in told_to.values())
    await agency.founder.expect(403, "GET", f"{chart.url}/readiness")
    await Actor(agency.medic.client).expect(401, "GET", f"{chart.url}/readiness")


async def test_a_missing_or_foreign_chart_is_not_found(agency: Agency, found: Any) -> None:
    chart = await Chart.open(await found())
    for incident_id in (chart.id, uuid.uuid4()):
        await agency.admin.expect(404, "GET", f"ems/incidents/{incident_id}/readiness")
    deleted = await Chart.open(agency)
    await agency.medic.expect(204, "DELETE", deleted.url, params={"version": 1, "reason": "Test call."})
    await agency.medic.expect(404, "GET", f"{deleted.url}/readiness")


async def test_no_value_of_the_chart_is_repeated(agency: Agency) -> None:
    """Everything is wrong in some way, so that every rule would have something to repeat."""
    name = "Quackenbush"
    chart = await Chart.open(
        agency,
        incident_number="QQ-0000-QQ",
        location_street=name,
        location_city=name,
        dispatch_time="2031-03-01T10:00:00Z",
        enroute_time="2031-02-01T10:00:00Z",
        primary_impression="Z99.89",
    )
    await chart.revise(PATIENT, chart.patient, last_name=name, home_street=name, ems_patient_id=name)
    await chart.add(VITAL, heart_rate=499, correlation_id=name)
    await chart.add(VITAL, systolic_bp=477, correlation_id=f"{name}-2")
    await chart.add(INTERVENTION)
    await chart.add(NARRATIVE, narrative_text=name)
    await sign(chart, **ASSIGNED | {"signer_name": name})
    await declare(chart, file_name=name)
    await chart.advance("ready_for_review")
    comment = {"entity": "incident", "entity_id": chart.id, "field": "location_street", "text": name}
    body = {"action": "return_for_correction", "version": chart.version, "comments": [comment]}
    await agency.supervisor.expect(200, "POST", f"{chart.url}/transitions", json=body)
    answer = await readiness(chart.writer, chart.id)
    text = orjson.dumps([{**each, "entity_id": "", "patient_id": "", "fix": None} for each in answer["findings"]])
    assert len(answer["findings"]) > 10
    for value in (name, "QQ-0000", "2031", "Z99.89", "499", "477", "Rivers"):
        assert value.encode() not in text, value


async def test_one_row_in_the_access_log(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    chart = await Chart.open(agency)
    await readiness(agency.biller, chart.id)
    rows = await admin_connection.fetch(
        "SELECT route, purpose, incident_id FROM access_log WHERE tenant_id = $1 AND route LIKE '%readiness'",
        agency.tenant_id,
    )
    assert [tuple(row) for row in rows] == [("/ems/incidents/{incident_id}/readiness", "payment", uuid.UUID(chart.id))]


async def test_the_number_of_statements_does_not_grow_with_the_chart(agency: Agency, runtime: Runtime) -> None:
    chart = await charted(agency)
    await sign(chart, **ATTESTED)
    await require_attestation(agency)
    sent = []
    for count in (5, 195):
        await _fill(chart, count)
        await readiness(agency.medic, chart.id)
        async with counted(runtime.database) as statements:
            answer = await readiness(agency.medic, chart.id)
        assert findings(answer, code="signature_outdated")
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 27, sent


async def _fill(chart: Chart, count: int) -> None:
    for start in range(0, count, 100):
        changes = [
            {"kind": "vital", "op": "create", "id": str(uuid.uuid4()), "data": chart.body(VITAL, heart_rate=300)}
            for _ in range(min(100, count - start))
        ]
        answer = await chart.writer.expect(200, "POST", f"{chart.url}/sync", json={"changes": changes})
        assert {result["outcome"] for result in answer["results"]} == {"saved"}
