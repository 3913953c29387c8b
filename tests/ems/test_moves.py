"""What was charted for the wrong patient goes to the right one: all of it, or nothing."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.ems.charts import ELEMENT_GROUP, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, at, declare, sign
from tests.support.actors import Actor, Agency

MOVED = (VITAL, INTERVENTION, NARRATIVE, ELEMENT_GROUP)


def named(kind: str, entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"entity": kind, "id": entry["id"], "version": entry["version"], **fields}


async def move(
    chart: Chart, patient: dict[str, Any], *entries: dict[str, Any], status: int = 200, who: str = "medic", **more: Any
) -> Any:
    body = {"patient_id": patient["id"], "entries": list(entries), **more}
    return await chart.agency.actors[who].expect(status, "POST", f"{chart.url}/moves", json=body)


def problems(refused: Any) -> list[tuple[str, str]]:
    return [(one["field"], one["code"]) for one in refused["error"]["details"]["problems"]]


async def test_one_request_moves_entries_of_every_kind(chart: Chart, evidence: Evidence) -> None:
    second = await chart.add(PATIENT, last_name="Brooks")
    entries = [(kind.entity_type, await chart.add(kind), chart.at(kind)) for kind in MOVED]
    photo = await declare(chart, patient_id=chart.patient["id"])
    entries.append(("attachment", photo, f"{chart.url}/attachments"))
    partner = await chart.agency.partner.expect(200, "GET", "auth/me")
    answer = await move(chart, second, *(named(kind, entry) for kind, entry, _ in entries), who="partner")
    assert answer == {
        "patient_id": second["id"],
        "entries": [{"entity": kind, "id": entry["id"], "version": 2} for kind, entry, _ in entries],
    }
    for kind, entry, url in entries:
        now = await chart.writer.expect(200, "GET", f"{url}/{entry['id']}")
        differing = {name for name in now if name in entry and name != "upload" and now[name] != entry[name]}
        assert (now["patient_id"], differing) == (second["id"], {"patient_id", "version", "updated_at"})
        records = await evidence.records(entry["id"])
        audit = records.audit[-1]
        assert (audit["action"], str(audit["actor_user_id"])) == (f"{kind}.moved", partner["id"])
        assert audit["changed_fields_json"] == {"patient_id": [chart.patient["id"], second["id"]]}
        payload = records.outbox[-1]["payload"]
        assert (payload["patient_id"], payload["changed"]) == (second["id"], ["patient_id"])
        assert records.revisions[-1]["snapshot"]["patient_id"] == second["id"]
    before = await evidence.digest(chart.agency.tenant_id)
    assert await move(chart, second, *(named(kind, entry) for kind, entry, _ in entries)) == answer
    assert await evidence.digest(chart.agency.tenant_id) == before, "a repeated move does no harm"
    patient_url = chart.at(PATIENT, chart.patient)
    await chart.writer.expect(204, "DELETE", patient_url, params={"version": chart.patient["version"]})


async def test_whoever_moves_an_entry_is_an_author(chart: Chart) -> None:
    second, vital = await chart.add(PATIENT), await chart.add(VITAL)
    await move(chart, second, named("vital", vital), who="supervisor")
    await chart.fire("start", "medic")
    await chart.fire("submit_for_review", "medic")
    assert (await chart.fire("complete", "supervisor", status=403))["error"]["code"] == "FORBIDDEN"
    await chart.fire("complete", "admin")


async def test_all_or_nothing(chart: Chart, evidence: Evidence) -> None:
    """A stale version is named; so is an entry that is missing, deleted, another chart's, or of another kind."""
    second, other = await chart.add(PATIENT), await Chart.open(chart.agency)
    good, stale, gone = await chart.add(VITAL), await chart.add(NARRATIVE), await chart.add(INTERVENTION)
    await chart.revise(NARRATIVE, stale, narrative_text="Later.")
    await chart.writer.expect(204, "DELETE", chart.at(INTERVENTION, gone), params={"version": 1})
    foreign, another = await other.add(VITAL), await chart.add(VITAL)
    before = await evidence.digest(chart.agency.tenant_id)
    error = (await move(chart, second, named("vital", good), named("narrative", stale), status=409))["error"]
    assert (error["code"], error["details"]["server_version"], error["details"]["id"]) == ("CONFLICT", 2, stale["id"])
    unknown = [
        named("intervention", gone),
        named("vital", foreign),
        named("intervention", another),
        named("vital", {"id": str(uuid.uuid4()), "version": 1}),
    ]
    refused = await move(chart, second, named("vital", good), *unknown, status=422)
    assert problems(refused) == [("entries.1.id", "unknown_entry"), ("entries.2.id", "unknown_entry"),
                                 ("entries.3.id", "unknown_entry"), ("entries.4.id", "unknown_entry")]  # fmt: skip
    for body in ([], [named("vital", good)] * 2, [named("signature", good)], [named("patient", chart.patient)],
                 [named("vital", good, mood=1)], [named("vital", good)] * 101):  # fmt: skip
        await move(chart, second, *body, status=422)
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_the_patient_is_a_live_one_of_the_same_incident(chart: Chart, evidence: Evidence) -> None:
    vital, gone, other = await chart.add(VITAL), await chart.add(PATIENT), await Chart.open(chart.agency)
    await chart.writer.expect(204, "DELETE", chart.at(PATIENT, gone), params={"version": 1})
    before = await evidence.digest(chart.agency.tenant_id)
    for patient in (gone, other.patient, {"id": str(uuid.uuid4())}):
        refused = await move(chart, patient, named("vital", vital), status=422)
        assert problems(refused) == [("patient_id", "unknown_patient")]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_what_cannot_be_the_other_patients_stays(chart: Chart, evidence: Evidence) -> None:
    """A time before the birth, or a CorrelationID that the other document has."""
    newborn = await chart.add(PATIENT, date_of_birth="2026-03-05")
    good, early = await chart.add(VITAL, taken_at="2026-03-05T10:00:00-06:00"), await chart.add(VITAL)
    twice = await chart.add(VITAL, correlation_id="monitor-1", taken_at="2026-03-05T10:00:00-06:00")
    await chart.add(VITAL, correlation_id="monitor-1", patient_id=newborn["id"], taken_at=None)
    responder = await chart.add(ELEMENT_GROUP, group_name="eScene.ResponderGroup", elements={}, patient_id=None)
    before = await evidence.digest(chart.agency.tenant_id)
    cases = [("vital", early, "entries.1.taken_at", "before_birth"),
             ("vital", twice, "entries.1.correlation_id", "correlation_id_repeated")]  # fmt: skip
    for kind, entry, field, code in cases:
        refused = await move(chart, newborn, named("vital", good), named(kind, entry), status=422)
        assert problems(refused) == [(field, code)]
        assert await evidence.digest(chart.agency.tenant_id) == before
    answer = await move(chart, newborn, named("element_group", responder))
    assert answer["entries"][0]["version"] == 2, "a responder may name the patient whom it took over"


async def test_nested_groups_go_with_their_group_and_not_without_it(chart: Chart, evidence: Evidence) -> None:
    second = await chart.add(PATIENT)
    parent = await chart.add(ELEMENT_GROUP, group_name="eExam.AssessmentGroup", elements={})
    chest = await chart.add(ELEMENT_GROUP, group_name="eExam.ChestGroup", elements={}, parent_id=parent["id"])
    belly = await chart.add(ELEMENT_GROUP, group_name="eExam.AbdomenGroup", elements={}, parent_id=parent["id"])
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await move(chart, second, named("element_group", chest), status=422)
    assert problems(refused) == [("entries.0.parent_id", "unknown_parent")]
    assert await evidence.digest(chart.agency.tenant_id) == before
    answer = await move(chart, second, named("element_group", chest), named("element_group", parent))
    assert [one["id"] for one in answer["entries"]] == [chest["id"], parent["id"], belly["id"]]
    for group in (parent, chest, belly):
        now = await chart.writer.expect(200, "GET", chart.at(ELEMENT_GROUP, group))
        assert (now["patient_id"], now["version"]) == (second["id"], 2)


async def test_signatures_of_both_patients_no_longer_cover_and_cover_again(chart: Chart) -> None:
    second, vital = await chart.add(PATIENT), await chart.add(VITAL)
    mine = await sign(chart, **{**ATTESTED, "patient_id": chart.patient["id"]})
    theirs = await sign(chart, **{**ATTESTED, "patient_id": second["id"]})

    async def missed(signature: dict[str, Any]) -> list[tuple[str, list[str]]]:
        read = await chart.writer.expect(200, "GET", at(chart, "signatures", signature))
        assert read["covers_current_chart"] is (read["changed_since"] == [])
        return [(one["change"], one["fields"]) for one in read["changed_since"]]

    await move(chart, second, named("vital", vital))
    assert await missed(mine) == [("changed", ["patient_id"])] and await missed(theirs) == [("added", [])]
    await move(chart, chart.patient, named("vital", {**vital, "version": 2}))
    assert await missed(mine) == [] and await missed(theirs) == []


async def test_a_move_in_a_completed_chart_is_an_amendment_of_both_patients(chart: Chart, evidence: Evidence) -> None:
    second, vital = await chart.add(PATIENT), await chart.add(VITAL)
    signed = [await sign(chart, **{**ATTESTED, "patient_id": one["id"]}) for one in (chart.patient, second)]
    await chart.advance("completed")
    before = await evidence.digest(chart.agency.tenant_id)
    await move(chart, second, named("vital", vital), status=409)
    assert problems(await move(chart, second, named("vital", vital), status=422, who="admin")) == [
        ("reason", "missing")
    ]
    assert await evidence.digest(chart.agency.tenant_id) == before
    await move(chart, second, named("vital", vital), who="admin", reason="Charted for the wrong patient.")
    [amended] = (await chart.writer.expect(200, "GET", f"{chart.url}/amendments"))["items"]
    assert (amended["change"], amended["entity_id"]) == ("revised", vital["id"])
    assert [(one["field"], one["before"], one["after"]) for one in amended["changes"]] == [
        ("patient_id", chart.patient["id"], second["id"])
    ]
    assert {one["id"] for one in amended["outdated_signatures"]} == {one["id"] for one in signed}
    await chart.fire("lock", "admin")
    await move(chart, chart.patient, named("vital", vital), who="admin", reason="Back.", status=409)


@pytest.mark.parametrize("status", ["ready_for_review", "locked"])
async def test_who_may_move_and_when(
    agency: Agency, found: Callable[[], Awaitable[Agency]], anonymous: Actor, evidence: Evidence, status: str
) -> None:
    chart = await Chart.open(agency)
    second, vital = await chart.add(PATIENT), await chart.add(VITAL)
    body = {"patient_id": second["id"], "entries": [named("vital", vital)]}
    before = await evidence.digest(agency.tenant_id)
    await anonymous.expect(401, "POST", f"{chart.url}/moves", json=body)
    for who in ("biller", "founder"):
        await move(chart, second, named("vital", vital), status=403, who=who)
    await (await found()).admin.expect(404, "POST", f"{chart.url}/moves", json=body)
    assert await evidence.digest(agency.tenant_id) == before
    await chart.advance(status)
    before = await evidence.digest(agency.tenant_id)
    for who in ("medic", "partner", "supervisor", "admin"):
        refused = await move(chart, second, named("vital", vital), status=409, who=who, reason="Why.")
        assert refused["error"]["code"] == "CHART_NOT_EDITABLE"
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_move_and_an_autosave_at_once_are_one_of_them(chart: Chart) -> None:
    second = await chart.add(PATIENT)
    for _ in range(5):
        vital = await chart.add(VITAL)
        body = {"patient_id": second["id"], "entries": [named("vital", vital)]}
        moved, saved = await asyncio.gather(
            chart.writer.post(f"{chart.url}/moves", json=body),
            chart.agency.partner.patch(chart.at(VITAL, vital), json={"version": 1, "heart_rate": 99}),
        )
        assert sorted((moved.status_code, saved.status_code)) == [200, 409]
        now = await chart.writer.expect(200, "GET", chart.at(VITAL, vital))
        wanted = (second["id"], 80) if moved.status_code == 200 else (chart.patient["id"], 99)
        assert (now["patient_id"], now["heart_rate"], now["version"]) == (*wanted, 2)


async def test_a_move_and_the_deletion_of_the_patient_do_not_both_succeed(agency: Agency) -> None:
    for _ in range(5):
        chart = await Chart.open(agency)
        second, vital = await chart.add(PATIENT), await chart.add(VITAL)
        body = {"patient_id": second["id"], "entries": [named("vital", vital)]}
        moved, deleted = await asyncio.gather(
            chart.writer.post(f"{chart.url}/moves", json=body),
            agency.partner.delete(chart.at(PATIENT, second), params={"version": 1}),
        )
        assert (moved.status_code, deleted.status_code) in {(200, 409), (422, 204)}
