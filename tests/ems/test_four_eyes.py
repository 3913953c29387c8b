"""Nobody reviews what they charted; who may delete a chart, and what keeps it; the witness of a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.runtime import Runtime
from app.ems.charting.service import IncidentAction
from app.ems.entries.kinds import KINDS as RULES
from app.ems.public import list_signatures
from tests.ems.charts import CHILDREN, INCIDENT, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, declare, sign
from tests.support.actors import Agency

REASON = "Charted twice."
REVIEWS = ("complete", "return_for_correction")


async def offered(chart: Chart, who: str) -> set[str]:
    """The transitions of a review that `who` is told to be allowed."""
    head = await chart.agency.actors[who].expect(200, "GET", chart.url)
    return set(head["allowed_actions"]) & set(REVIEWS)


async def refused_to(chart: Chart, evidence: Evidence, who: str) -> None:
    """Neither transition of a review is offered to `who`, and neither is done."""
    assert not await offered(chart, who)
    before = await evidence.digest(chart.agency.tenant_id)
    for action in REVIEWS:
        answer = await chart.fire(action, who, status=403)
        assert answer["error"]["code"] == "FORBIDDEN"
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.noun)
async def test_whoever_added_an_entry_does_not_review_the_chart(chart: Chart, evidence: Evidence, kind: Kind) -> None:
    await chart.ready(kind)
    await chart.agency.supervisor.expect(201, "POST", chart.at(kind), json=chart.body(kind))
    await chart.advance("ready_for_review")
    await refused_to(chart, evidence, "supervisor")
    assert await offered(chart, "admin") == set(REVIEWS)
    await chart.fire("complete", "admin")
    assert chart.head["status"] == "completed"


@pytest.mark.parametrize("write", ["revise", "delete", "restore", "revise the incident", "submit"])
async def test_every_write_of_content_makes_an_author(chart: Chart, evidence: Evidence, write: str) -> None:
    vital, admin = await chart.add(VITAL), chart.agency.admin
    url = chart.at(VITAL, vital)
    if write == "restore":
        await chart.writer.expect(204, "DELETE", url, params={"version": 1})
        await admin.expect(200, "POST", f"{url}/restore", json={"version": 2})
    elif write == "delete":
        await admin.expect(204, "DELETE", url, params={"version": 1})
    elif write == "revise":
        await admin.expect(200, "PATCH", url, json={"version": 1, **VITAL.change})
    elif write == "revise the incident":
        chart.head = await admin.expect(200, "PATCH", chart.url, json={"version": 1, **INCIDENT.change})
    await chart.fire("start", "medic")
    await chart.fire("submit_for_review", "admin" if write == "submit" else "medic")
    await refused_to(chart, evidence, "admin")
    await chart.fire("complete", "supervisor")


async def test_what_writes_no_content_makes_no_author(chart: Chart) -> None:
    """A reviewer may start the chart, save what is there already, attach, sign, return, comment, and still review."""
    supervisor = chart.agency.supervisor
    vital = await chart.add(VITAL)
    await chart.fire("start", "supervisor")
    await supervisor.expect(200, "PATCH", chart.at(VITAL, vital), json={"version": 1, "heart_rate": 80})
    chart.author = "supervisor"
    await declare(chart, "attachments")
    await sign(chart, **ATTESTED)
    chart.author = "medic"
    await chart.fire("submit_for_review", "medic")
    comment = {"entity": "vital", "entity_id": vital["id"], "field": "heart_rate", "text": "Really?"}
    body = {"action": "return_for_correction", "version": chart.version, "comments": [comment]}
    chart.head = await supervisor.expect(200, "POST", f"{chart.url}/transitions", json=body)
    await chart.fire("submit_for_review", "medic")
    await chart.fire("complete", "supervisor")


async def test_a_returned_chart_is_judged_by_who_wrote_it_meanwhile(chart: Chart, evidence: Evidence) -> None:
    await chart.advance("ready_for_review")
    assert await offered(chart, "supervisor") == set(REVIEWS)
    await chart.fire("return_for_correction", "supervisor")
    await chart.agency.supervisor.expect(201, "POST", chart.at(VITAL), json=chart.body(VITAL))
    await chart.advance("ready_for_review")
    await refused_to(chart, evidence, "supervisor")
    await chart.fire("complete", "admin")


async def test_a_review_is_not_assigned_to_an_author(chart: Chart, evidence: Evidence) -> None:
    await chart.agency.supervisor.expect(201, "POST", chart.at(VITAL), json=chart.body(VITAL))
    await chart.advance("ready_for_review")
    before = await evidence.digest(chart.agency.tenant_id)
    author = (await chart.agency.supervisor.expect(200, "GET", "auth/me"))["id"]
    body = {"version": 1, "reviewer_id": author}
    refused = await chart.agency.admin.expect(422, "PATCH", f"{chart.url}/review", json=body)
    assert refused["error"]["details"]["problems"][0]["code"] == "is_author"
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_small_agency_lets_authors_review_by_an_audited_setting(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "ready_for_review", author="admin")
    await refused_to(chart, evidence, "admin")
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": tenant["version"], "authors_may_review": True}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)
    event = (await evidence.records(tenant["id"])).audit[-1]
    assert event["changed_fields_json"]["authors_may_review"] == [False, True]
    await refused_to(chart, evidence, "admin")  # it was submitted before
    later = await Chart.open(agency, "ready_for_review", author="admin")
    await later.fire("complete", "admin")
    assert later.head["status"] == "completed"


def test_every_action_on_an_entry_makes_an_author() -> None:
    """An action that is added to a kind of entry is one of its `ChildActions`, so authors know it."""
    for kind in RULES:
        assert set(kind.actions.all()) == set(type(kind.actions.created)), kind.part.noun
    verbs = {action.partition(".")[2] for action in IncidentAction}
    assert verbs == {"created", "revised", "amended", "deleted", "restored"}


async def test_a_colleague_does_not_delete_a_chart(chart: Chart, evidence: Evidence) -> None:
    await chart.agency.partner.expect(201, "POST", chart.at(VITAL), json=chart.body(VITAL))
    before = await evidence.digest(chart.agency.tenant_id)
    for who in ("partner", "supervisor", "biller", "founder"):
        params = {"version": chart.version, "reason": REASON}
        await chart.agency.actors[who].expect(403, "DELETE", chart.url, params=params)
    assert await evidence.digest(chart.agency.tenant_id) == before
    await chart.agency.admin.expect(204, "DELETE", chart.url, params={"version": chart.version, "reason": REASON})
    event = (await evidence.records(chart.id)).audit[-1]
    assert (event["action"], event["metadata_json"]) == ("incident.deleted", {"reason": REASON})


@pytest.mark.parametrize("who", ["medic", "admin"])
async def test_a_chart_is_not_deleted_without_a_reason(chart: Chart, evidence: Evidence, who: str) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    actor = chart.agency.actors[who]
    without: tuple[dict[str, str], ...] = ({}, {"reason": " "}, {"reason": ""})
    for reason in without:
        refused = await actor.expect(422, "DELETE", chart.url, params={"version": chart.version, **reason})
        [problem] = refused["error"]["details"]["problems"]
        assert problem["field"].rpartition(".")[2] == "reason"
    assert await evidence.digest(chart.agency.tenant_id) == before
    await actor.expect(204, "DELETE", chart.url, params={"version": chart.version, "reason": REASON})


async def test_a_witness_signs_a_refusal_beside_the_patient(chart: Chart, evidence: Evidence, runtime: Runtime) -> None:
    witness: dict[str, Any] = {"signer_role": "witness", "signer_name": "Lee Bystander"}
    patients = await sign(chart, statement_code="refusal")
    seen = await sign(chart, statement_code="refusal", **witness)
    assert (seen["signer_role"], seen["status"], seen["covers_current_chart"]) == ("witness", "signed", True)
    before = await evidence.digest(chart.agency.tenant_id)
    for code in ("consent_to_treat", "assignment_of_benefits", "receipt_of_privacy_notice"):
        refused = await declare(chart, "signatures", status=422, statement_code=code, **witness)
        [problem] = refused["error"]["details"]["problems"]
        assert (problem["field"], problem["code"]) == ("signer_role", "not_a_refusal")
    assert await evidence.digest(chart.agency.tenant_id) == before
    await chart.revise(PATIENT, chart.patient, last_name="Brooks")
    await sign(chart, statement_code="refusal", **witness)  # replaces the witness's, never the patient's
    readiness = await chart.writer.expect(200, "GET", f"{chart.url}/readiness")
    outdated = [one["entity_id"] for one in readiness["findings"] if one["code"] == "signature_outdated"]
    assert outdated == [patients["id"]]
    principal = runtime.tokens.verify(chart.agency.biller.token or "")
    async with runtime.read_unit_of_work(principal) as uow:
        roles = {one.signer_role for one in await list_signatures(uow, seen["incident_id"])}
    assert roles == {"patient", "witness"}
