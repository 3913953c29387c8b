"""A partner's tablet syncs after the submission: what it charted is kept, shown, and admitted or refused."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.ems.vitals.models import Etco2Unit
from tests.ems.charts import CREW, ELEMENT_GROUP, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.findings import findings, readiness, require_attestation
from tests.ems.uploads import ATTESTED, sign
from tests.support.actors import Actor, Agency

LATE = (VITAL, INTERVENTION, NARRATIVE, ELEMENT_GROUP)
WORK = "ems/late-entries"
MEDICATION = {
    "type": "medication", "procedure_code": None, "rxcui": "1191", "dose": "0.50", "dose_unit": "3706021",
    "route": "9927035", "performed_at": "2026-03-01T10:07:00-06:00",
}  # fmt: skip


async def send(chart: Chart, kind: Kind, who: str = "partner", *, status: int = 202, **fields: Any) -> Any:
    return await chart.agency.actors[who].expect(status, "POST", chart.at(kind), json=chart.body(kind, **fields))


async def decide(
    chart: Chart, late: dict[str, Any], action: str, who: str = "medic", *, status: int = 200, **more: Any
) -> Any:
    body = {"action": action, "version": late["version"], **more}
    url = f"{chart.url}/late-entries/{late['id']}/transitions"
    return await chart.agency.actors[who].expect(status, "POST", url, json=body)


async def kept(chart: Chart, who: str = "medic", **params: Any) -> list[dict[str, Any]]:
    page = await chart.agency.actors[who].expect(200, "GET", f"{chart.url}/late-entries", params=params)
    items: list[dict[str, Any]] = page["items"]
    return items


async def id_of(agency: Agency, who: str) -> str:
    return str((await agency.actors[who].expect(200, "GET", "auth/me"))["id"])


@pytest.mark.parametrize("kind", LATE, ids=lambda kind: kind.noun)
async def test_a_late_entry_is_kept_shown_and_admitted_as_it_was_sent(
    agency: Agency, evidence: Evidence, kind: Kind
) -> None:
    chart = await Chart.open(agency, "ready_for_review")
    made = str(uuid.uuid4())
    late = await send(chart, kind, id=made)
    medic, partner = await id_of(agency, "medic"), await id_of(agency, "partner")
    assert (late["status"], late["entity"], late["entity_id"]) == ("pending", kind.entity_type, made)
    assert (late["author_id"], late["submitted_by"], late["charted_by"]) == (medic, medic, partner)
    assert late["allowed_actions"] == []
    await agency.medic.expect(404, "GET", chart.at(kind, {"id": made}))
    for who in ("medic", "supervisor", "admin"):
        [shown] = await kept(chart, who)
        assert (shown["id"], shown["allowed_actions"]) == (late["id"], ["admit", "refuse"])
        [work] = (await agency.actors[who].expect(200, "GET", WORK, params={"author_id": medic}))["items"]
        assert work == shown
    [waiting] = (await agency.supervisor.expect(200, "GET", "ems/review-queue"))["items"]
    assert waiting["late_entries"] == 1
    records = await evidence.records(late["id"])
    assert [row["action"] for row in records.audit] == ["late_entry.held"] and records.revisions == []
    assert [(row["topic"], str(row["aggregate_id"])) for row in records.outbox] == [("incident.updated", chart.id)]
    await chart.fire("recall", "medic")
    admitted = await decide(chart, late, "admit")
    assert (admitted["status"], admitted["decided_by"], admitted["allowed_actions"]) == ("admitted", medic, [])
    entry = await agency.medic.expect(200, "GET", chart.at(kind, {"id": made}))
    direct = await chart.add(kind)
    own = {"id", "created_at", "updated_at"}
    assert {name: entry[name] for name in entry.keys() - own} == {name: direct[name] for name in direct.keys() - own}
    [created] = (await evidence.records(made)).audit
    assert (created["action"], str(created["actor_user_id"])) == (f"{kind.entity_type}.created", medic)
    assert created["metadata_json"] == {"late_entry_id": late["id"]}
    again = await agency.partner.expect(200, "POST", chart.at(kind), json=chart.body(kind, id=made))
    assert again == entry, "the tablet that never heard an answer learns that its entry is there"


async def test_every_spelling_of_a_body_survives_the_wait(agency: Agency) -> None:
    """Decimals with their zeros, times, elements, blanks: as a creation in an open chart keeps them."""
    chart = await Chart.open(agency, "in_progress")
    bodies: list[tuple[Kind, dict[str, Any]]] = [
        (INTERVENTION, MEDICATION),
        (VITAL, {"temperature_c": "37.0", "etco2": 4.7, "etco2_unit": Etco2Unit.KPA.value, "correlation_id": "  ",
                 "elements": {"eVitals.27": [{"pertinent_negative": "8801019"}],
                              "eVitals.26": [{"value": "3326001"}]}}),
        (NARRATIVE, {"structured_json": {"allergies": ["none", 1, True]}}),
        (ELEMENT_GROUP, {"correlation_id": "protocol-1", "attributes": None}),
    ]  # fmt: skip
    direct = [await chart.add(kind, **fields) for kind, fields in bodies]
    for (kind, _), entry in zip(bodies, direct, strict=True):
        await chart.writer.expect(204, "DELETE", chart.at(kind, entry), params={"version": 1})
    await chart.fire("submit_for_review", "medic")
    late = [await send(chart, kind, **fields) for kind, fields in bodies]
    await chart.fire("recall", "medic")
    own = {"id", "created_at", "updated_at"}
    for (kind, _), one, expected in zip(bodies, late, direct, strict=True):
        await decide(chart, one, "admit")
        entry = await agency.medic.expect(200, "GET", chart.at(kind, {"id": one["entity_id"]}))
        assert {name: entry[name] for name in entry.keys() - own} == {
            name: expected[name] for name in expected.keys() - own
        }


async def test_a_repeated_creation_says_what_became_of_it(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "ready_for_review")
    made, headers = str(uuid.uuid4()), {"Idempotency-Key": "key-1"}
    named, url = chart.body(VITAL, id=made), chart.at(VITAL)
    first = await agency.partner.expect(202, "POST", url, json=named)
    keyed = (await agency.partner.post(url, json=chart.body(VITAL), headers=headers)).json()
    before = await evidence.digest(agency.tenant_id)
    assert await agency.partner.expect(202, "POST", url, json=named) == first
    again = await agency.partner.post(url, json=chart.body(VITAL), headers=headers)
    assert (again.status_code, again.json()) == (202, keyed)
    other = await agency.partner.expect(409, "POST", url, json={**named, "heart_rate": 81})
    assert other["error"]["code"] == "ID_TAKEN"
    assert await evidence.digest(agency.tenant_id) == before
    refused = await decide(chart, first, "refuse", "supervisor", reason="Charted already.")
    told = await agency.partner.expect(202, "POST", url, json=named)
    assert (told["status"], told["refusal_reason"], told["version"]) == ("refused", "Charted already.", 2)
    assert told["decided_by"] == refused["decided_by"] == await id_of(agency, "supervisor")
    assert await kept(chart, status="pending") == [{**keyed, "allowed_actions": ["admit", "refuse"]}]


async def test_a_chart_is_not_completed_while_an_entry_waits(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "ready_for_review")
    late = await send(chart, VITAL)
    [finding] = findings(await readiness(agency.medic, chart.id), code="late_entries")
    assert (finding["severity"], finding["stage"], finding["field"]) == ("blocking", "review", "late_entries")
    before = await evidence.digest(agency.tenant_id)
    refused = (await chart.fire("complete", "supervisor", status=409))["error"]
    assert [guard["name"] for guard in refused["details"]["failed_guards"]] == ["late_entries"]
    early = await decide(chart, late, "admit", "supervisor", status=409)
    assert early["error"]["code"] == "CHART_NOT_EDITABLE", "nobody writes while a chart waits for review"
    assert await evidence.digest(agency.tenant_id) == before
    await decide(chart, late, "refuse", "supervisor", reason="Charted already.")
    assert findings(await readiness(agency.medic, chart.id), code="late_entries") == []
    await chart.fire("complete", "supervisor")


async def test_a_chart_does_not_come_back_with_an_entry_that_waits(agency: Agency) -> None:
    """Readiness says so as long as the chart is open; the decision clears both."""
    chart = await Chart.open(agency, "ready_for_review")
    late = await send(chart, VITAL)
    await chart.fire("recall", "medic")
    assert findings(await readiness(agency.medic, chart.id), code="late_entries") != []
    refused = (await chart.fire("submit_for_review", "medic", status=409))["error"]
    assert [guard["name"] for guard in refused["details"]["failed_guards"]] == ["late_entries"]
    await decide(chart, late, "admit")
    assert findings(await readiness(agency.medic, chart.id), code="late_entries") == []
    await chart.fire("submit_for_review", "medic")


async def test_who_charted_an_admitted_entry_is_an_author_and_signatures_are_missed(agency: Agency) -> None:
    await require_attestation(agency)
    chart = await Chart.open(agency, "in_progress")
    await sign(chart, **ATTESTED)
    await chart.fire("submit_for_review", "medic")
    late = await send(chart, VITAL, "supervisor")
    await chart.fire("return_for_correction", "admin")
    await decide(chart, late, "admit")
    [signature] = (await agency.medic.expect(200, "GET", f"{chart.url}/signatures"))["items"]
    assert [(one["change"], one["id"]) for one in signature["changed_since"]] == [("added", late["entity_id"])]
    await chart.fire("submit_for_review", "medic")
    await chart.fire("complete", "supervisor", status=403)
    unsigned = await chart.fire("complete", "admin", status=409)
    assert [guard["name"] for guard in unsigned["error"]["details"]["failed_guards"]] == ["crew_signature"]


async def test_the_author_and_reviewers_decide_and_nobody_else(
    agency: Agency, found: Callable[[], Awaitable[Agency]], anonymous: Actor, evidence: Evidence
) -> None:
    chart, elsewhere, other = await Chart.open(agency), await Chart.open(agency), await found()
    await chart.advance("ready_for_review")
    late = await send(chart, VITAL)
    url = f"{chart.url}/late-entries/{late['id']}/transitions"
    before = await evidence.digest(agency.tenant_id)
    for action in ("admit", "refuse"):
        body = {"action": action, "version": 1, "reason": "Why."}
        for who in ("partner", "biller", "founder"):
            await decide(chart, late, action, who, status=403, reason="Why.")
        await anonymous.expect(401, "POST", url, json=body)
        await other.admin.expect(404, "POST", url, json=body)
        await agency.admin.expect(404, "POST", url.replace(chart.id, elsewhere.id), json=body)
        await agency.admin.expect(409, "POST", url, json={**body, "version": 2})
    await decide(chart, late, "refuse", status=422)
    assert await evidence.digest(agency.tenant_id) == before
    assert (await other.admin.expect(200, "GET", WORK))["items"] == []
    await other.admin.expect(404, "GET", f"{chart.url}/late-entries")
    await agency.founder.expect(403, "GET", WORK)
    await decide(chart, late, "refuse", reason="Twice.")
    for action in ("admit", "refuse"):
        over = await decide(chart, {**late, "version": 2}, action, status=409, reason="Why.")
        assert over["error"]["code"] == "INVALID_TRANSITION"


async def test_what_no_chart_would_take_is_refused_at_once(agency: Agency, evidence: Evidence) -> None:
    """A wrong value, an unknown patient; a patient or a crew member; and everything in a closed chart."""
    chart = await Chart.open(agency, "ready_for_review")
    await chart.ready(CREW)
    before = await evidence.digest(agency.tenant_id)
    await send(chart, VITAL, status=422, heart_rate=501)
    await send(chart, VITAL, status=422, systolic_bp=80, diastolic_bp=90)
    await send(chart, VITAL, status=422, patient_id=str(uuid.uuid4()))
    for who in ("biller", "founder"):
        await send(chart, VITAL, who, status=403)
    for kind in (PATIENT, CREW):
        assert (await send(chart, kind, status=409))["error"]["code"] == "CHART_NOT_EDITABLE"
    assert await evidence.digest(agency.tenant_id) == before
    await chart.advance("completed")
    before = await evidence.digest(agency.tenant_id)
    for kind in LATE:
        assert (await send(chart, kind, status=409))["error"]["code"] == "CHART_NOT_EDITABLE"
    assert await evidence.digest(agency.tenant_id) == before


async def test_what_no_longer_fits_the_chart_is_not_admitted(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "in_progress")
    second = await chart.add(PATIENT)
    await chart.fire("submit_for_review", "medic")
    late = await send(chart, VITAL, patient_id=second["id"])
    await chart.fire("recall", "medic")
    await agency.medic.expect(204, "DELETE", chart.at(PATIENT, second), params={"version": 1})
    before = await evidence.digest(agency.tenant_id)
    refused = await decide(chart, late, "admit", status=422)
    assert refused["error"]["details"]["problems"][0]["code"] == "unknown_patient"
    assert await evidence.digest(agency.tenant_id) == before
    await chart.writer.expect(204, "DELETE", chart.url, params={"version": chart.version, "reason": "Opened twice."})
    assert (await agency.medic.expect(200, "GET", WORK))["items"] == []
    await decide(chart, late, "refuse", status=404, reason="Why.")


async def test_nothing_is_lost_between_a_late_entry_and_the_verdict(agency: Agency) -> None:
    """The entry is kept before the completion, which then waits for it, or it is refused: never both done."""
    outcomes = set()
    for _ in range(6):
        chart = await Chart.open(agency, "ready_for_review")
        sent, completed = await asyncio.gather(
            agency.partner.post(chart.at(VITAL), json=chart.body(VITAL)),
            agency.supervisor.post(f"{chart.url}/transitions", json={"action": "complete", "version": chart.version}),
        )
        outcomes.add((sent.status_code, completed.status_code))
        assert len(await kept(chart)) == (sent.status_code == 202)
    assert outcomes <= {(202, 409), (409, 200)}


async def test_two_decisions_at_once_are_one(agency: Agency) -> None:
    for _ in range(4):
        chart = await Chart.open(agency, "ready_for_review")
        late = await send(chart, VITAL)
        await chart.fire("return_for_correction", "supervisor")
        url = f"{chart.url}/late-entries/{late['id']}/transitions"
        admitted, refused = await asyncio.gather(
            agency.medic.post(url, json={"action": "admit", "version": 1}),
            agency.admin.post(url, json={"action": "refuse", "version": 1, "reason": "Twice."}),
        )
        assert sorted((admitted.status_code, refused.status_code)) == [200, 409]
        listed = await agency.medic.expect(200, "GET", chart.at(VITAL))
        assert len(listed["items"]) == (admitted.status_code == 200)


async def test_no_value_of_a_late_entry_is_in_the_logs(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "ready_for_review")
    late = await send(chart, NARRATIVE, narrative_text="CANARY found sitting.")
    await decide(chart, late, "refuse", reason="Twice.")
    text = await evidence.text(agency.tenant_id)
    assert "late_entry" in text and "CANARY" not in text


async def test_a_sync_that_comes_late_is_kept_once_with_its_typo_named(agency: Agency, evidence: Evidence) -> None:
    """The whole path of a tablet: the answer says `held`, a repetition the same, and an admitted one is `saved`."""
    chart = await Chart.open(agency, "ready_for_review")
    made = str(uuid.uuid4())
    data = chart.body(VITAL, heart_rate=9999, spo2=97)
    change = {"kind": "vital", "op": "create", "id": made, "data": data}

    async def sync() -> Any:
        answer = await agency.partner.expect(200, "POST", f"{chart.url}/sync", json={"changes": [change]})
        return answer["results"][0]

    first = await sync()
    assert (first["outcome"], first["status"]) == ("held", 202)
    assert first["late_entry"]["entity_id"] == made
    assert [problem["field"] for problem in first["problems"]] == ["heart_rate"]
    assert "heart_rate" not in first["late_entry"]["body"]
    assert (await sync())["late_entry"] == first["late_entry"]
    [late] = await kept(chart)
    assert (await evidence.records(made)).audit == []
    await chart.fire("recall", "medic")
    await decide(chart, late, "admit")
    saved = await sync()
    assert (saved["outcome"], saved["resource"]["heart_rate"], saved["version"]) == ("partly_saved", None, 1)


async def test_a_correction_of_a_late_entry_is_not_told_that_there_is_none(
    agency: Agency, found: Callable[[], Awaitable[Agency]], evidence: Evidence
) -> None:
    """By sync in the same batch, and alone. Once it is admitted, the same correction is saved."""
    chart, elsewhere = await Chart.open(agency, "ready_for_review"), await Chart.open(agency, "ready_for_review")
    made = str(uuid.uuid4())
    url, body = chart.at(VITAL, {"id": made}), {"version": 1, "heart_rate": 81}
    create = {"kind": "vital", "op": "create", "id": made, "data": chart.body(VITAL)}
    correct = {"kind": "vital", "op": "patch", "id": made, "version": 1, "data": {"heart_rate": 81}}
    answer = await agency.partner.expect(200, "POST", f"{chart.url}/sync", json={"changes": [create, correct]})
    held, refused = answer["results"]
    late = held["late_entry"]
    told = {"late_entry_id": late["id"], "status": "pending"}
    assert (refused["outcome"], refused["error"]["code"], refused["error"]["details"]) == (
        "refused",
        "ENTRY_HELD",
        told,
    )
    before = await evidence.digest(agency.tenant_id)
    for method, options in (("PATCH", {"json": body}), ("DELETE", {"params": {"version": 1}})):
        alone = (await agency.partner.expect(409, method, url, **options))["error"]
        assert (alone["code"], alone["details"]) == ("ENTRY_HELD", told)
        await agency.partner.expect(404, method, elsewhere.at(VITAL, {"id": made}), **options)
        await agency.partner.expect(404, method, chart.at(VITAL, {"id": uuid.uuid4()}), **options)
        await (await found()).medic.expect(404, method, url, **options)
    await agency.partner.expect(
        404, "PATCH", chart.at(NARRATIVE, {"id": made}), json={"version": 1, **NARRATIVE.change}
    )
    assert await evidence.digest(agency.tenant_id) == before
    await chart.fire("recall", "medic")
    await decide(chart, late, "admit")
    assert (await agency.partner.expect(200, "PATCH", url, json=body))["heart_rate"] == 81


async def test_a_sync_that_creates_a_deleted_entry_again_is_told_so(chart: Chart, evidence: Evidence) -> None:
    """Who deleted it is told `saved` without a resource; a partner's repetition would be a conflict."""
    made = str(uuid.uuid4())
    change = {"kind": "vital", "op": "create", "id": made, "data": chart.body(VITAL)}
    for _ in range(2):
        [result] = (await chart.writer.expect(200, "POST", f"{chart.url}/sync", json={"changes": [change]}))["results"]
        assert (result["outcome"], result["version"]) == ("saved", 1)
    await chart.agency.partner.expect(204, "DELETE", f"{chart.at(VITAL, {'id': made})}?version=1")
    before = await evidence.digest(chart.agency.tenant_id)
    [gone] = (await chart.writer.expect(200, "POST", f"{chart.url}/sync", json={"changes": [change]}))["results"]
    assert (gone["outcome"], gone["server_version"], gone["resource"]) == ("conflict", 2, None)
    assert gone["deleted_by"] == await id_of(chart.agency, "partner")
    assert await evidence.digest(chart.agency.tenant_id) == before
