"""What an amendment records: who, why, three values of each field, and which exports show an older chart."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.billing.support.claims import CLAIM, CLAIMS
from tests.ems.charts import INCIDENT, NARRATIVE, PATIENT, VITAL, Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, at, declare, fire, sign
from tests.support.actors import Agency

REASON = "The monitor's clock was wrong."


async def amendments(chart: Chart, who: str = "biller", **params: Any) -> list[dict[str, Any]]:
    page = await chart.agency.actors[who].expect(
        200, "GET", f"{chart.url}/amendments", params={"sort": "created_at", **params}
    )
    items: list[dict[str, Any]] = page["items"]
    return items


async def amend(chart: Chart, entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """PATCH a vital as the admin."""
    body = {"version": entry["version"], "reason": REASON, **fields}
    changed: dict[str, Any] = await chart.agency.admin.expect(200, "PATCH", chart.at(VITAL, entry), json=body)
    return changed


async def exported_to_state(chart: Chart, evidence: Evidence) -> None:
    """A document of the first patient, or of the call if it has none."""
    await evidence.connection.execute(
        "INSERT INTO nemsis_exports (id, tenant_id, incident_id, patient_id, status, schema_build,"
        " validation_errors_json) VALUES (gen_random_uuid(), $1, $2::text::uuid, $3::text::uuid, 'exported', '3.5.1',"
        " '[]')",
        chart.agency.tenant_id, chart.id, chart.patient["id"] if chart.patient else None,
    )  # fmt: skip


async def exported_to_payer(chart: Chart, evidence: Evidence) -> None:
    """A claim of the first patient: the chart was locked, and unlocked after the claim went out."""
    await chart.fire("lock", "admin")
    body = {"incident_id": chart.id, "patient_id": chart.patient["id"], **CLAIM}
    claim = await chart.agency.biller.expect(201, "POST", CLAIMS, json=body)
    await evidence.connection.execute(
        "INSERT INTO claim_exports (id, tenant_id, export_id, claim_id, artifact_key, format, control_number)"
        " VALUES (gen_random_uuid(), $1, gen_random_uuid(), $2::text::uuid, 'a', '837P', 1)",
        chart.agency.tenant_id, claim["id"],
    )  # fmt: skip
    await chart.fire("unlock", "admin", reason=REASON)


def change(field: str, as_completed: Any, before: Any, after: Any) -> dict[str, Any]:
    return {"field": field, "as_completed": as_completed, "before": before, "after": after}


async def test_the_diff_is_against_the_completed_chart(agency: Agency, evidence: Evidence) -> None:
    """Two amendments of one field keep the completed value; unlocking a locked chart begins anew."""
    chart = await Chart.open(agency)
    vital = await chart.add(VITAL, temperature_c="36.6")
    await chart.advance("completed")
    vital = await amend(chart, vital, heart_rate=90, temperature_c="37.0")
    vital = await amend(chart, vital, heart_rate=None, elements={"eVitals.10": [{"not_value": "7701003"}]})
    assert (await amend(chart, vital, spo2=None))["version"] == vital["version"]
    first, second = await amendments(chart)
    assert first["changes"] == [change("heart_rate", 80, 80, 90), change("temperature_c", "36.6", "36.6", "37.0")]
    marked = [{"not_value": "7701003"}]
    assert second["changes"] == [
        change("heart_rate", 80, 90, None), change("elements.eVitals.10", None, None, marked)
    ]  # fmt: skip
    admin = (await agency.admin.expect(200, "GET", "auth/me"))["id"]
    for one, version in ((first, 2), (second, 3)):
        assert (one["entity"], one["entity_id"], one["version"], one["change"]) == (
            "vital",
            vital["id"],
            version,
            "revised",
        )
        assert (one["amended_by"], one["reason"], one["outdated_exports"]) == (admin, REASON, [])
    await chart.fire("lock", "admin")
    await chart.fire("unlock", "admin", reason=REASON)
    await amend(chart, vital, elements={"eVitals.10": None}, heart_rate=91)
    third = (await amendments(chart))[-1]
    assert third["changes"] == [
        change("heart_rate", None, None, 91), change("elements.eVitals.10", marked, marked, None)
    ]  # fmt: skip
    records = await evidence.records(first["id"])
    assert [row["action"] for row in records.audit] == ["chart_amendment.recorded"]
    assert [(row["topic"], str(row["aggregate_id"])) for row in records.outbox] == [("incident.amended", chart.id)]


async def test_additions_deletions_and_restorations_are_amendments(agency: Agency) -> None:
    chart = await Chart.open(agency)
    kept = await chart.add(VITAL)
    await chart.advance("completed")
    added = await agency.admin.expect(201, "POST", chart.at(VITAL), json=chart.body(VITAL, reason=REASON))
    params = {"version": 1, "reason": REASON}
    await agency.admin.expect(204, "DELETE", chart.at(VITAL, kept), params=params)
    body = {"version": 2, "reason": REASON}
    await agency.admin.expect(200, "POST", f"{chart.at(VITAL, kept)}/restore", json=body)
    head = {"version": chart.version, "location_street": "2 Elm St", "reason": REASON}
    await agency.admin.expect(200, "PATCH", chart.url, json=head)
    told = await amendments(chart)
    assert [(one["change"], one["entity"], one["entity_id"]) for one in told] == [
        ("created", "vital", added["id"]), ("deleted", "vital", kept["id"]), ("restored", "vital", kept["id"]),
        ("revised", "incident", chart.id),
    ]  # fmt: skip
    diffs = [{one["field"]: one for one in amendment["changes"]} for amendment in told]
    assert diffs[0]["heart_rate"] == change("heart_rate", None, None, 80)
    assert diffs[1]["heart_rate"] == change("heart_rate", 80, 80, None)
    assert diffs[2]["heart_rate"] == change("heart_rate", 80, None, 80)
    assert diffs[3] == {"location_street": change("location_street", None, None, "2 Elm St")}
    assert [one["entity_id"] for one in await amendments(chart, entity_id=kept["id"])] == [kept["id"]] * 2


async def test_an_open_chart_has_no_amendments_whatever_its_changes_say(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency)
    vital = await chart.add(VITAL, reason="Not needed.")
    await chart.revise(VITAL, vital, heart_rate=90, reason="Not needed.")
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 2, "reason": "Not needed."})
    await chart.advance("completed")
    assert await amendments(chart) == []
    audit = (await evidence.records(vital["id"])).audit
    assert [row["metadata_json"] for row in audit] == [{"reason": "Not needed."}] * 3


@pytest.mark.parametrize("reason", [" ", "x" * 501, "a\x00b"])
async def test_a_reason_in_the_address_is_judged_as_one_in_a_body(
    agency: Agency, evidence: Evidence, reason: str
) -> None:
    chart = await Chart.open(agency, "completed")
    before = await evidence.digest(agency.tenant_id)
    params = {"version": 1, "reason": reason}
    refused = await agency.admin.expect(422, "DELETE", chart.at(PATIENT, chart.patient), params=params)
    assert "reason" in refused["error"]["details"]["problems"][0]["field"]
    assert await evidence.digest(agency.tenant_id) == before


async def test_exports_made_before_an_amendment_are_outdated_by_it(
    agency: Agency, evidence: Evidence, runtime: Runtime
) -> None:
    """An export made afterwards is not, nor one about another patient."""
    chart = await Chart.open(agency)
    vital, second = await chart.add(VITAL), await chart.add(PATIENT)
    others = await chart.add(NARRATIVE, patient_id=second["id"])
    await chart.advance("completed")
    await amend(chart, vital, heart_rate=90)
    await exported_to_state(chart, evidence)
    await amend(chart, {**vital, "version": 2}, heart_rate=91)
    body = {"version": 1, "narrative_text": "Other.", "reason": REASON}
    await agency.admin.expect(200, "PATCH", chart.at(NARRATIVE, others), json=body)
    head = {"version": chart.version, "location_street": "2 Elm St", "reason": REASON}
    await agency.admin.expect(200, "PATCH", chart.url, json=head)
    async with counted(runtime.database) as statements:
        told = await amendments(chart)
    outdated = [[(one["kind"], one["status"]) for one in amendment["outdated_exports"]] for amendment in told]
    exported = [("nemsis_export", "exported")]
    assert outdated == [[], exported, [], exported]
    assert len(statements) <= 10


async def test_a_patient_who_is_added_outdates_the_document_of_a_call_without_one(
    agency: Agency, evidence: Evidence
) -> None:
    """The state has a record that says that nobody was there; this patient's chart is in no document yet."""
    head = await agency.medic.expect(201, "POST", "ems/incidents", json={**INCIDENT.body, "disposition": "4227005"})
    chart = Chart(agency, "medic", head)
    await chart.advance("completed")
    await exported_to_state(chart, evidence)
    await agency.admin.expect(201, "POST", chart.at(PATIENT), json=chart.body(PATIENT, reason=REASON))
    [told] = await amendments(chart)
    assert (told["entity"], [one["kind"] for one in told["outdated_exports"]]) == ("patient", ["nemsis_export"])


async def test_signatures_and_attachments_are_in_no_document(agency: Agency, evidence: Evidence) -> None:
    """Deleting or restoring one amends the completed chart, and outdates neither a state document nor a claim."""
    chart = await Chart.open(agency)
    files = [("signatures", await declare(chart, "signatures")), ("attachments", await declare(chart))]
    vital = await chart.add(VITAL)
    await chart.advance("completed")
    await exported_to_state(chart, evidence)
    await exported_to_payer(chart, evidence)
    for path, entry in files:
        params = {"version": 1, "reason": REASON}
        await agency.admin.expect(204, "DELETE", at(chart, path, entry), params=params)
        body = {"version": 2, "reason": REASON}
        await agency.admin.expect(200, "POST", f"{at(chart, path, entry)}/restore", json=body)
    await amend(chart, vital, heart_rate=90)
    body = {"version": 1, "last_name": "Brooks", "reason": REASON}
    await agency.admin.expect(200, "PATCH", chart.at(PATIENT, chart.patient), json=body)
    told = [
        (one["entity"], sorted(found["kind"] for found in one["outdated_exports"])) for one in await amendments(chart)
    ]
    assert told == [
        *(("signature", []), ("signature", []), ("attachment", []), ("attachment", [])),
        ("vital", ["nemsis_export"]),
        ("patient", ["claim", "nemsis_export"]),
    ]


async def test_an_amendment_names_who_had_to_sign_again(agency: Agency, runtime: Runtime) -> None:
    """By what each had signed, still so after all have signed again and the first ones were voided or deleted."""
    chart = await Chart.open(agency)
    vital, gone = await chart.add(VITAL), await chart.add(VITAL)
    consent, attested = await sign(chart), await sign(chart, **ATTESTED)
    of_other = await sign(chart, **ATTESTED | {"patient_id": (await chart.add(PATIENT))["id"]})
    pending = await declare(chart, "signatures", **ATTESTED)
    voided, deleted = [await sign(chart, **ATTESTED) for _ in range(2)]
    await fire(chart, "signatures", voided, "void", who=agency.admin, reason=REASON)
    await chart.writer.expect(204, "DELETE", at(chart, "signatures", deleted), params={"version": 2})
    whole = await sign(chart, **ATTESTED)  # of the second patient, too
    await chart.advance("completed")

    vital = await amend(chart, vital, heart_rate=90)
    vital = await amend(chart, vital, spo2=97)
    renamed = {"version": 1, "last_name": "Brooks", "reason": REASON}
    await agency.admin.expect(200, "PATCH", chart.at(PATIENT, chart.patient), json=renamed)
    again = await sign(chart, **ATTESTED)
    vital = await amend(chart, vital, heart_rate=80)
    await agency.admin.expect(204, "DELETE", chart.at(VITAL, gone), params={"version": 1, "reason": REASON})
    body = {"version": 2, "reason": REASON}
    await agency.admin.expect(200, "POST", f"{chart.at(VITAL, gone)}/restore", json=body)
    await agency.admin.expect(201, "POST", chart.at(VITAL), json=chart.body(VITAL, reason=REASON))
    head = {"version": chart.version, "location_street": "2 Elm St", "reason": REASON}
    await agency.admin.expect(200, "PATCH", chart.url, json=head)

    told = await outdated_signatures(chart)
    crew = [attested["id"], whole["id"]]
    assert told == [
        crew,
        crew,
        [consent["id"], *crew],
        [again["id"]],  # back to what the others had signed
        [*crew, again["id"]],
        [],
        [*crew, again["id"]],
        [attested["id"], of_other["id"], whole["id"], again["id"]],
    ]
    first = (await amendments(chart))[2]["outdated_signatures"][0]
    assert first == {
        "id": consent["id"],
        "statement_code": "consent_to_treat",
        "signer_role": "patient",
        "patient_id": chart.patient["id"],
    }

    await sign(chart)
    await sign(chart, **ATTESTED)
    await fire(chart, "signatures", pending, status=409)
    await fire(chart, "signatures", consent, "void", who=agency.admin, reason=REASON)
    params = {"version": 2, "reason": REASON}
    await agency.admin.expect(204, "DELETE", at(chart, "signatures", attested), params=params)
    async with counted(runtime.database) as statements:
        assert await outdated_signatures(chart) == [*told, []]
    assert len(statements) <= 11


async def outdated_signatures(chart: Chart) -> list[list[str]]:
    return [[one["id"] for one in amendment["outdated_signatures"]] for amendment in await amendments(chart)]


async def test_what_a_signature_never_covered_is_not_taken_from_it(agency: Agency) -> None:
    """The screen showed an older version: of that field nothing is lost, of the others it is."""
    chart = await Chart.open(agency)
    vital = await chart.add(VITAL)
    revised = await chart.revise(VITAL, vital, heart_rate=96)
    screen = [{"id": entry["id"], "version": entry["version"]} for entry in (chart.head, chart.patient, vital)]
    attested = await sign(chart, **ATTESTED, shown=screen)
    await chart.advance("completed")
    revised = await amend(chart, revised, heart_rate=99)
    await amend(chart, revised, spo2=97)
    assert await outdated_signatures(chart) == [[], [attested["id"]]]
