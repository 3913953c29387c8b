"""A whole call charted without a network arrives in one request, once, however often it is sent."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any

import pytest

from tests.ems.charts import INCIDENT, INCIDENTS, NARRATIVE, VITAL, Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, SIGNED, content_of, declared, send
from tests.support.actors import Actor, Agency

Change = dict[str, Any]


def made(kind: str, **data: Any) -> Change:
    return {"kind": kind, "op": "create", "id": str(uuid.uuid4()), "data": data}


def then(op: str, change: Change, version: int, **data: Any) -> Change:
    return {"kind": change["kind"], "op": op, "id": change["id"], "version": version, "data": data}


def opened(**data: Any) -> Change:
    return made("incident", **INCIDENT.body, **data)


async def sent(actor: Actor, incident_id: str, *changes: Any) -> list[dict[str, Any]]:
    body = {"changes": list(changes)}
    answer = await actor.expect(200, "POST", f"{INCIDENTS}/{incident_id}/sync", json=body)
    results: list[dict[str, Any]] = answer["results"]
    assert len(results) == len(changes)
    return results


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [result["outcome"] for result in results]


async def test_a_whole_call_arrives_in_two_requests(agency: Agency, evidence: Evidence) -> None:
    """The chart with the declared signature and photo; their contents; what completes them and submits the chart."""
    call = opened(dispatch_time="2026-03-01T09:52:00-06:00")
    patient = made("patient", last_name="Rivers")
    vital = made("vital", patient_id=patient["id"], **VITAL.body)
    narrative = made("narrative", patient_id=patient["id"], **NARRATIVE.body)
    shown = [{"id": each["id"], "version": version} for each, version in ((call, 1), (patient, 1), (vital, 2))]
    photo = made("attachment", patient_id=patient["id"], **declared(content_of("attachments"), "image/jpeg"))
    consent = made(
        "signature",
        **SIGNED,
        **declared(content_of("signatures"), "image/svg+xml"),
        patient_id=patient["id"],
        shown=shown,
        signed_at="2026-03-01T10:20:00-06:00",
    )
    changes = [
        call, patient, vital, then("patch", vital, 1, heart_rate=96), narrative, consent, photo,
        then("transition", call, 1, action="start"),
    ]  # fmt: skip
    results = await sent(agency.medic, call["id"], *changes)
    assert outcomes(results) == ["saved"] * 8
    assert [result["status"] for result in results] == [201, 201, 201, 200, 201, 201, 201, 200]
    chart = Chart(agency, "medic", results[-1]["resource"], results[1]["resource"])
    assert (chart.id, chart.head["status"], chart.head["created_by"]) == (
        call["id"], "in_progress", (await agency.medic.expect(200, "GET", "auth/me"))["id"],
    )  # fmt: skip
    signature, attachment = results[5]["resource"], results[6]["resource"]
    assert signature["changed_since"] == []
    for path, upload in (("signatures", signature), ("attachments", attachment)):
        assert (await send(chart, upload, content_of(path))).status_code == 204
    last = [
        then("transition", consent, 1, action="complete"),
        then("transition", photo, 1, action="complete"),
        then("transition", call, 2, action="submit_for_review"),
    ]
    results = await sent(agency.medic, call["id"], *last)
    assert [result["resource"]["status"] for result in results] == ["signed", "stored", "ready_for_review"]
    assert results[0]["resource"]["covers_current_chart"] is True
    before = await evidence.digest(agency.tenant_id)
    again = await sent(agency.medic, call["id"], *last)
    assert (outcomes(again), [result["version"] for result in again]) == (["saved"] * 3, [2, 2, 3])
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_declared_upload_sent_again_answers_with_a_new_link(agency: Agency) -> None:
    call = opened()
    photo = made("attachment", **declared(content_of("attachments"), "image/jpeg"))
    attest = made("signature", **ATTESTED, **declared(content_of("signatures"), "image/svg+xml"))
    first = await sent(agency.medic, call["id"], call, photo, attest)
    again = await sent(agency.medic, call["id"], call, photo, attest)
    assert [result["status"] for result in again] == [200] * 3
    for result, repeated in zip(first[1:], again[1:], strict=True):
        assert result["resource"]["upload"]["url"] and repeated["resource"]["upload"]["url"]
        assert result["resource"] | {"upload": None} == repeated["resource"] | {"upload": None}
    gone = await sent(agency.medic, call["id"], then("delete", photo, 1), then("delete", photo, 1))
    assert [(result["outcome"], result["version"]) for result in gone] == [("saved", 2)] * 2


async def test_a_transition_is_known_again_by_who_made_it_and_which(agency: Agency, evidence: Evidence) -> None:
    call = opened()
    start = then("transition", call, 1, action="start")
    await sent(agency.medic, call["id"], call, start)
    before = await evidence.digest(agency.tenant_id)
    [again] = await sent(agency.medic, call["id"], start)
    assert (again["outcome"], again["version"], again["resource"]["status"]) == ("saved", 2, "in_progress")
    for who, change, code in (
        ("partner", start, "INVALID_TRANSITION"),
        ("medic", then("transition", call, 1, action="submit_for_review"), None),
        ("medic", then("transition", call, 2, action="start"), "INVALID_TRANSITION"),
        ("medic", then("transition", call, 2, action="unlock"), "FORBIDDEN"),
    ):
        [result] = await sent(agency.actors[who], call["id"], change)
        assert result["outcome"] == ("conflict" if code is None else "refused")
        assert code is None or result["error"]["code"] == code
    assert await evidence.digest(agency.tenant_id) == before
    denied = await agency.admin.expect(200, "GET", "audit/events", params={"action": "access.denied"})
    assert [event["entity_type"] for event in denied["items"]] == ["user"]


async def test_what_needs_a_refused_creation_is_refused_with_that_reason(agency: Agency, evidence: Evidence) -> None:
    call = opened()
    wrong = made("patient", last_name=1)
    right = made("patient", last_name="Brooks")
    lost = made("vital", patient_id=wrong["id"], **VITAL.body)
    attest = made(
        "signature",
        **ATTESTED,
        **declared(content_of("signatures"), "image/svg+xml"),
        shown=[{"id": lost["id"], "version": 1}],
    )
    corrected = {**wrong, "data": {"last_name": "Rivers"}}
    results = await sent(
        agency.medic, call["id"], call, wrong, lost, right, then("patch", wrong, 1, first_name="Ana"), attest,
        made("vital", patient_id=right["id"], **VITAL.body), corrected, {**lost, "id": str(uuid.uuid4())},
    )  # fmt: skip
    assert outcomes(results) == [
        "saved", "refused", "refused", "saved", "refused", "refused", "saved", "saved", "saved",
    ]  # fmt: skip
    assert [result["error"]["code"] for result in results if result["outcome"] == "refused"] == [
        "VALIDATION_FAILED", *["DEPENDENCY_REFUSED"] * 3,
    ]  # fmt: skip
    assert [results[number]["error"]["details"] for number in (2, 4, 5)] == [
        {"id": wrong["id"]}, {"id": wrong["id"]}, {"id": lost["id"]},
    ]  # fmt: skip
    chart = await agency.medic.expect(200, "GET", f"{INCIDENTS}/{call['id']}/chart")
    assert [len(chart[name]) for name in ("patients", "vitals", "signatures")] == [2, 2, 0]


@pytest.mark.parametrize("flaw", [{"incident_number": ""}, {"location_zip": "Canary"}, {"no_such_field": 1}])
async def test_without_its_incident_nothing_is_saved(agency: Agency, evidence: Evidence, flaw: dict[str, Any]) -> None:
    call = opened()
    call["data"] |= flaw
    before = await evidence.digest(agency.tenant_id)
    results = await sent(agency.medic, call["id"], call, made("patient", last_name="Rivers"))
    assert [result["error"]["code"] for result in results] == ["VALIDATION_FAILED", "DEPENDENCY_REFUSED"]
    assert results[1]["error"]["details"] == {"id": call["id"]}
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_incident_with_a_misspelt_kind_refuses_what_follows(agency: Agency, evidence: Evidence) -> None:
    call = opened() | {"kind": "incidents"}
    before = await evidence.digest(agency.tenant_id)
    results = await sent(agency.medic, call["id"], call, made("patient", last_name="Rivers"))
    assert [result["error"]["code"] for result in results] == ["VALIDATION_FAILED", "DEPENDENCY_REFUSED"]
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_unknown_incident_needs_its_creation(agency: Agency, evidence: Evidence, found: Any) -> None:
    """Another agency's incident is as unknown as one that is nowhere, and its id is taken."""
    foreign = await Chart.open(await found())
    before = await evidence.digest(agency.tenant_id), await evidence.digest(foreign.agency.tenant_id)
    patient = made("patient", last_name="Rivers")
    for incident_id in (str(uuid.uuid4()), foreign.id):
        body = {"changes": [patient]}
        await agency.medic.expect(404, "POST", f"{INCIDENTS}/{incident_id}/sync", json=body)
    results = await sent(agency.medic, foreign.id, opened() | {"id": foreign.id}, patient)
    assert [result["error"]["code"] for result in results] == ["ID_TAKEN", "NOT_FOUND"]
    for who in ("biller", "founder"):
        call = opened()
        await agency.actors[who].expect(403, "POST", f"{INCIDENTS}/{call['id']}/sync", json={"changes": [call]})
    after = await evidence.digest(foreign.agency.tenant_id)
    assert after == before[1]
    listed = await agency.medic.expect(200, "GET", INCIDENTS)
    assert listed["items"] == []


async def test_a_creation_is_the_same_by_sync_and_by_single_requests(agency: Agency, evidence: Evidence) -> None:
    call = opened()
    alone = {**call["data"], "id": call["id"]}
    await agency.medic.expect(201, "POST", INCIDENTS, json=alone)
    before = await evidence.digest(agency.tenant_id)
    [result] = await sent(agency.medic, call["id"], call)
    assert (result["outcome"], result["status"]) == ("saved", 200)
    assert await agency.medic.expect(200, "POST", INCIDENTS, json=alone) == result["resource"]
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_sync_of_a_deleted_chart_is_told_so(agency: Agency, evidence: Evidence) -> None:
    call = opened()
    await sent(agency.medic, call["id"], call)
    url = f"{INCIDENTS}/{call['id']}"
    await agency.admin.expect(204, "DELETE", url, params={"version": 1, "reason": "A test call."})
    before = await evidence.digest(agency.tenant_id)
    for changes in ([call, made("patient", last_name="Rivers")], [made("patient", last_name="Rivers")]):
        refused = await agency.medic.expect(409, "POST", f"{url}/sync", json={"changes": changes})
        details = refused["error"]["details"]
        assert (refused["error"]["code"], details["server_version"]) == ("CONFLICT", 2)
        assert details["deleted_at"] and details["deleted_by"]
    assert await evidence.digest(agency.tenant_id) == before
    await agency.admin.expect(200, "POST", f"{url}/restore", json={"version": 2})
    assert outcomes(await sent(agency.medic, call["id"], *changes)) == ["saved"]


async def test_what_a_partner_deleted_is_a_conflict_that_names_them(chart: Chart, evidence: Evidence) -> None:
    vital = {**made("vital", **chart.body(VITAL))}
    await sent(chart.writer, chart.id, vital)
    url = chart.at(VITAL, vital)
    await chart.agency.partner.expect(204, "DELETE", url, params={"version": 1})
    partner = (await chart.agency.partner.expect(200, "GET", "auth/me"))["id"]
    before = await evidence.digest(chart.agency.tenant_id)
    results = await sent(chart.writer, chart.id, vital, then("patch", vital, 1, heart_rate=9), then("delete", vital, 1))
    for result in results:
        assert (result["outcome"], result["status"], result["server_version"]) == ("conflict", 409, 2)
        assert (result["deleted_by"], result["resource"]) == (partner, None)
        assert result["deleted_at"] == result["updated_at"]
    assert await evidence.digest(chart.agency.tenant_id) == before


_SET: dict[str, Any] = {"systolic_bp": 128, "diastolic_bp": 76, "heart_rate": 80, "spo2": 97}


@pytest.mark.parametrize(
    ("typo", "fields"),
    [
        ({"spo2": 970}, ["spo2"]),
        ({"spo2": "97"}, ["spo2"]),
        ({"spo2": 970, "temperature_c": "37,2"}, ["spo2", "temperature_c"]),
        ({"etco2": "35", "etco2_unit": "mmhg"}, ["etco2_unit"]),
        ({"elements": {"eVitals.18": [{"value": "1o5"}]}}, ["elements.eVitals.18[0].value"]),
        ({"elements": {"eVitals.18": [{"valeu": "105"}]}}, ["elements.eVitals.18.0.valeu"]),
        ({"spo2": 970, "elements": {"eVitals.18": [{"value": "1o5"}]}}, ["spo2", "elements.eVitals.18[0].value"]),
    ],
)
async def test_a_set_of_vitals_is_saved_without_its_typo(
    chart: Chart, evidence: Evidence, typo: dict[str, Any], fields: list[str]
) -> None:
    """The result says which fields are not saved, and a patch brings them in."""
    vital = made("vital", **chart.body(VITAL, **_SET | typo))
    wrong = {field.split(".")[0] for field in fields} | ({"etco2"} if "etco2" in typo else set())
    [result] = await sent(chart.writer, chart.id, vital)
    assert (result["outcome"], result["status"], result["version"]) == ("partly_saved", 201, 1)
    assert [problem["field"] for problem in result["problems"]] == fields
    shown = result["resource"]
    assert {name: shown[name] for name in _SET if name not in wrong} == {
        name: value for name, value in _SET.items() if name not in wrong
    }
    assert all(not shown[name] for name in wrong)
    assert await chart.writer.expect(200, "GET", chart.at(VITAL, vital)) == shown
    before = await evidence.digest(chart.agency.tenant_id)
    [again] = await sent(chart.writer, chart.id, vital)
    assert again == result | {"status": 200}
    assert await evidence.digest(chart.agency.tenant_id) == before
    [mended] = await sent(chart.writer, chart.id, then("patch", vital, 1, spo2=96, heart_rate=-1))
    assert (mended["outcome"], mended["version"], mended["resource"]["spo2"]) == ("partly_saved", 2, 96)
    assert (await evidence.records(vital["id"])).counts() == (2, 2, 2)


@pytest.mark.parametrize(
    "data",
    [
        {"spo2": 970, "taken_at": "yesterday"},
        {"spo2": 970, "patient_id": str(uuid.uuid4())},
        {"spo2": 970, "pulse": 80},
        {"systolic_bp": 76, "diastolic_bp": 128},
        {"spo2": 970, "systolic_bp": 76, "diastolic_bp": 128},
        {"gcs_eye": 1, "gcs_verbal": 1, "gcs_motor": 1, "gcs_total": 15},
        {"heart_rate": 999},
        {"heart_rate": 999, "elements": {"eVitals.18": [{"value": "1o5"}]}},
    ],
)
async def test_what_is_wrong_together_is_refused_together(
    chart: Chart, evidence: Evidence, data: dict[str, Any]
) -> None:
    """Also what the set cannot do without, and a set of which nothing is left. Every problem is named."""
    before = await evidence.digest(chart.agency.tenant_id)
    vital = made("vital", **chart.body(VITAL, **data))
    refused, dependent, saved = await sent(
        chart.writer, chart.id, vital, then("patch", vital, 1, heart_rate=3), made("narrative", **chart.body(NARRATIVE))
    )
    assert (refused["outcome"], refused["status"]) == ("refused", 422)
    assert dependent["error"]["code"] == "DEPENDENCY_REFUSED"
    assert ("spo2" in data) == ("spo2" in [each["field"] for each in refused["error"]["details"]["problems"]])
    assert saved["outcome"] == "saved"
    listed = await chart.writer.expect(200, "GET", chart.at(VITAL))
    assert listed["items"] == []
    assert await evidence.digest(chart.agency.tenant_id) != before


async def test_other_kinds_are_saved_whole_or_not_at_all(chart: Chart, evidence: Evidence) -> None:
    """A drug without its dose, or a patient without a birth date, would say something else."""
    before = await evidence.digest(chart.agency.tenant_id)
    drug = made("intervention", patient_id=chart.patient["id"], type="medication", rxcui="1191", dose="a few")
    person = made("patient", last_name="Rivers", date_of_birth="31.12.1980")
    assert outcomes(await sent(chart.writer, chart.id, drug, person)) == ["refused", "refused"]
    assert await evidence.digest(chart.agency.tenant_id) == before


def a_call(chance: random.Random) -> list[Change]:
    """What a device queued, in order: edits of edits, deletions, and some that cannot be saved."""
    changes = [opened(), made("patient", last_name="Rivers")]
    people = [changes[1]]
    living: list[list[Any]] = [[changes[0], 1], [changes[1], 1]]
    for _ in range(chance.randint(8, 20)):
        target = chance.choice(living)
        change, version = target
        kind = change["kind"]
        match chance.choice(["vital", "narrative", "patient", "photo", "patch", "patch", "delete", "bad", "stale"]):
            case "vital":
                about = {"patient_id": chance.choice(people)["id"], **VITAL.body}
                change = made("vital", **about | {"heart_rate": chance.randint(40, 999), "spo2": 97})
                living.append([change, 1])
                changes.append(change)
            case "narrative":
                living.append([made("narrative", patient_id=chance.choice(people)["id"], **NARRATIVE.body), 1])
                changes.append(living[-1][0])
            case "patient":
                people.append(made("patient", last_name=chance.choice(["Ana", "Bea", 1])))
                changes.append(people[-1])
            case "photo":
                changes.append(made("attachment", **declared(content_of("attachments"), "image/jpeg")))
            case "patch":
                field = {
                    "incident": "location_street", "patient": "first_name", "vital": "correlation_id",
                    "narrative": "narrative_text",
                }[kind]  # fmt: skip
                changes.append(then("patch", change, version, **{field: f"text {len(changes)}"}))
                target[1] += 1
            case "delete" if kind in ("vital", "narrative"):
                changes.append(then("delete", change, version))
                living.remove(target)
            case "bad":
                changes.append({"kind": "vitals", "op": "create", "id": str(uuid.uuid4())})
            case _:
                changes.append(then("patch", change, version + 5, elements={}))
    return changes


def comparable(results: list[dict[str, Any]]) -> list[Any]:
    return [(result["outcome"], result["id"], result.get("error", {}).get("code")) for result in results]


@pytest.mark.parametrize("seed", range(12))
async def test_a_batch_sent_twice_or_cut_short_is_saved_once(agency: Agency, evidence: Evidence, seed: int) -> None:
    """The connection is lost after some changes; the device sends all of them, hears nothing, and sends them again."""
    chance = random.Random(seed)  # noqa: S311  # a device, no secret
    changes = a_call(chance)
    call = changes[0]["id"]
    cut = chance.randint(1, len(changes))
    early = await sent(agency.medic, call, *changes[:cut])
    first = await sent(agency.medic, call, *changes)
    assert comparable(first[:cut]) == comparable(early)
    assert {"saved"} <= set(outcomes(first))
    chart = await agency.medic.expect(200, "GET", f"{INCIDENTS}/{call}/chart")
    before = await evidence.digest(agency.tenant_id)
    assert comparable(await sent(agency.medic, call, *changes)) == comparable(first)
    assert await evidence.digest(agency.tenant_id) == before
    assert await agency.medic.expect(200, "GET", f"{INCIDENTS}/{call}/chart") == chart
    for change, result in zip(changes, first, strict=True):
        if change["op"] in ("patch", "delete") and "elements" not in change["data"]:
            assert result["outcome"] == "saved" or result["error"]["code"] == "DEPENDENCY_REFUSED"


async def test_two_tablets_that_open_the_same_call_at_once(agency: Agency, evidence: Evidence) -> None:
    """One device sent its batch twice: the chart is made once, and each change is saved once."""
    call = opened()
    patient = made("patient", last_name="Rivers")
    changes = [call, patient, *(made("vital", patient_id=patient["id"], **VITAL.body) for _ in range(5))]
    changes += [then("patch", changes[2], 1, heart_rate=99), then("delete", changes[3], 1)]
    answers = await asyncio.gather(*(sent(agency.medic, call["id"], *changes) for _ in range(3)))
    assert [set(outcomes(results)) for results in answers] == [{"saved"}] * 3
    for change, counts in ((call, 1), (patient, 1), (changes[2], 2), (changes[3], 2), (changes[4], 1)):
        assert (await evidence.records(change["id"])).counts() == (counts,) * 3


async def test_two_tablets_with_different_edits_lose_nothing(chart: Chart, evidence: Evidence) -> None:
    vital = await chart.add(VITAL)
    edits = [then("patch", {"kind": "vital", "id": vital["id"]}, 1, heart_rate=rate) for rate in (61, 62)]
    agency = chart.agency
    results = await asyncio.gather(
        *(sent(agency.actors[who], chart.id, edit) for who, edit in zip(("medic", "partner"), edits, strict=True))
    )
    assert sorted(result["outcome"] for [result] in results) == ["conflict", "saved"]
    assert (await evidence.records(vital["id"])).counts() == (2, 2, 2)
