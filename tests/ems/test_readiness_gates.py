"""What readiness says of a stage against what the stage's own gate does: charts with random holes, taken all the way.

No stage is called ready while its gate refuses, and none blocked while it accepts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.demo_chart import CALL
from scripts.demo_chart import Call as Script
from tests.ems.charts import INCIDENT, PATIENT, VITAL, Chart
from tests.ems.findings import (
    ASSIGNED,
    charted,
    export_of,
    findings,
    fire_export,
    readiness,
    require_attestation,
    states,
)
from tests.ems.uploads import ATTESTED, sign
from tests.support.actors import Agency

MANDATORY = ("eResponse.05", "eResponse.07", "eResponse.13", "eResponse.14", "eResponse.23", "eDispatch.01")
TIMES = ("dispatch_time", "depart_scene_time", "arrival_time")
OF_PATIENT = ("last_name", "date_of_birth", "gender", "home_zip", "destination_street", "destination_zip")
CLAIM_FAULTS: tuple[Mapping[str, Any], ...] = (
    {"signature_on_file": None},
    {"loaded_miles": "7.5"},
    {"diagnoses": ["I20.9", "I209"]},
    {"round_trip_purpose": "Back again"},
)


@dataclass(frozen=True)
class Holes:
    """What is left out of the demo's complete chart, and what happens to its signatures."""

    elements: frozenset[str]
    times: frozenset[str]
    of_patient: frozenset[str]
    cleared: bool
    second_patient: bool
    attestation: str
    assigned: bool
    required: bool
    claim: Mapping[str, Any]

    def script(self) -> Script:
        elements = {name: value for name, value in CALL.incident["elements"].items() if name not in self.elements}
        incident = {name: value for name, value in CALL.incident.items() if name not in self.times}
        patient = {name: value for name, value in CALL.patient.items() if name not in self.of_patient}
        saves = CALL.autosaves if self.cleared else CALL.autosaves[1:]
        return replace(CALL, incident={**incident, "elements": elements}, patient=patient, autosaves=saves)


def _few(names: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.one_of(st.just(frozenset[str]()), st.frozensets(st.sampled_from(names), max_size=2))


HOLES = st.builds(
    Holes,
    elements=_few(MANDATORY),
    times=_few(TIMES),
    of_patient=_few(OF_PATIENT),
    cleared=st.sampled_from([True, True, False]),
    second_patient=st.sampled_from([False, False, True]),
    attestation=st.sampled_from(["none", "whole", "outdated", "one patient"]),
    assigned=st.booleans(),
    required=st.booleans(),
    claim=st.sampled_from(({}, {}, *CLAIM_FAULTS)),
)


SECOND = {
    "eDisposition.27": [{"value": "4227001"}],
    "eDisposition.30": [{"value": "4230001"}],
}


async def _prepared(agency: Agency, holes: Holes) -> Chart:
    chart = await charted(agency, holes.script())
    if holes.second_patient:
        await chart.add(PATIENT, elements=SECOND)
    if holes.assigned:
        await sign(chart, **ASSIGNED)
    if holes.attestation != "none":
        await sign(chart, **ATTESTED | ({"patient_id": chart.patient["id"]} if "one" in holes.attestation else {}))
    if holes.attestation == "outdated":
        await chart.add(VITAL, taken_at=None, elements={"eVitals.01": [{"not_value": "7701003"}]})
    await require_attestation(agency, holes.required)
    return chart


async def _said(agency: Agency, chart: Chart, stage: str, seen: set[tuple[str, str]] | None = None) -> str:
    answer = await readiness(agency.admin, chart.id)
    [summary] = [each for each in answer["stages"] if each["stage"] == stage]
    assert summary["blocking"] == len(findings(answer, stage=stage, severity="blocking"))
    assert (summary["state"] == "blocked") == (summary["blocking"] > 0)
    if seen is not None:
        seen.add((stage, summary["state"]))
    return str(summary["state"])


async def _accepted(actor: Any, path: str, body: Mapping[str, Any]) -> Any:
    """The answer, or None for a refusal by the gate."""
    answer = await actor.post(f"{path}/transitions", json=body)
    assert answer.status_code in (200, 409), answer.text
    return answer.json() if answer.status_code == 200 else None


async def check_review(agency: Agency, chart: Chart, seen: set[tuple[str, str]]) -> None:
    ready = await _said(agency, chart, "review", seen)
    signatures = await _said(agency, chart, "signature")
    assert signatures == ready, "the crew's signature is all that `complete` asks for"
    await chart.fire("submit_for_review", "medic")
    assert await _said(agency, chart, "review", seen) == ready
    body = {"action": "complete", "version": chart.version}
    completed = await _accepted(agency.supervisor, chart.url, body)
    assert ready == ("blocked" if completed is None else "ready")
    if completed is None:
        await require_attestation(agency, False)
        await chart.fire("complete", "supervisor")
    else:
        chart.head = completed
    assert await _said(agency, chart, "review", seen) == "done"


async def check_submission(agency: Agency, chart: Chart, seen: set[tuple[str, str]], *, closed: bool) -> None:
    ready = await _said(agency, chart, "state_submission", seen)
    patients = (await agency.admin.expect(200, "GET", f"{chart.url}/patients"))["items"]
    outcomes = []
    for patient in patients:
        export = await export_of(agency, chart.id, patient["id"])
        body = {"action": "export", "version": export["version"]}
        outcomes.append(await _accepted(agency.admin, f"nemsis/exports/{export['id']}", body) is not None)
    assert ready == ("ready" if all(outcomes) else "blocked")
    assert closed or not any(outcomes)
    if closed and all(outcomes):
        assert await _said(agency, chart, "state_submission", seen) == "done"


async def check_payment(agency: Agency, chart: Chart, claim: Mapping[str, Any], seen: set[tuple[str, str]]) -> None:
    """Of each patient the same claim, for the chart's and the claim's own problems to meet."""
    assert await _said(agency, chart, "payment", seen) == "blocked", "there is no claim"
    await chart.fire("lock", "admin")
    assert await _said(agency, chart, "payment", seen) == "blocked", "there is no claim"
    patients = (await agency.admin.expect(200, "GET", f"{chart.url}/patients"))["items"]
    claims = []
    for patient in patients:
        body = {**CALL.claim, **claim, "incident_id": chart.id, "patient_id": patient["id"]}
        claims.append(await agency.biller.expect(201, "POST", "billing/claims", json=body))
    ready, outcomes = await _said(agency, chart, "payment", seen), []
    for made in claims:
        body = {"action": "approve", "version": made["version"]}
        outcomes.append(await _accepted(agency.biller, f"billing/claims/{made['id']}", body) is not None)
    assert ready == ("ready" if all(outcomes) else "blocked")
    if all(outcomes):
        ids = {"claim_ids": [made["id"] for made in claims]}
        await agency.biller.expect(201, "POST", "billing/exports", json=ids)
        assert await _said(agency, chart, "payment", seen) == "done"


async def check_all_the_way(agency: Agency, holes: Holes, seen: set[tuple[str, str]]) -> None:
    chart = await _prepared(agency, holes)
    await chart.reload()
    await check_submission(agency, chart, seen, closed=False)
    await check_review(agency, chart, seen)
    await check_submission(agency, chart, seen, closed=True)
    await check_payment(agency, chart, holes.claim, seen)


async def check_stages(agency: Agency, *, examples: int, derandomize: bool) -> None:
    """Every stage was seen ready, blocked and done: nothing was compared in vain."""
    loop = asyncio.get_running_loop()
    seen: set[tuple[str, str]] = set()

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(holes=HOLES)
    def check(holes: Holes) -> None:
        asyncio.run_coroutine_threadsafe(check_all_the_way(agency, holes, seen), loop).result()

    await asyncio.to_thread(check)
    assert seen == set(product(("review", "state_submission", "payment"), ("ready", "blocked", "done")))


async def test_what_is_said_of_a_stage_is_what_its_gate_does(agency: Agency) -> None:
    await check_stages(agency, examples=12, derandomize=True)


@pytest.mark.long
async def test_what_is_said_of_a_stage_is_what_its_gate_does_for_long(agency: Agency) -> None:
    await check_stages(agency, examples=300, derandomize=False)


async def test_without_a_patient_nothing_goes_out(agency: Agency) -> None:
    chart = await Chart.open(agency)
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, chart.patient), params={"version": 1})
    answer = await readiness(agency.medic, chart.id)
    assert {(found["stage"], found["severity"]) for found in findings(answer, code="patient_missing")} == {
        ("review", "warning"), ("state_submission", "blocking"), ("payment", "blocking"),
    }  # fmt: skip
    await chart.advance("completed")
    assert states(await readiness(agency.medic, chart.id))["state_submission"] == "blocked"


async def test_a_draft_is_started_before_it_is_submitted(agency: Agency) -> None:
    chart = await Chart.open(agency)
    body = {"action": "submit_for_review", "version": chart.version}
    assert await _said(agency, chart, "review") == "blocked"
    assert await _accepted(agency.medic, chart.at(INCIDENT), body) is None
    await chart.fire("start", "medic")
    assert await _said(agency, chart, "review") == "ready"


async def test_an_exported_document_stays_done_only_while_it_is_todays(agency: Agency) -> None:
    chart = await charted(agency)
    await chart.advance("completed")
    export = await export_of(agency, chart.id, chart.patient["id"])
    assert await _said(agency, chart, "state_submission") == "ready"
    await fire_export(agency, export, "export")
    assert await _said(agency, chart, "state_submission") == "done"
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": tenant["version"], "agency_number": "TEST-02"}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)
    assert await _said(agency, chart, "state_submission") == "ready", "its header names the agency"
