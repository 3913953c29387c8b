"""The Social Security number: its last four digits in every answer, the whole for few, and never without a trace."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.core.runtime import Runtime
from app.ems.public import get_patient_charts
from tests.ems.charts import PATIENT, Chart
from tests.ems.evidence import Evidence
from tests.support.actors import ROLES

NUMBER = "219099999"
ELEMENT = "ePatient.12"
CHARTED: dict[str, Any] = {"elements": {ELEMENT: [{"value": NUMBER}]}}
SHOWN = [{"value": "*****9999"}]


@pytest.fixture
async def patient(chart: Chart) -> dict[str, Any]:
    """A patient whose number is charted."""
    return dict(await chart.add(PATIENT, **CHARTED))


def number_of(chart: Chart, patient: dict[str, Any]) -> str:
    return f"{chart.at(PATIENT, patient)}/social-security-number"


async def test_answers_show_the_last_four_digits(chart: Chart, patient: dict[str, Any]) -> None:
    assert patient["elements"] == {ELEMENT: SHOWN}
    revised = await chart.revise(PATIENT, patient, elements={ELEMENT: [{"value": "219098888"}]})
    assert revised["elements"] == {ELEMENT: [{"value": "*****8888"}]}
    sync = {
        "changes": [{"kind": "patient", "op": "create", "id": str(uuid.uuid4()), "data": CHARTED}],
    }
    saved = await chart.writer.expect(200, "POST", f"{chart.url}/sync", json=sync)
    assert saved["results"][0]["resource"]["elements"] == {ELEMENT: SHOWN}
    await chart.advance("completed")
    amendment = {"version": 2, **CHARTED, "reason": "Misread."}
    await chart.agency.admin.expect(200, "PATCH", chart.at(PATIENT, patient), json=amendment)
    answers = 0
    for who in ("medic", "admin", "biller"):
        for place in (
            chart.at(PATIENT, patient),
            chart.at(PATIENT),
            f"{chart.url}/chart",
            f"{chart.url}/history?as_of=2099-12-31T00:00:00Z",
            f"{chart.url}/amendments",
            f"{chart.url}/history",
            f"{chart.url}/readiness",
            f"{chart.url}/timeline",
        ):
            answer = await chart.agency.actors[who].get(place)
            assert answer.status_code == 200
            assert NUMBER not in answer.text and "219098888" not in answer.text, place
            answers += "*****9999" in answer.text
    assert answers == 3 * 5


async def test_what_an_answer_shows_cannot_be_saved_back(
    chart: Chart, evidence: Evidence, patient: dict[str, Any]
) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    body = {"version": 1, "last_name": "Brooks", "elements": patient["elements"]}
    refused = await chart.writer.expect(422, "PATCH", chart.at(PATIENT, patient), json=body)
    assert refused["error"]["details"]["problems"][0]["field"].startswith(f"elements.{ELEMENT}")
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_missing_number_reads_as_it_was_charted(chart: Chart) -> None:
    refused = {ELEMENT: [{"pertinent_negative": "8801023"}]}
    patient = await chart.add(PATIENT, elements=refused)
    assert patient["elements"] == refused
    await chart.agency.admin.expect(404, "GET", number_of(chart, patient))
    await chart.agency.admin.expect(404, "GET", number_of(chart, chart.patient))


async def test_the_whole_number_is_shown_to_admins_and_every_look_is_audited(
    chart: Chart, evidence: Evidence, patient: dict[str, Any]
) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    for who in ROLES:
        if who != "admin":
            await chart.agency.actors[who].expect(403, "GET", number_of(chart, patient))
    assert await evidence.digest(chart.agency.tenant_id) == before
    admin = chart.agency.admin
    for _ in range(2):
        shown = await admin.expect(200, "GET", number_of(chart, patient))
        assert shown == {"social_security_number": NUMBER}
    audit = (await evidence.records(patient["id"])).audit
    shown_to = [event["actor_user_id"] for event in audit if event["action"].endswith("number_shown")]
    assert list(map(str, shown_to)) == [(await admin.expect(200, "GET", "auth/me"))["id"]] * 2
    log = await admin.expect(200, "GET", "audit/access-log", params={"incident_id": chart.id})
    assert [entry["route"].rpartition("/")[2] for entry in log["items"]] == ["social-security-number"] * 2
    assert NUMBER not in await evidence.text(chart.agency.tenant_id)


async def test_the_number_of_another_chart_is_not_found(chart: Chart, patient: dict[str, Any], found: Any) -> None:
    elsewhere, abroad = await Chart.open(chart.agency), await found()
    await chart.agency.admin.expect(404, "GET", number_of(elsewhere, patient))
    await abroad.admin.expect(404, "GET", number_of(chart, patient))
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, patient), params={"version": 1})
    await chart.agency.admin.expect(404, "GET", number_of(chart, patient))


async def test_documents_hold_the_whole_number(chart: Chart, patient: dict[str, Any], runtime: Runtime) -> None:
    principal = runtime.tokens.verify(chart.agency.biller.token or "")
    async with runtime.read_unit_of_work(principal) as uow:
        charts = await get_patient_charts(uow, uuid.UUID(chart.id))
    elements = {str(one.patient.id): one.patient.elements for one in charts}
    assert elements[patient["id"]] == {ELEMENT: [{"value": NUMBER}]}
