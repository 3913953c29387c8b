"""What a write leaves behind: audit events without PHI, events without values, and every version whole."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
import structlog

from app.core.logging import configure_logging
from app.registry import LOG_KEYS
from tests.core.evidence import DIGESTED
from tests.ems.charts import (
    CREW,
    ELEMENT_GROUP,
    INCIDENT,
    INCIDENTS,
    INTERVENTION,
    KINDS,
    NARRATIVE,
    PATIENT,
    VITAL,
    Chart,
    Kind,
)
from tests.ems.evidence import Evidence
from tests.support.actors import Agency

CANARY = "Quackenbush"
MEDICATION = Kind("intervention", "interventions", {"type": "medication"}, {})
READABLE = {
    "status", "completed_at", "deleted_at", "incident_number", "dispatch_time", "enroute_time", "arrival_time",
    "depart_scene_time", "arrived_destination_time", "cleared_time", "location_type", "location_state", "disposition",
    "destination_state", "age_unit", "taken_at", "performed_at", "etco2_unit", "type", "group_name",
    "elements.eResponse.08", "patient_id", "personnel_id", "licensure_id", "licensure_level", "response_roles",
}  # fmt: skip
"""Fields whose values an auditor may see: the agency's operation, and nothing that is known of a patient only."""
FULL: list[tuple[Kind, dict[str, Any], dict[str, Any]]] = [
    (
        INCIDENT,
        {
            "incident_number": "26-000777", "dispatch_time": "2026-03-01T10:00:00Z", "location_type": "Y92.009",
            "location_street": f"1 {CANARY} Rd", "location_unit": f"{CANARY}", "location_city": CANARY,
            "location_state": "IL", "location_zip": "62777", "location_county": "17777",
            "location_latitude": "39.777777", "location_longitude": "-89.777777", "disposition": "4227001",
            "primary_impression": "I21.77",
            "elements": {
                "eResponse.08": [{"value": "2208013", "correlation_id": f"{CANARY}-delay"}],
                "eResponse.13": [{"value": CANARY}],
            },
        },
        {"location_street": f"2 {CANARY} Rd", "primary_impression": "I21.78"},
    ),
    (
        PATIENT,
        {
            "ems_patient_id": CANARY, "last_name": CANARY, "first_name": CANARY, "middle_name": CANARY,
            "name_suffix": CANARY, "date_of_birth": "1977-07-07", "age": 77, "age_unit": "years", "gender": "female",
            "home_street": CANARY, "home_city": CANARY, "home_state": "IL", "home_zip": "62777",
            "home_county": "17777", "destination_name": CANARY, "destination_street": CANARY,
            "destination_city": CANARY, "destination_state": "IL", "destination_zip": "62777",
            "destination_county": "17777", "elements": {"ePatient.19": [{"value": f"{CANARY}@example.org"}]},
        },
        {"last_name": f"{CANARY}-2", "elements": {"ePatient.19": None}},
    ),
    (
        VITAL,
        {
            "taken_at": "2026-03-01T10:00:00Z", "systolic_bp": 177, "diastolic_bp": 77, "heart_rate": 177,
            "respiratory_rate": 77, "spo2": 77, "etco2": "77.7", "etco2_unit": "mmHg", "temperature_c": "37.7",
            "gcs_eye": 4, "gcs_verbal": 5, "gcs_motor": 6, "gcs_total": 15, "pain_score": 7,
            "elements": {"eVitals.03": [{"value": "9901047", "correlation_id": f"{CANARY}-rhythm"}]},
        },
        {"heart_rate": 178},
    ),
    (
        MEDICATION,
        {
            "rxcui": "7777777", "dose": "77.777", "dose_unit": "3706021", "route": "9927001",
            "performed_at": "2026-03-01T10:00:00Z", "outcome": "worse",
        },
        {"rxcui": "7777778", "route": "9927003"},
    ),
    (INTERVENTION, {"procedure_code": "392230005", "outcome": "improved"}, {"procedure_code": "392231009"}),
    (
        NARRATIVE,
        {"narrative_text": f"{CANARY} fell.", "structured_json": {CANARY: [CANARY]}},
        {"narrative_text": f"{CANARY} stood.", "structured_json": {"x": CANARY}},
    ),
    (
        ELEMENT_GROUP,
        {
            "group_name": "ePayment.InsuranceGroup", "correlation_id": CANARY,
            "elements": {"ePayment.18": [{"value": CANARY}]},
        },
        {"correlation_id": f"{CANARY}-2", "elements": {"ePayment.18": [{"value": f"{CANARY}-2"}]}},
    ),
    (
        CREW,
        {
            "response_roles": ["2403011", "2403003"], "correlation_id": f"{CANARY}-crew",
            "elements": {"eCrew.03": [{"correlation_id": f"{CANARY}-role"}]},
        },
        {"response_roles": ["2403013"], "correlation_id": f"{CANARY}-crew-2"},
    ),
]  # fmt: skip


async def write_everything(agency: Agency) -> list[str]:
    """Every kind of write of every field; the ids of what was written."""
    written = []
    chart = await Chart.open(agency)
    for kind, fields, change in FULL:
        url = INCIDENTS if kind is INCIDENT else chart.at(kind)
        await chart.ready(kind)
        entry = await chart.writer.expect(201, "POST", url, json=chart.body(kind, **fields))
        place = f"{url}/{entry['id']}"
        await chart.writer.expect(200, "PATCH", place, json={"version": 1, **change})
        await chart.writer.expect(204, "DELETE", place, params={"version": 2, "reason": "Test."})
        await agency.admin.expect(200, "POST", f"{place}/restore", json={"version": 3})
        written.append(str(entry["id"]))
        for refused in ({"version": 2, **change}, {"version": 4, CANARY + "\x00": 1}, {"version": CANARY}):
            answer = await chart.writer.patch(place, json=refused)
            assert answer.status_code in (409, 422)
            assert CANARY not in answer.text
    return written


async def test_audit_events_show_no_phi(agency: Agency, evidence: Evidence) -> None:
    for entity_id in await write_everything(agency):
        records = await evidence.records(entity_id)
        assert records.counts() == (4, 4, 4)
        for event in records.audit:
            for field, (old, new) in event["changed_fields_json"].items():
                shown = [value for value in (old, new) if value is not None]
                assert field in READABLE or all(value == DIGESTED for value in shown), field
    assert CANARY not in await evidence.text(agency.tenant_id)


async def test_events_carry_names_and_ids_but_no_values(agency: Agency, evidence: Evidence) -> None:
    for entity_id in await write_everything(agency):
        records = await evidence.records(entity_id)
        revised, deleted = records.outbox[1:3]
        for version, event in enumerate(records.outbox, start=1):
            payload = event["payload"]
            assert event["topic"] == "incident.updated"
            assert str(event["aggregate_id"]) == payload.get("incident_id", entity_id)
            assert payload["version"] == version
            assert set(payload) <= {
                "entity_type", "entity_id", "version", "action", "changed", "incident_id", "patient_id", "status"
            }  # fmt: skip
        change = next(change for kind, _, change in FULL if kind.entity_type == revised["payload"]["entity_type"])
        assert set(revised["payload"]["changed"]) <= set(change) | {"procedure_code", "rxcui", "route"}
        assert deleted["payload"]["changed"] == ["deleted_at"]


async def test_logs_show_no_phi(agency: Agency, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = structlog.get_config()  # holds the stream of the whole run; this test's own is closed at its end
    configure_logging("DEBUG", LOG_KEYS)
    try:
        await write_everything(agency)
    finally:
        configure_logging("ERROR", LOG_KEYS)
        structlog.configure(**quiet)
    printed = capsys.readouterr()
    assert printed.out.count('"event":"request"') > 40
    assert CANARY not in printed.out + printed.err


async def test_an_audit_event_names_the_request(chart: Chart, evidence: Evidence) -> None:
    request_id = str(uuid.uuid4())
    await chart.writer.expect(
        200, "PATCH", chart.url, json={"version": 1, **INCIDENT.change}, headers={"X-Request-ID": request_id}
    )
    audit = (await evidence.records(chart.id)).audit[-1]
    me = await chart.writer.expect(200, "GET", "auth/me")
    assert (str(audit["request_id"]), str(audit["actor_user_id"])) == (request_id, me["id"])
    assert audit["changed_fields_json"] == {"location_street": [None, DIGESTED]}


def same(read: Any, kept: Any) -> bool:
    """A value as the API shows it, and as JSON of the stored row."""
    if isinstance(read, str) and isinstance(kept, int | float):
        return Decimal(read) == Decimal(str(kept))
    if isinstance(read, str) and isinstance(kept, str) and read != kept:
        return dt.datetime.fromisoformat(read) == dt.datetime.fromisoformat(kept)
    return bool(read == kept)


DERIVED = ("allowed_actions", "warnings")


@pytest.mark.parametrize(("kind", "fields", "change"), FULL, ids=[kind.noun for kind, _, _ in FULL])
async def test_every_version_is_kept_whole(
    chart: Chart, evidence: Evidence, kind: Kind, fields: dict[str, Any], change: dict[str, Any]
) -> None:
    """The read of each version equals its revision, field by field."""
    url = INCIDENTS if kind is INCIDENT else chart.at(kind)
    await chart.ready(kind)
    reads = [await chart.writer.expect(201, "POST", url, json=chart.body(kind, **fields))]
    place = f"{url}/{reads[0]['id']}"
    reads.append(await chart.writer.expect(200, "PATCH", place, json={"version": 1, **change}))
    await chart.writer.expect(200, "PATCH", place, json={"version": 2, **change})
    await chart.writer.expect(204, "DELETE", place, params={"version": 2, "reason": "Test."})
    reads.append({"version": 3})
    reads.append(await chart.agency.admin.expect(200, "POST", f"{place}/restore", json={"version": 3}))
    revisions = (await evidence.records(reads[0]["id"])).revisions
    assert [revision["version"] for revision in revisions] == [1, 2, 3, 4]
    head = reads[0]["id"] if kind is INCIDENT else chart.id
    for revision, read in zip(revisions, reads, strict=True):
        assert (revision["entity"], str(revision["incident_id"])) == (kind.entity_type, head)
        differing = {
            name for name, value in read.items() if name not in DERIVED and not same(value, revision["snapshot"][name])
        }
        assert not differing, json.dumps({name: revision["snapshot"][name] for name in differing})


def test_every_kind_is_written_in_full() -> None:
    assert {kind.entity_type for kind, _, _ in FULL} == {kind.entity_type for kind in KINDS}
