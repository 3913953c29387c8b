"""The agency's profile over HTTP: every field, what belongs together, and what no user may do."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.core.identifiers import Npi
from app.core.tenants.schemas import TenantPatch, TenantProfile, TenantRead
from tests.core.evidence import audit_of, checksum
from tests.support.actors import Agency

PROFILE: dict[str, Any] = {
    "legal_name": "Prairie Ambulance District",
    "trade_name": "Prairie EMS",
    "state": "MN",
    "time_zone": "America/Menominee",
    "agency_state_id": "MN-7",
    "agency_number": "7",
    "software_creator": "Others",
    "software_name": "Charts",
    "software_version": "2",
    "npi": "1234567893",
    "ein": "411234567",
    "taxonomy": "3416A0800X",
    "street": "2 Lake Road",
    "city": "Duluth",
    "zip": "55802-1000",
    "phone": "2185550100",
    "pay_to_street": "PO Box 7",
    "pay_to_city": "Chicago",
    "pay_to_state": "IL",
    "pay_to_zip": "60601-0007",
    "billing_contact_name": "Billing",
    "billing_contact_email": "billing@prairie.example",
    "administrative_contact_name": "The Director",
    "administrative_contact_phone": "2185550101",
    "administrative_contact_email": "director@prairie.example",
    "submitter_qualifier": "30",
    "submitter_id": "411234567",
    "receiver_name": "AVAILITY",
    "receiver_qualifier": "01",
    "receiver_id": "030240928",
    "default_place_of_service": "42",
    "default_accepts_assignment": False,
    "auto_lock_hours": 48,
    "require_crew_signature": True,
    "authors_may_review": True,
    "device_idle_minutes": 240,
}
PAY_TO = ("pay_to_street", "pay_to_city", "pay_to_state", "pay_to_zip")
NPI: TypeAdapter[str] = TypeAdapter(Npi)


async def revise(agency: Agency, expected: int, /, **fields: Any) -> Any:
    before = await agency.admin.expect(200, "GET", "tenants/current")
    return await agency.admin.expect(
        expected, "PATCH", "tenants/current", json={"version": before["version"], **fields}
    )


async def test_every_field_can_be_changed_and_read(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    assert set(PROFILE) == set(TenantPatch.model_fields) - {"version"}
    assert set(PROFILE) | {"slug"} == set(TenantProfile.model_fields)
    assert set(PROFILE) | {"slug", "status"} == set(TenantRead.model_fields) - {
        "id", "version", "created_at", "updated_at", "deleted_at",
    }  # fmt: skip
    before = await agency.admin.expect(200, "GET", "tenants/current")
    assert all(before[name] != value for name, value in PROFILE.items())
    changed = await revise(agency, 200, **PROFILE)
    assert {name: changed[name] for name in PROFILE} == PROFILE
    assert await agency.founder.expect(200, "GET", "tenants/current") == changed
    event = (await audit_of(admin_connection, agency.tenant_id))[-1]
    assert (event["action"], set(event["changed_fields_json"])) == ("tenant.revised", set(PROFILE))


@pytest.mark.parametrize("kept", PAY_TO)
async def test_a_pay_to_address_is_whole_or_absent(
    agency: Agency, admin_connection: asyncpg.Connection, kept: str
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    refused = await revise(agency, 422, **{kept: PROFILE[kept]})
    problems = refused["error"]["details"]["problems"]
    assert {problem["field"] for problem in problems} == set(PAY_TO) - {kept}
    assert {problem["code"] for problem in problems} == {"missing"}
    assert await checksum(admin_connection, agency.tenant_id) == before
    await revise(agency, 200, **{name: PROFILE[name] for name in PAY_TO})
    refused = await revise(agency, 422, **{kept: None})
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == [kept]
    await revise(agency, 200, **dict.fromkeys(PAY_TO))


@pytest.mark.parametrize("removed", ["street", "city", "zip"])
async def test_the_service_address_is_whole_or_absent(agency: Agency, removed: str) -> None:
    refused = await revise(agency, 422, **{removed: None})
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == [removed]
    await revise(agency, 200, street=None, city=None, zip=None)


@pytest.mark.parametrize(
    ("detail", "name"),
    [
        ("billing_contact_email", "billing_contact_name"),
        ("administrative_contact_phone", "administrative_contact_name"),
        ("administrative_contact_email", "administrative_contact_name"),
    ],
)
async def test_a_contact_has_a_name(agency: Agency, detail: str, name: str) -> None:
    refused = await revise(agency, 422, **{detail: PROFILE[detail], name: None})
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == [name]
    await revise(agency, 200, **{detail: PROFILE[detail], name: PROFILE[name]})


@pytest.mark.parametrize(
    "field",
    [
        {"state": "ZZ"},
        {"time_zone": "Mars/Olympus"},
        {"npi": "1234567890"},
        {"ein": "41-1234567"},
        {"taxonomy": "3416L0300"},
        {"pay_to_state": "Illinois"},
        {"pay_to_zip": "606"},
        {"billing_contact_email": "billing"},
        {"administrative_contact_email": "a b@c.example"},
        {"administrative_contact_email": "x" * 100 + "@c.example"},
        {"administrative_contact_phone": "218-555-0101"},
        {"default_place_of_service": "11"},
        {"default_place_of_service": None},
        {"default_accepts_assignment": "true"},
        {"default_accepts_assignment": None},
        {"status": "suspended"},
        {"slug": "other"},
    ],
    ids=str,
)
async def test_bad_input_is_refused(
    agency: Agency, admin_connection: asyncpg.Connection, field: dict[str, Any]
) -> None:
    before = await checksum(admin_connection, agency.tenant_id)
    refused = await revise(agency, 422, **field)
    assert [problem["field"] for problem in refused["error"]["details"]["problems"]] == list(field)
    assert await checksum(admin_connection, agency.tenant_id) == before


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_an_npi_has_one_check_digit(digits: str) -> None:
    def passes(npi: str) -> bool:
        try:
            NPI.validate_python(npi)
        except ValidationError:
            return False
        return True

    [good] = [str(digit) for digit in range(10) if passes(f"{digits}{digit}")]
    for position in range(9):
        typed = str((int(digits[position]) + 1) % 10)
        assert not passes(digits[:position] + typed + digits[position + 1 :] + good)
