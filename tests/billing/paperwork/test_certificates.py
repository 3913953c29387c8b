"""Physician certification statements: which can never be good, and which one serves a transport (42 CFR 410.40)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import asyncpg
import pytest

from app.billing.certificates.service import certificate_for
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency
from tests.support.charts import Call, locked_call, open_call

CERTIFICATES = "billing/certificates"
SIGNED = {"signer_name": "Ruth Adler", "signer_role": "physician"}
ORDER = SIGNED | {
    "is_repetitive": True,
    "valid_from": "2026-10-15",
    "valid_to": "2026-12-01",
    "signed_on": "2026-10-15",
}
TRIED = {"attempted_on": "2026-11-10", "attempt": "Certified letter 7020"}
_ACCOUNT = "INSERT INTO billing_accounts (id, tenant_id, account_number, last_name) VALUES ($1, $2, $3, 'Muster')"
_JOIN = """
INSERT INTO billing_account_patients (id, tenant_id, account_id, incident_id, patient_id)
VALUES (gen_random_uuid(), $1, $2, $3::text::uuid, $4::text::uuid)
"""


def of(call: Call, **fields: Any) -> dict[str, Any]:
    """Of the transport on 1 November 2026, unless the call says otherwise."""
    return {"incident_id": call.incident["id"], "patient_id": call.patient["id"], **fields}


async def keep(agency: Agency, call: Call, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = await agency.biller.expect(201, "POST", CERTIFICATES, json=of(call, **fields))
    return made


async def serving(agency: Agency, runtime: Runtime, call: Call, on: str) -> str | None:
    patient_id, principal = uuid.UUID(call.patient["id"]), Principal.system(agency.tenant_id)
    async with runtime.read_unit_of_work(principal) as uow, counted(runtime.database) as statements:
        found = await certificate_for(uow, patient_id, dt.date.fromisoformat(on))
    assert len([one for one in statements if "certificates" in one]) == 1
    return None if found is None else str(found.id)


async def test_a_certification_is_kept_and_corrected(agency: Agency, evidence: Evidence) -> None:
    call = await open_call(agency)
    made = await keep(agency, call, **SIGNED, signed_on="2026-11-03")
    assert (made["signer_role"], made["signed_on"], made["is_repetitive"]) == ("physician", "2026-11-03", False)
    path = f"{CERTIFICATES}/{made['id']}"
    assert made == await agency.biller.expect(200, "GET", path)
    nurse = await agency.biller.expect(200, "PATCH", path, json={"version": 1, "signer_role": "registered_nurse"})
    assert (nurse["signer_role"], nurse["version"]) == ("registered_nurse", 2)
    await agency.biller.expect(409, "PATCH", path, json={"version": 1, "signer_role": "physician"})
    listed = await agency.biller.expect(200, "GET", CERTIFICATES, params={"patient_id": call.patient["id"]})
    assert listed["items"] == [nurse]
    await agency.biller.expect(204, "DELETE", f"{path}?version=2")
    await agency.biller.expect(404, "GET", path)
    actions = [event["action"] for event in await evidence.audit(made["id"])]
    assert actions == ["certificate.created", "certificate.revised", "certificate.deleted"]
    assert "Adler" not in str(await evidence.audit(made["id"]))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (ORDER | {"signed_on": "2026-11-02", "valid_from": "2026-11-02"}, ("signed_on", "after_transport")),
        (
            ORDER | {"signed_on": "2026-09-01", "valid_from": "2026-09-01", "valid_to": "2026-10-31"},
            ("signed_on", "too_old"),
        ),
        (ORDER | {"valid_to": "2026-12-15"}, ("valid_to", "too_long")),
        (ORDER | {"valid_to": "2026-10-14"}, ("valid_to", "before_its_beginning")),
        (ORDER | {"valid_from": "2026-10-14"}, ("valid_from", "before_signature")),
        (ORDER | {"valid_to": None}, ("valid_to", "missing")),
        (ORDER | {"signer_role": "registered_nurse"}, ("signer_role", "not_physician")),
        (
            TRIED | {"is_repetitive": True, "valid_from": "2026-10-15", "valid_to": "2026-11-15"},
            ("attempted_on", "not_enough"),
        ),
        (SIGNED | {"signed_on": "2026-11-23"}, ("signed_on", "after_limit")),
        (SIGNED | {"signed_on": "2099-01-01"}, ("signed_on", "in_the_future")),
        (SIGNED | {"signed_on": "2026-11-01", "valid_to": "2026-11-05"}, ("valid_to", "not_repetitive")),
        ({"signed_on": "2026-11-01", "signer_name": "Ruth Adler"}, ("signer_role", "missing")),
        ({"signed_on": "2026-11-01", "signer_role": "physician"}, ("signer_name", "missing")),
        ({}, ("signed_on", "missing")),
        ({"attempted_on": "2026-11-10"}, ("attempt", "missing")),
        (TRIED | {"attempted_on": "2026-10-31"}, ("attempted_on", "before_transport")),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
async def test_what_can_never_be_good_is_not_stored(
    agency: Agency, evidence: Evidence, fields: dict[str, Any], problem: tuple[str, str]
) -> None:
    call = await open_call(agency)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", CERTIFICATES, json=of(call, **fields))
    found = [(one["field"], one["code"]) for one in refused["error"]["details"]["problems"]]
    assert problem in found and {field for field, _ in found} <= {problem[0], "signed_on"}
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize(
    "fields",
    [
        ORDER,
        ORDER | {"signed_on": "2026-09-02", "valid_from": "2026-09-02", "valid_to": "2026-11-01"},
        SIGNED | {"signed_on": "2026-11-22"},
        SIGNED | {"signed_on": "2025-01-01"},
        TRIED,
        TRIED | SIGNED | {"signed_on": "2026-11-20"},
    ],
    ids=["order", "60 days old", "21 days later", "early", "attempts", "attempts and signature"],
)
async def test_what_may_be_good_is_stored(agency: Agency, fields: dict[str, Any]) -> None:
    made = await keep(agency, await open_call(agency), **fields)
    assert {name: made[name] for name in fields} == fields


async def test_a_correction_obeys_the_same_rules(agency: Agency, evidence: Evidence) -> None:
    made = await keep(agency, await open_call(agency), **SIGNED, signed_on="2026-11-03")
    before = await evidence.digest(agency.tenant_id)
    path = f"{CERTIFICATES}/{made['id']}"
    for change in ({"signed_on": None}, {"signed_on": "2026-11-29"}, {"is_repetitive": True}, {"signer_name": None}):
        await agency.biller.expect(422, "PATCH", path, json={"version": 1, **change})
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_transport_without_a_day_takes_what_might_fit(agency: Agency) -> None:
    call = await open_call(agency, depart_scene_time=None, dispatch_time=None)
    assert (await keep(agency, call, **SIGNED, signed_on="2026-11-23"))["signed_on"] == "2026-11-23"


async def test_only_what_belongs_to_the_chart(agency: Agency, evidence: Evidence) -> None:
    call, other = await open_call(agency), await open_call(agency)
    body = of(call, **SIGNED, signed_on="2026-11-03")
    before = await evidence.digest(agency.tenant_id)
    for wrong, field in (
        ({"patient_id": other.patient["id"]}, "patient_id"),
        ({"attachment_id": str(uuid.uuid4())}, "attachment_id"),
    ):
        refused = await agency.biller.expect(422, "POST", CERTIFICATES, json=body | wrong)
        assert [one["field"] for one in refused["error"]["details"]["problems"]] == [field]
    await agency.biller.expect(404, "POST", CERTIFICATES, json=body | {"incident_id": str(uuid.uuid4())})
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_scan_in_the_chart_is_named(agency: Agency) -> None:
    call, other = await open_call(agency), await open_call(agency)
    file = {"file_type": "application/pdf", "size_bytes": 10, "sha256": "0" * 64}
    scans = [
        await agency.medic.expect(201, "POST", f"ems/incidents/{one.incident['id']}/attachments", json=file)
        for one in (call, other)
    ]
    body = of(call, **SIGNED, signed_on="2026-11-03")
    made = await agency.biller.expect(201, "POST", CERTIFICATES, json=body | {"attachment_id": scans[0]["id"]})
    assert made["attachment_id"] == scans[0]["id"]
    await agency.biller.expect(422, "POST", CERTIFICATES, json=body | {"attachment_id": scans[1]["id"]})


async def test_an_order_serves_every_call_of_the_account(
    agency: Agency, runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    first, second, stranger = [await locked_call(agency) for _ in range(3)]
    account = uuid.uuid4()
    await admin_connection.execute(_ACCOUNT, account, agency.tenant_id, f"A{account.hex[:10]}")
    for call in (first, second):
        await admin_connection.execute(_JOIN, agency.tenant_id, account, call.incident["id"], call.patient["id"])
    order = await keep(agency, first, **ORDER)
    single = await keep(agency, first, **SIGNED, signed_on="2026-11-03")
    assert await serving(agency, runtime, second, "2026-12-01") == order["id"]
    assert await serving(agency, runtime, second, "2026-12-02") is None
    assert await serving(agency, runtime, second, "2026-10-14") is None
    assert await serving(agency, runtime, stranger, "2026-11-01") is None
    assert await serving(agency, runtime, first, "2026-12-02") == single["id"]
    own = await keep(agency, second, **SIGNED, signed_on="2026-11-02")
    assert await serving(agency, runtime, second, "2026-11-01") == own["id"]
    await agency.biller.expect(204, "DELETE", f"{CERTIFICATES}/{own['id']}?version=1")
    assert await serving(agency, runtime, second, "2026-11-01") == order["id"]


@pytest.mark.parametrize("role", ["founder", "medic"])
async def test_founder_and_crew_neither_read_nor_write(agency: Agency, evidence: Evidence, role: str) -> None:
    call = await open_call(agency)
    made = await keep(agency, call, **SIGNED, signed_on="2026-11-03")
    before = await evidence.digest(agency.tenant_id)
    actor, path = agency.actors[role], f"{CERTIFICATES}/{made['id']}"
    await actor.expect(403, "GET", CERTIFICATES)
    await actor.expect(403, "GET", path)
    await actor.expect(403, "POST", CERTIFICATES, json=of(call, **SIGNED, signed_on="2026-11-03"))
    await actor.expect(403, "PATCH", path, json={"version": 1, "signer_name": "X"})
    await actor.expect(403, "DELETE", f"{path}?version=1")
    assert await evidence.digest(agency.tenant_id) == before


async def test_another_agency_finds_nothing(agency: Agency, other_agency: Agency) -> None:
    call = await open_call(agency)
    path = f"{CERTIFICATES}/{(await keep(agency, call, **SIGNED, signed_on='2026-11-03'))['id']}"
    await other_agency.biller.expect(404, "GET", path)
    await other_agency.biller.expect(404, "PATCH", path, json={"version": 1, "signer_name": "X"})
    await other_agency.biller.expect(404, "DELETE", f"{path}?version=1")
    await other_agency.biller.expect(404, "POST", CERTIFICATES, json=of(call, **SIGNED, signed_on="2026-11-03"))
    assert (await other_agency.biller.expect(200, "GET", CERTIFICATES))["items"] == []
