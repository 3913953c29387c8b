"""Making, reading, changing, deleting and restoring claims."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from app.billing.claims.lifecycle import ClaimStatus
from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.schemas import ClaimPatch
from app.core.db.plan import plan_of
from tests.billing.support.claims import BASE_LINE, CLAIM, CLAIMS, MILEAGE_LINE, claim_body, fire, new_claim
from tests.billing.support.evidence import Evidence
from tests.support.actors import Actor, Agency
from tests.support.charts import add_patient, lock_call, locked_call, open_call, unlock_call
from tests.support.charts import fire as fire_incident

_ACCIDENT = {"causes": ["AA"], "state": "IL", "occurred_on": "2026-11-01"}


async def test_a_claim_is_made_of_a_locked_chart(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency, call, accident=_ACCIDENT)
    assert claim["status"] == "pending_review"
    assert claim["allowed_actions"] == ["approve", "close"]
    assert (claim["incident_id"], claim["patient_id"]) == (call.incident["id"], call.patient["id"])
    assert (claim["icd10_primary"], claim["diagnoses"], claim["modifiers"]) == ("I63.9", ["I63.9", "R47.01"], ["RH"])
    assert (claim["charge_amount"], claim["weight_lb"], claim["loaded_miles"]) == ("1015.60", "154.00", "12.4")
    assert [(line["line_number"], line["charge"], line["units"]) for line in claim["lines"]] == [
        (1, "650.00", "1.0"),
        (2, "365.60", "12.4"),
    ]
    assert claim == await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")
    [created] = await evidence.audit(claim["id"])
    assert (created["action"], created["changed_fields_json"]["charge_amount"]) == ("claim.created", [None, "1015.60"])
    assert [event["topic"] for event in await evidence.outbox(claim["id"])] == ["claim.updated"]
    assert [len(await evidence.audit(line["id"])) for line in claim["lines"]] == [1, 1]


async def test_a_new_claim_says_what_the_agency_lets_it_say(agency: Agency) -> None:
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    first = await new_claim(agency)
    assert (first["place_of_service"], first["accepts_assignment"]) == ("41", True)
    defaults = {"default_place_of_service": "42", "default_accepts_assignment": False}
    await agency.admin.expect(200, "PATCH", "tenants/current", json={"version": tenant["version"], **defaults})
    claim = await new_claim(agency)
    assert (claim["place_of_service"], claim["accepts_assignment"]) == ("42", False)
    own = await new_claim(agency, place_of_service="41", accepts_assignment=True)
    assert (own["place_of_service"], own["accepts_assignment"]) == ("41", True)
    nulls = await new_claim(agency, place_of_service=None, accepts_assignment=None)
    assert (nulls["place_of_service"], nulls["accepts_assignment"]) == ("42", False)
    unmoved = await agency.biller.expect(200, "GET", f"{CLAIMS}/{first['id']}")
    assert unmoved == first


async def test_claim_numbers_are_unique_and_fit_the_837p(agency: Agency) -> None:
    calls = [await locked_call(agency) for _ in range(2)]
    numbers = [(await new_claim(agency, call))["claim_number"] for call in calls]
    assert len(set(numbers)) == 2
    assert all(len(number) <= 20 and number.isalnum() and number.isupper() for number in numbers)


async def test_only_a_locked_chart_makes_a_claim(agency: Agency, evidence: Evidence) -> None:
    call = await open_call(agency)
    steps = (("start", "medic"), ("submit_for_review", "medic"), ("complete", "supervisor"))
    for action, who in (*steps, (None, None)):
        before = await evidence.digest(agency.tenant_id)
        refused = await agency.biller.expect(409, "POST", CLAIMS, json=claim_body(call))
        assert refused["error"]["code"] == "CHART_NOT_LOCKED"
        assert refused["error"]["details"] == {"status": call.incident["status"]}
        assert await evidence.digest(agency.tenant_id) == before
        if action and who:
            await fire_incident(agency, call, action, who)


async def test_one_live_claim_per_patient(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    first = await new_claim(agency, call)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(409, "POST", CLAIMS, json=claim_body(call))
    assert refused["error"]["code"] == "ALREADY_EXISTS"
    assert await evidence.digest(agency.tenant_id) == before
    answers = await asyncio.gather(*(agency.biller.post(CLAIMS, json=claim_body(call)) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [409, 409]
    await agency.admin.expect(204, "DELETE", f"{CLAIMS}/{first['id']}?version=1")
    answers = await asyncio.gather(*(agency.biller.post(CLAIMS, json=claim_body(call)) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = await agency.admin.expect(409, "POST", f"{CLAIMS}/{first['id']}/restore", json={"version": 2})
    assert refused["error"]["code"] == "ALREADY_EXISTS"


async def test_of_several_patients_the_claim_names_one(agency: Agency, evidence: Evidence) -> None:
    call = await open_call(agency)
    second = await add_patient(agency, call.incident, first_name="Max", gender="male")
    await lock_call(agency, call)
    stranger = await locked_call(agency)
    before = await evidence.digest(agency.tenant_id)
    for named in ({}, {"patient_id": stranger.patient["id"]}, {"patient_id": str(uuid.uuid4())}):
        refused = await agency.biller.expect(422, "POST", CLAIMS, json=claim_body(call, **named))
        assert refused["error"]["details"]["problems"][0]["field"] == "patient_id"
    assert await evidence.digest(agency.tenant_id) == before
    claims = [await new_claim(agency, call, patient_id=patient["id"]) for patient in (second, call.patient)]
    assert [claim["patient_id"] for claim in claims] == [second["id"], call.patient["id"]]


async def test_a_call_without_patients_makes_no_claim(agency: Agency) -> None:
    call = await open_call(agency)
    path = f"ems/incidents/{call.incident['id']}/patients/{call.patient['id']}?version=1"
    await agency.medic.expect(204, "DELETE", path)
    await lock_call(agency, call)
    refused = await agency.biller.expect(422, "POST", CLAIMS, json=claim_body(call))
    assert refused["error"]["details"]["problems"][0]["code"] == "unknown_patient"


async def test_a_chart_is_kept_while_a_claim_stands_on_it(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency, call)
    path = f"ems/incidents/{call.incident['id']}"
    locked = await agency.admin.expect(200, "GET", path)
    body = {"action": "unlock", "version": locked["version"], "reason": "The wrong call."}
    open_again = await agency.admin.expect(200, "POST", f"{path}/transitions", json=body)
    params = {"version": open_again["version"], "reason": "The wrong call."}
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.admin.expect(409, "DELETE", path, params=params)
    assert (refused["error"]["code"], refused["error"]["details"]) == ("CHART_IN_USE", {"used_by": ["claim"]})
    assert await evidence.digest(agency.tenant_id) == before
    await agency.admin.expect(204, "DELETE", f"{CLAIMS}/{claim['id']}?version={claim['version']}")
    await agency.admin.expect(204, "DELETE", path, params=params)


async def test_a_repeated_request_makes_one_claim(agency: Agency) -> None:
    call = await locked_call(agency)
    body = claim_body(call)
    headers = {"Idempotency-Key": "claim-1"}
    first = await agency.biller.expect(201, "POST", CLAIMS, json=body, headers=headers)
    assert await agency.biller.expect(201, "POST", CLAIMS, json=body, headers=headers) == first
    other = await agency.biller.expect(409, "POST", CLAIMS, json={**body, "payer_id": "12"}, headers=headers)
    assert other["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_client_names_its_claim(agency: Agency) -> None:
    body = claim_body(await locked_call(agency), id=str(uuid.uuid4()))
    first = await agency.biller.expect(201, "POST", CLAIMS, json=body)
    assert first["id"] == body["id"]
    assert await agency.biller.expect(200, "POST", CLAIMS, json=body) == first
    other = await agency.biller.expect(409, "POST", CLAIMS, json={**body, "payer_id": "12"})
    assert other["error"]["code"] == "ID_TAKEN"


async def test_a_patch_changes_what_it_names(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    path = f"{CLAIMS}/{claim['id']}"
    changes: dict[str, Any] = {
        "payer_name": "Aetna",
        "payer_id": "60054",
        "claim_filing_code": "CI",
        "insurance_type": "12",
        "member_id": "W123456789",
        "group_number": "G-7",
        "prior_authorization": "UTN00000000001",
        "payer_claim_control_number": "1126310000001",
        "delay_reason": "9",
        "level_of_service": "als1_emergency",
        "diagnoses": ["R55", "I63.9"],
        "place_of_service": "42",
        "patient_count": 2,
        "loaded_miles": "13.0",
        "weight_lb": None,
        "transport_reason": "D",
        "round_trip_purpose": "Dialysis",
        "stretcher_purpose": None,
        "note": "Moved by two crews",
        "certifications": {"yes": ["12"], "no": []},
        "accident": _ACCIDENT,
        "signature_on_file": False,
        "accepts_assignment": False,
    }
    assert changes.keys() == ClaimPatch.model_fields.keys() - {"version"}
    changed = await agency.biller.expect(200, "PATCH", path, json={"version": 1, **changes})
    assert {name: changed[name] for name in changes} == changes
    assert (changed["version"], changed["icd10_primary"]) == (2, "R55")
    untouched = claim.keys() - changes.keys() - {"version", "updated_at", "icd10_primary"}
    assert {name: changed[name] for name in untouched} == {name: claim[name] for name in untouched}
    audited = (await evidence.audit(claim["id"]))[-1]
    assert audited["action"] == "claim.revised"
    assert audited["changed_fields_json"].keys() == changes.keys() | {"icd10_primary"}
    same = await agency.biller.expect(200, "PATCH", path, json={"version": 2, **changes})
    assert same == changed
    assert len(await evidence.audit(claim["id"])) == 2


BAD_PATCHES: list[dict[str, Any]] = [
    {},
    {"version": 1},
    {"payer_id": "60054"},
    {"version": 1, "patient_count": None},
    {"version": 1, "status": "paid"},
    {"version": 1, "charge_amount": "1.00"},
    {"version": 1, "claim_number": "C1"},
    {"version": 1, "icd10_primary": "R55"},
    {"version": 1, "patient_id": str(uuid.uuid4())},
    {"version": 1, "lines": []},
    {"version": 0, "payer_id": "60054"},
    {"version": 10**300, "payer_id": "60054"},
    {"version": True, "payer_id": "60054"},
]


async def test_a_patch_that_is_refused_changes_nothing(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    before = await evidence.digest(agency.tenant_id)
    for body in BAD_PATCHES:
        await agency.biller.expect(422, "PATCH", f"{CLAIMS}/{claim['id']}", json=body)
    assert await evidence.digest(agency.tenant_id) == before


async def test_of_two_racing_patches_one_wins(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    path = f"{CLAIMS}/{claim['id']}"
    answers = await asyncio.gather(
        *(agency.biller.patch(path, json={"version": 1, "payer_id": f"0000{n}"}) for n in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {a.json()["error"]["code"] for a in answers if a.status_code == 409} == {"CONFLICT"}
    assert len(await evidence.audit(claim["id"])) == 2


@pytest.mark.parametrize("state", [status.value for status in ClaimStatus if status != "pending_review"])
async def test_what_was_approved_is_closed_to_changes(agency: Agency, evidence: Evidence, state: str) -> None:
    claim = await new_claim(agency)
    version = await evidence.arrange(claim, state)
    path, line = f"{CLAIMS}/{claim['id']}", claim["lines"][0]
    before = await evidence.digest(agency.tenant_id)
    for method, target, options in (
        ("PATCH", path, {"json": {"version": version, "payer_id": "60054"}}),
        ("DELETE", f"{path}?version={version}", {}),
        ("POST", f"{path}/lines", {"json": BASE_LINE}),
        ("PATCH", f"{path}/lines/{line['id']}", {"json": {"version": 1, "charge": "1"}}),
        ("DELETE", f"{path}/lines/{line['id']}?version=1", {}),
    ):
        refused = await agency.admin.expect(409, method, target, **options)
        assert refused["error"]["code"] == "CLAIM_NOT_EDITABLE"
        assert refused["error"]["details"] == {"status": state}
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_admin_deletes_and_restores(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency)
    path = f"{CLAIMS}/{claim['id']}"
    await agency.admin.expect(409, "DELETE", f"{path}?version=7")
    await agency.admin.expect(204, "DELETE", f"{path}?version=1")
    for method, target, options in (
        ("GET", path, {}),
        ("GET", f"{path}/lines", {}),
        ("PATCH", path, {"json": {"version": 2, "payer_id": "60054"}}),
        ("POST", f"{path}/transitions", {"json": {"action": "approve", "version": 2}}),
        ("POST", f"{path}/lines", {"json": BASE_LINE}),
    ):
        await agency.admin.expect(404, method, target, **options)
    assert (await agency.biller.expect(200, "GET", CLAIMS))["items"] == []
    await agency.biller.expect(403, "GET", f"{CLAIMS}?include_deleted=true")
    [deleted] = (await agency.admin.expect(200, "GET", f"{CLAIMS}?include_deleted=true"))["items"]
    assert deleted["deleted_at"] is not None
    restored = await agency.admin.expect(200, "POST", f"{path}/restore", json={"version": 2})
    assert (restored["deleted_at"], restored["version"], len(restored["lines"])) == (None, 3, 2)
    actions = [event["action"] for event in await evidence.audit(claim["id"])]
    assert actions == ["claim.created", "claim.deleted", "claim.restored"]


async def test_roles(agency: Agency, anonymous: Actor, evidence: Evidence) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency)
    path, line = f"{CLAIMS}/{claim['id']}", f"{CLAIMS}/{claim['id']}/lines/{claim['lines'][0]['id']}"
    read, write, administer = {"admin", "biller", "founder"}, {"admin", "biller"}, {"admin"}
    before = await evidence.digest(agency.tenant_id)
    for method, target, options, allowed in (
        ("GET", CLAIMS, {}, read),
        ("GET", path, {}, read),
        ("GET", f"{path}/lines", {}, read),
        ("GET", line, {}, read),
        ("POST", CLAIMS, {"json": claim_body(call)}, write),
        ("PATCH", path, {"json": {"version": 1, "payer_id": "60054"}}, write),
        ("POST", f"{path}/transitions", {"json": {"action": "approve", "version": 1}}, write),
        ("POST", f"{path}/lines", {"json": BASE_LINE}, write),
        ("PATCH", line, {"json": {"version": 1, "charge": "1"}}, write),
        ("DELETE", f"{line}?version=1", {}, write),
        ("DELETE", f"{path}?version=1", {}, administer),
        ("POST", f"{path}/restore", {"json": {"version": 1}}, administer),
    ):
        await anonymous.expect(401, method, target, **options)
        for who in {"admin", "biller", "founder", "medic", "supervisor"} - allowed:
            refused = await agency.actors[who].expect(403, method, target, **options)
            assert refused["error"]["code"] == "FORBIDDEN"
        for who in allowed if method == "GET" else ():
            await agency.actors[who].expect(200, method, target, **options)
    assert await evidence.digest(agency.tenant_id) == before


async def test_another_agency_sees_nothing_there(agency: Agency, found: Any, evidence: Evidence) -> None:
    """Its ids answer as ids that do not exist, byte for byte but for the trace."""
    stranger: Agency = await found()
    claim = await new_claim(agency)
    line = claim["lines"][0]["id"]
    before = await evidence.digest(agency.tenant_id), await evidence.digest(stranger.tenant_id)
    for method, target, options in (
        ("GET", f"{CLAIMS}/{{claim}}", {}),
        ("PATCH", f"{CLAIMS}/{{claim}}", {"json": {"version": 1, "payer_id": "60054"}}),
        ("DELETE", f"{CLAIMS}/{{claim}}?version=1", {}),
        ("POST", f"{CLAIMS}/{{claim}}/restore", {"json": {"version": 1}}),
        ("POST", f"{CLAIMS}/{{claim}}/transitions", {"json": {"action": "approve", "version": 1}}),
        ("POST", f"{CLAIMS}/{{claim}}/transitions", {"json": {"action": "close", "version": 1}}),
        ("GET", f"{CLAIMS}/{{claim}}/lines", {}),
        ("POST", f"{CLAIMS}/{{claim}}/lines", {"json": BASE_LINE}),
        ("GET", f"{CLAIMS}/{{claim}}/lines/{{line}}", {}),
        ("PATCH", f"{CLAIMS}/{{claim}}/lines/{{line}}", {"json": {"version": 1, "charge": "1"}}),
        ("DELETE", f"{CLAIMS}/{{claim}}/lines/{{line}}?version=1", {}),
    ):
        answers = []
        for ids in ({"claim": claim["id"], "line": line}, {"claim": uuid.uuid4(), "line": uuid.uuid4()}):
            trace = {"X-Request-ID": "00000000-0000-4000-8000-000000000000"}
            answer = await stranger.admin.request(method, target.format(**ids), headers=trace, **options)
            answers.append((answer.status_code, answer.content, sorted(answer.headers.items())))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    body = {**CLAIM, "incident_id": claim["incident_id"]}
    assert (await stranger.admin.post(CLAIMS, json=body)).status_code == 404
    assert (await stranger.admin.expect(200, "GET", CLAIMS))["items"] == []
    filtered = await stranger.admin.expect(200, "GET", f"{CLAIMS}?incident_id={claim['incident_id']}")
    assert filtered["items"] == []
    assert (await evidence.digest(agency.tenant_id), await evidence.digest(stranger.tenant_id)) == before


async def test_the_founder_sees_the_money_and_not_the_patient(agency: Agency) -> None:
    await new_claim(
        agency, accident=_ACCIDENT, group_number="G-7", prior_authorization="UTN1", round_trip_purpose="Dialysis"
    )
    [full] = (await agency.biller.expect(200, "GET", CLAIMS))["items"]
    [shown] = (await agency.founder.expect(200, "GET", CLAIMS))["items"]
    assert shown == await agency.founder.expect(200, "GET", f"{CLAIMS}/{full['id']}")
    hidden = {name for name in full if shown[name] is None and full[name] is not None}
    assert hidden == plan_of(Claim).redacted - {"note", "subscriber"} | {"modifiers"}
    assert shown["allowed_actions"] == []
    for name in full.keys() - hidden - {"allowed_actions", "lines"}:
        assert shown[name] == full[name]
    listed = await agency.founder.expect(200, "GET", f"{CLAIMS}/{full['id']}/lines")
    assert shown["lines"] == listed["items"]
    assert plan_of(ClaimLine).redacted == {"modifiers", "description"}
    for line, whole in zip(shown["lines"], full["lines"], strict=True):
        assert line == {**whole, "modifiers": None, "description": None}
        assert line == await agency.founder.expect(200, "GET", f"{CLAIMS}/{full['id']}/lines/{line['id']}")


async def test_nothing_about_the_patient_in_audit_and_events(agency: Agency, evidence: Evidence) -> None:
    claim = await new_claim(agency, accident=_ACCIDENT, group_number="GRP-SECRET", prior_authorization="UTN-SECRET")
    path = f"{CLAIMS}/{claim['id']}"
    await agency.biller.expect(200, "PATCH", path, json={"version": 1, "diagnoses": ["S72.001A"], "weight_lb": "201"})
    line = f"{path}/lines/{claim['lines'][0]['id']}"
    await agency.biller.expect(200, "PATCH", line, json={"version": 1, "modifiers": ["SH", "QL"]})
    text = await evidence.records(agency.tenant_id)
    assert "digest:" in text
    for secret in (
        "1EG4TE5MK73",
        "GRP-SECRET",
        "UTN-SECRET",
        "I63.9",
        "S72",
        "R47",
        "Stroke",
        "QL",
        "201.00",
        "Muster",
    ):
        assert secret not in text


async def test_lists_filter_and_page(agency: Agency, evidence: Evidence) -> None:
    claims = [await new_claim(agency, payer_id=payer_id) for payer_id in ("00001", "00001", "00002")]
    await fire(agency, claims[0], "approve")
    ids = [claim["id"] for claim in claims]

    async def listed(query: str) -> list[str]:
        page = await agency.biller.expect(200, "GET", f"{CLAIMS}?{query}")
        return [claim["id"] for claim in page["items"]]

    assert await listed("") == ids[::-1]
    assert await listed("sort=created_at") == ids
    assert await listed("payer_id=00001") == ids[1::-1]
    assert await listed("payer_id=00001&status=pending_review") == [ids[1]]
    assert await listed("status=ready_to_export") == [ids[0]]
    assert await listed(f"incident_id={claims[2]['incident_id']}") == [ids[2]]
    assert await listed(f"patient_id={claims[1]['patient_id']}") == [ids[1]]
    assert await listed(f"patient_id={uuid.uuid4()}") == []
    first = await agency.biller.expect(200, "GET", f"{CLAIMS}?limit=2")
    second = await agency.biller.expect(200, "GET", f"{CLAIMS}?limit=2&cursor={first['next_cursor']}")
    assert [claim["id"] for page in (first, second) for claim in page["items"]] == ids[::-1]
    assert second["next_cursor"] is None
    assert [line["claim_id"] for claim in first["items"] for line in claim["lines"]] == [ids[2]] * 2 + [ids[1]] * 2
    for bad in ("status=open", "incident_id=x", "payer_id=%00", "payer_id=", "limit=0", "cursor=x", "sort=status"):
        await agency.biller.expect(422, "GET", f"{CLAIMS}?{bad}")


async def test_the_chart_may_be_unlocked_later_and_the_claim_remains(agency: Agency) -> None:
    call = await locked_call(agency)
    claim = await new_claim(agency, call)
    await unlock_call(agency, call)
    path = f"{CLAIMS}/{claim['id']}"
    assert (await agency.biller.expect(200, "GET", path))["id"] == claim["id"]
    await agency.biller.expect(200, "PATCH", path, json={"version": 1, "payer_id": "60054"})


HUGE = "1" + "0" * 300
BAD: list[dict[str, Any]] = [
    {"incident_id": "x"},
    {"patient_id": 7},
    {"payer_name": "x" * 61},
    {"payer_name": "NUL\x00"},
    {"payer_name": "\ud800"},
    {"payer_name": "***"},
    {"payer_id": "1"},
    {"payer_id": "a*b"},
    {"claim_filing_code": "XX"},
    {"claim_filing_code": "mb"},
    {"member_id": "1EG4~TE5"},
    {"member_id": 12345},
    {"group_number": "x" * 51},
    {"prior_authorization": "U*N"},
    {"diagnoses": ["I63.9"] * 2},
    {"diagnoses": [f"A0{n:x}".upper() for n in range(13)]},
    {"diagnoses": ["i63.9"]},
    {"diagnoses": ["7"]},
    {"diagnoses": "I63.9"},
    {"diagnoses": [None]},
    {"lines": [BASE_LINE] * 51},
    {"lines": None},
    {"place_of_service": "11"},
    {"patient_count": 0},
    {"patient_count": 100},
    {"patient_count": True},
    {"patient_count": "2"},
    {"loaded_miles": "-0.1"},
    {"loaded_miles": "12.45"},
    {"loaded_miles": "99999.1"},
    {"loaded_miles": 12.45},
    {"loaded_miles": "NaN"},
    {"loaded_miles": "Infinity"},
    {"loaded_miles": "1e300"},
    {"loaded_miles": HUGE},
    {"loaded_miles": int(HUGE)},
    {"loaded_miles": "1e-300"},
    {"loaded_miles": "twelve"},
    {"loaded_miles": ""},
    {"weight_lb": "0"},
    {"weight_lb": "10000"},
    {"weight_lb": "1.001"},
    {"weight_lb": HUGE},
    {"transport_reason": "F"},
    {"round_trip_purpose": "x" * 81},
    {"stretcher_purpose": "\x1b"},
    {"certifications": {"yes": ["02"]}},
    {"certifications": {"yes": ["01", "01"]}},
    {"certifications": {"yes": ["01"], "no": ["01"]}},
    {"certifications": {"yes": ["01", "04", "05", "06", "07", "08"]}},
    {"certifications": {"maybe": ["01"]}},
    {"certifications": ["01"]},
    {"certifications": None},
    {"accident": {"causes": []}},
    {"accident": {"causes": ["ZZ"]}},
    {"accident": {"causes": ["AA", "AA"]}},
    {"accident": {"causes": ["AA"], "state": "XX"}},
    {"accident": {"causes": ["AA"], "occurred_on": "1850-01-01"}},
    {"accident": {"causes": ["AA"], "occurred_on": 1}},
    {"accident": {"causes": ["AA"], "extra": 1}},
    {"signature_on_file": "yes"},
    {"signature_on_file": 1},
    {"accepts_assignment": "true"},
    {"status": "paid"},
    {"tenant_id": str(uuid.uuid4())},
    {"claim_number": "C1"},
    {"charge_amount": "1.00"},
    {"payer_sequence": "S"},
    {"unknown": 1},
]
BAD_LINE: list[dict[str, Any]] = [
    {"hcpcs": "A042"},
    {"hcpcs": "a0429"},
    {"hcpcs": None},
    {"modifiers": ["R"]},
    {"modifiers": ["RH", "GM", "QM", "76", "77"]},
    {"modifiers": ["RH", "RH"]},
    {"modifiers": "RH"},
    {"modifiers": ["rh"]},
    {"units": "0"},
    {"units": "-1"},
    {"units": "0.05"},
    {"units": HUGE},
    {"units": 1.55},
    {"charge": "-0.01"},
    {"charge": "100000000.00"},
    {"charge": "0.001"},
    {"charge": HUGE},
    {"charge": "1e300"},
    {"charge": "sNaN"},
    {"charge": 650.001},
    {"charge": True},
    {"charge": None},
    {"diagnosis_pointers": []},
    {"diagnosis_pointers": [0]},
    {"diagnosis_pointers": [13]},
    {"diagnosis_pointers": [1, 1]},
    {"diagnosis_pointers": [1, 2, 3, 4, 5]},
    {"diagnosis_pointers": ["1"]},
    {"line_number": 1},
]


async def test_bad_input_is_refused_and_never_echoed(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    before = await evidence.digest(agency.tenant_id)
    bodies = [claim_body(call, **bad) for bad in BAD]
    bodies += [claim_body(call, lines=[BASE_LINE, {**MILEAGE_LINE, **bad}]) for bad in BAD_LINE]
    missing = claim_body(call)
    bodies += [{name: value for name, value in missing.items() if name != left_out} for left_out in REQUIRED]
    headers = {"Content-Type": "application/json"}
    for body in bodies:
        refused = await agency.biller.expect(422, "POST", CLAIMS, content=json.dumps(body), headers=headers)
        assert refused["error"]["code"] == "VALIDATION_FAILED"
        assert "I63.9" not in str(refused)
        assert "1EG4" not in str(refused)
    assert await evidence.digest(agency.tenant_id) == before


REQUIRED = ("incident_id",)


async def test_a_claim_may_lack_what_nobody_has_said_until_its_approval(agency: Agency) -> None:
    call = await locked_call(agency)
    bare = await agency.biller.expect(201, "POST", CLAIMS, json={"incident_id": call.incident["id"]})
    unsaid = ("payer_name", "member_id", "loaded_miles", "transport_reason", "icd10_primary", "level_of_service")
    assert [bare[name] for name in unsaid] == [None] * len(unsaid)
    assert (bare["diagnoses"], bare["lines"], bare["charge_amount"]) == ([], [], "0.00")
    refused = await fire(agency, bare, "approve", status=409)
    guards = {guard["name"]: guard for guard in refused["error"]["details"]["failed_guards"]}
    lacking = {problem["field"] for problem in guards["content_valid"]["problems"]}
    assert lacking >= {"payer_name", "payer_id", "claim_filing_code", "member_id", "diagnoses", "lines", "loaded_miles"}


async def test_a_secondary_claim_waits_for_the_primary_payers_decision(agency: Agency, evidence: Evidence) -> None:
    call = await locked_call(agency)
    for sequence in ("S", "T"):
        before = await evidence.digest(agency.tenant_id)
        refused = await agency.biller.expect(422, "POST", CLAIMS, json=claim_body(call, payer_sequence=sequence))
        assert refused["error"]["details"]["problems"][0]["code"] == "payer_before_undecided"
        assert await evidence.digest(agency.tenant_id) == before
    primary = await new_claim(agency, call)
    for state, status in (("submitted", 422), ("denied", 201)):
        await evidence.arrange(primary, state)
        answer = await agency.biller.expect(status, "POST", CLAIMS, json=claim_body(call, payer_sequence="S"))
    assert answer["payer_sequence"] == "S"
    again = await agency.biller.expect(409, "POST", CLAIMS, json=claim_body(call, payer_sequence="S"))
    assert (again["error"]["code"], again["error"]["details"]) == ("ALREADY_EXISTS", {"field": "payer_sequence"})


async def test_numbers_are_answered_as_they_are_stored(agency: Agency) -> None:
    """However they were written: the answer to the POST is the answer to the GET."""
    line = {**BASE_LINE, "units": 1, "charge": "+0650"}
    claim = await new_claim(agency, lines=[line], loaded_miles="012", weight_lb=154)
    assert claim["lines"][0]["charge"] == claim["charge_amount"] == "650.00"
    assert (claim["lines"][0]["units"], claim["loaded_miles"], claim["weight_lb"]) == ("1.0", "12.0", "154.00")
    assert claim == await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")


async def test_the_documented_example_makes_a_claim_that_can_be_approved(agency: Agency) -> None:
    schema = (await agency.biller.get("/openapi.json")).json()["components"]["schemas"]["ClaimCreate"]
    [example] = schema["examples"]
    call = await locked_call(agency)
    claim = await agency.biller.expect(201, "POST", CLAIMS, json={**example, "incident_id": call.incident["id"]})
    await fire(agency, claim, "approve")
    coded, nobody, *_ = schema["properties"]["claim_filing_code"]["anyOf"]
    assert (coded["enum"][0], nobody) == ("11", {"type": "null"})
    number, text = schema["properties"]["loaded_miles"]["anyOf"][0]["anyOf"]
    assert number["type"] == "number" and text["pattern"] == r"^\d{1,5}(\.\d{1,1})?$"
    assert schema["properties"]["diagnoses"]["maxItems"] == 12
