"""Records of later modules: what they may hold, and a key that is shown once."""

from __future__ import annotations

import hashlib
from typing import Any

import asyncpg
import pytest

from tests.core.evidence import DIGESTED, audit_of, checksum
from tests.core.reference.records import API_KEY, INTEGRATION, ITEM, STATION, Sample
from tests.support.actors import Agency


async def test_of_a_key_only_its_digest_is_kept(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    made = await API_KEY.add(agency.admin)
    secret = made["secret"]
    assert secret.startswith(made["prefix"]) and len(secret) == 47 and len(made["prefix"]) == 12
    row = await admin_connection.fetchrow("SELECT * FROM external_api_keys WHERE id = $1", made["id"])
    assert row is not None
    assert row["secret_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    [event] = await audit_of(admin_connection, made["id"])
    assert event["changed_fields_json"]["secret_hash"] == [None, DIGESTED]
    for kept in (str(dict(row)), str(event)):
        assert secret not in kept and secret[12:] not in kept
    assert row["secret_hash"] not in str(event)
    for answer in (
        await agency.admin.get(f"{API_KEY.path}/{made['id']}"),
        await agency.admin.get(API_KEY.path),
    ):
        assert answer.status_code == 200 and secret[12:] not in answer.text and "secret" not in answer.text


async def test_keys_differ(agency: Agency) -> None:
    made = [await API_KEY.add(agency.admin) for _ in range(3)]
    assert len({key["secret"] for key in made}) == 3


async def test_a_revoked_key_is_gone(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    made = await API_KEY.add(agency.admin)
    await agency.admin.expect(204, "DELETE", f"{API_KEY.path}/{made['id']}", params={"version": 1})
    await agency.admin.expect(404, "GET", f"{API_KEY.path}/{made['id']}")
    events = await audit_of(admin_connection, made["id"])
    assert [event["action"] for event in events] == ["external_api_key.created", "external_api_key.revoked"]
    await agency.admin.expect(404, "POST", f"{API_KEY.path}/{made['id']}/restore", json={"version": 2})


@pytest.mark.parametrize(
    ("sample", "field"),
    [
        (API_KEY, {"scopes": []}),
        (API_KEY, {"scopes": ["everything"]}),
        (API_KEY, {"scopes": ["chart.read"] * 51}),
        (API_KEY, {"scopes": ["chart.write"]}),
        (API_KEY, {"scopes": ["user.read"]}),
        (API_KEY, {"expires_at": "2026-01-01T00:00:00Z"}),
        (API_KEY, {"secret": "of my own"}),
        (API_KEY, {"prefix": "fqk_12345678"}),
        (INTEGRATION, {"base_url": "http://cad.example"}),
        (INTEGRATION, {"base_url": "https://user:word@cad.example"}),
        (INTEGRATION, {"base_url": "https://cad.example/?key=1"}),
        (INTEGRATION, {"base_url": "https://cad.example/#top"}),
        (INTEGRATION, {"base_url": "cad.example"}),
        (INTEGRATION, {"base_url": "https://" + "x" * 500}),
        (INTEGRATION, {"kind": "fax"}),
        (ITEM, {"controlled_substance_schedule": "I"}),
        (ITEM, {"unit_of_measure": ""}),
        (STATION, {"name": "x"}),
        (STATION, {"zip": "6270"}),
        (STATION, {"state": "Illinois"}),
    ],
    ids=str,
)
async def test_bad_input_is_refused_and_not_echoed(agency: Agency, sample: Sample, field: dict[str, Any]) -> None:
    refused = await agency.admin.expect(422, "POST", sample.path, json=sample.fresh() | field)
    places = {problem["field"].split(".")[0] for problem in refused["error"]["details"]["problems"]}
    assert places == set(field)
    assert "user:word" not in str(refused)
    assert (await agency.admin.expect(200, "GET", sample.path))["items"] == []


@pytest.mark.parametrize(
    ("sample", "field"),
    [
        (INTEGRATION, {"base_url": "https://user:word@cad.example"}),
        (INTEGRATION, {"base_url": None}),
        (INTEGRATION, {"kind": "fax"}),
        (ITEM, {"name": None}),
        (STATION, {"name": " "}),
        (STATION, {"zip": "6270"}),
        (STATION, {}),
    ],
    ids=str,
)
async def test_a_bad_correction_changes_nothing(
    agency: Agency, admin_connection: asyncpg.Connection, sample: Sample, field: dict[str, Any]
) -> None:
    path = f"{sample.path}/{(await sample.add(agency.admin))['id']}"
    before = await checksum(admin_connection, agency.tenant_id)
    refused = await agency.admin.expect(422, "PATCH", path, json={"version": 1} | field)
    assert "user:word" not in str(refused)
    assert await checksum(admin_connection, agency.tenant_id) == before
