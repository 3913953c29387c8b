"""Signatures: wording, content, voiding, agencies that want them complete. The oracle is in test_chart_machine.py."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.core.runtime import Runtime
from app.ems.chart.columns import ChartEntry
from app.ems.coverage import SCOPES
from app.ems.crew.models import CrewMember
from app.ems.parts import CHARTED, PARTS
from app.ems.public import list_signatures
from app.ems.signatures.schemas import MAX_SHOWN
from app.ems.uploads.columns import UploadedEntry
from tests.architecture.queries import counted
from tests.architecture.scratch import mapped_classes
from tests.ems.charts import CREW, PATIENT, VITAL, Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, SIGNED, at, coverage, declare, fire, send, sign
from tests.support.actors import Agency
from tests.support.media import SVG

WHO_SIGNS = {
    "consent_to_treat": "patient",
    "assignment_of_benefits": "guardian",
    "refusal": "patient",
    "receipt_of_privacy_notice": "patient",
    "crew_attestation": "crew",
}


async def test_a_signature_is_bound_to_wording_and_content(chart: Chart, evidence: Evidence) -> None:
    signed = await sign(chart)
    assert (signed["status"], signed["version"], signed["allowed_actions"]) == ("signed", 2, [])
    assert (signed["covers_current_chart"], signed["changed_since"]) == (True, [])
    digests = {signed["content_sha256"]}
    others: tuple[dict[str, Any], ...] = (
        {"statement": SIGNED["statement"] + " And taken to hospital."},
        {"signer_name": "Ana Brooks"},
        {"signer_role": "guardian"},
        {"statement_code": "receipt_of_privacy_notice"},
    )
    for other in others:
        digests.add((await declare(chart, "signatures", **other))["content_sha256"])
    assert len(digests) == 5
    assert (await declare(chart, "signatures"))["content_sha256"] == signed["content_sha256"]
    [stored] = await evidence._rows(
        "SELECT covered_json::text AS snapshot FROM signatures WHERE id = $1::text::uuid", signed["id"]
    )
    [covered] = stored["snapshot"]
    assert (covered["entity"], covered["id"], covered["version"]) == ("patient", chart.patient["id"], 1)


async def test_a_pending_signature_covers_nothing(chart: Chart) -> None:
    pending = await declare(chart, "signatures")
    assert (pending["covers_current_chart"], pending["changed_since"]) == (False, [])


async def test_content_is_bound_when_the_signature_is_given(chart: Chart) -> None:
    """Not when its image arrives: what changed in between was never shown to the signer."""
    pending = await declare(chart, "signatures")
    await chart.revise(PATIENT, chart.patient, last_name="Brooks")
    await send(chart, pending, SVG)
    signed = await fire(chart, "signatures", pending)
    assert (signed["covers_current_chart"], len(signed["changed_since"])) == (False, 1)


def shown(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries as they were answered: what a screen shows of them."""
    return [{"id": entry["id"], "version": entry["version"]} for entry in entries]


async def test_what_was_shown_is_covered_whatever_stands_by_then(chart: Chart) -> None:
    """Another tablet saves between rendering and signing: each kind of difference is told at once."""
    seen, gone, file = await chart.add(VITAL), await chart.add(VITAL), await declare(chart)
    screen = shown(chart.head, chart.patient, seen, gone, file)  # an attachment is shown, but not attested
    revised = await chart.revise(VITAL, seen, heart_rate=96, spo2=97)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, gone), params={"version": 1})
    late = await chart.add(VITAL)
    differences = {
        (seen["id"], "changed", ("heart_rate", "spo2")),
        (gone["id"], "deleted", ()),
        (late["id"], "added", ()),
    }
    attested = await sign(chart, **ATTESTED, shown=screen)
    assert await coverage(chart, attested) == (False, differences)
    assert await coverage(chart, await sign(chart, **ATTESTED)) == (True, set())
    await chart.revise(VITAL, revised, heart_rate=seen["heart_rate"], spo2=None)
    assert await coverage(chart, attested) == (False, {difference for difference in differences if difference[2] == ()})


async def test_what_was_shown_binds_as_the_same_content_taken_at_once(chart: Chart) -> None:
    vital = await chart.add(VITAL)
    now = await declare(chart, "signatures", **ATTESTED)
    stated = await declare(chart, "signatures", **ATTESTED, shown=shown(vital, chart.patient, chart.head))
    assert stated["content_sha256"] == now["content_sha256"]
    consent = await declare(chart, "signatures", shown=shown(chart.head, chart.patient, vital))
    assert consent["content_sha256"] == (await declare(chart, "signatures"))["content_sha256"]
    await chart.revise(PATIENT, chart.patient, last_name="Brooks")
    offline = await declare(chart, "signatures", shown=shown(chart.patient))
    assert offline["content_sha256"] == consent["content_sha256"]


async def test_what_was_shown_of_another_patient_is_not_covered(chart: Chart) -> None:
    other = await chart.add(PATIENT)
    theirs = await chart.add(VITAL, patient_id=other["id"])
    screen = shown(chart.head, chart.patient, other, theirs)
    mine = await sign(chart, **ATTESTED | {"patient_id": chart.patient["id"]}, shown=screen)
    await chart.revise(VITAL, theirs, heart_rate=96)
    assert await coverage(chart, mine) == (True, set())


async def test_an_entry_that_was_not_shown_is_not_covered(chart: Chart) -> None:
    assigned = await sign(chart, statement_code="assignment_of_benefits", shown=shown(chart.patient))
    assert await coverage(chart, assigned) == (False, {(chart.id, "added", ())})


async def test_nobody_is_shown_what_the_chart_never_had(chart: Chart, found: Any, evidence: Evidence) -> None:
    vital, elsewhere = await chart.add(VITAL), await Chart.open(chart.agency)
    abroad = await Chart.open(await found())
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 1})
    refusals: list[tuple[list[dict[str, Any]], list[tuple[str, str]]]] = [
        (
            shown(chart.patient, elsewhere.patient, abroad.patient),
            [("shown.1", "not_in_chart"), ("shown.2", "not_in_chart")],
        ),
        (shown(elsewhere.head), [("shown.0", "not_in_chart")]),
        (shown({**chart.patient, "version": 2}), [("shown.0", "not_in_chart")]),
        (shown({**vital, "version": 2}), [("shown.0", "not_in_chart")]),
        (shown(chart.patient, chart.patient), [("shown", "duplicate")]),
        (shown(vital, {**vital, "version": 2}), [("shown", "duplicate")]),
        ([], [("shown", "too_short")]),
        (shown(vital) * (MAX_SHOWN + 1), [("shown", "too_long")]),
        (shown({**vital, "version": 2**31}), [("shown.0.version", "less_than_equal")]),
    ]
    before = await evidence.digest(chart.agency.tenant_id)
    for screen, expected in refusals:
        refused = await declare(chart, "signatures", status=422, shown=screen)
        assert [(item["field"], item["code"]) for item in refused["error"]["details"]["problems"]] == expected
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_a_screen_costs_as_many_statements_however_much_it_shows(chart: Chart, runtime: Runtime) -> None:
    costs = set()
    screen = shown(chart.head, chart.patient)
    await declare(chart, "signatures", **ATTESTED, shown=screen)  # the driver asks about types once
    for _ in range(2):
        async with counted(runtime.database) as statements:
            await declare(chart, "signatures", **ATTESTED, shown=screen)
        costs.add(len(statements))
        screen += shown(*[await chart.add(VITAL) for _ in range(5)])
    assert len(costs) == 1


@pytest.mark.parametrize("code", WHO_SIGNS)
async def test_a_later_change_says_which_signature_no_longer_covers_and_why(chart: Chart, code: str) -> None:
    fields = {"statement_code": code, "signer_role": WHO_SIGNS[code]}
    signed = await sign(chart, **fields)
    vital = await chart.add(VITAL)
    moved = await chart.revise(PATIENT, chart.patient, home_street="1 Main St")
    attests = code == "crew_attestation"
    expected = {(vital["id"], "added", ()), (chart.patient["id"], "changed", ("home_street",))} if attests else set()
    assert await coverage(chart, signed) == (not attests, expected)
    renamed = await chart.revise(PATIENT, moved, last_name="Brooks", home_street=None)
    expected = {(vital["id"], "added", ())} if attests else set()
    assert await coverage(chart, signed) == (False, expected | {(chart.patient["id"], "changed", ("last_name",))})
    await chart.revise(PATIENT, renamed, last_name="Rivers")
    assert await coverage(chart, signed) == (not attests, expected)


async def test_elements_are_named_one_by_one(chart: Chart) -> None:
    refusal = await sign(chart, statement_code="refusal")
    attested = await sign(chart, **ATTESTED)
    elements = {"eDisposition.28": [{"value": "4228009"}], "eHistory.01": [{"value": "3101003"}]}
    await chart.revise(PATIENT, chart.patient, elements=elements)
    assert await coverage(chart, refusal) == (
        False,
        {(chart.patient["id"], "changed", ("elements.eDisposition.28",))},
    )
    assert await coverage(chart, attested) == (
        False,
        {(chart.patient["id"], "changed", ("elements.eDisposition.28", "elements.eHistory.01"))},
    )


async def test_a_deleted_entry_is_missed_and_a_restored_one_is_not(chart: Chart) -> None:
    vital = await chart.add(VITAL)
    attested = await sign(chart, **ATTESTED)
    await chart.writer.expect(204, "DELETE", chart.at(VITAL, vital), params={"version": 1})
    assert await coverage(chart, attested) == (False, {(vital["id"], "deleted", ())})
    without = await sign(chart, **ATTESTED)
    assert await coverage(chart, without) == (True, set())
    await chart.agency.admin.expect(200, "POST", f"{chart.at(VITAL, vital)}/restore", json={"version": 2})
    assert await coverage(chart, attested) == (True, set())
    assert await coverage(chart, without) == (False, {(vital["id"], "added", ())})


async def test_transitions_change_no_content(chart: Chart) -> None:
    attested = await sign(chart, **ATTESTED)
    await chart.advance("completed")
    assert await coverage(chart, attested) == (True, set())


async def test_an_attestation_of_one_patient_is_about_that_patient(chart: Chart) -> None:
    other = await chart.add(PATIENT)
    mine = await sign(chart, **ATTESTED | {"patient_id": chart.patient["id"]})
    await chart.add(VITAL, patient_id=other["id"])
    await chart.revise(PATIENT, other, last_name="Brooks")
    assert await coverage(chart, mine) == (True, set())
    crew = await chart.add(CREW)
    assert await coverage(chart, mine) == (False, {(crew["id"], "added", ())})


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"patient_id": None}, "patient_id", "missing"),
        ({**ATTESTED, "signer_role": "patient"}, "signer_role", "not_the_crew"),
        ({"signed_at": "2049-01-01T00:00:00Z"}, "signed_at", "in_the_future"),
        ({"signer_name": "  "}, "signer_name", "blank"),
        ({"statement": " \n"}, "statement", "blank"),
        ({"statement_code": "anything"}, "statement_code", "enum"),
        ({"size_bytes": 200_001}, "size_bytes", "less_than_equal"),
        ({"file_type": "image/jpeg"}, "file_type", "literal_error"),
    ],
)
async def test_impossible_signatures_are_refused(
    chart: Chart, evidence: Evidence, fields: dict[str, Any], field: str, code: str
) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await declare(chart, "signatures", status=422, **fields)
    assert [(item["field"], item["code"]) for item in refused["error"]["details"]["problems"]] == [(field, code)]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def test_signing_offline_keeps_the_time(chart: Chart) -> None:
    at_scene = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)
    signed = await declare(chart, "signatures", signed_at=at_scene.isoformat())
    assert dt.datetime.fromisoformat(signed["signed_at"]) == at_scene


async def test_signatures_are_not_changed(chart: Chart) -> None:
    signed = await sign(chart)
    answer = await chart.writer.patch(at(chart, "signatures", signed), json={"version": 2, "statement": "Another."})
    assert answer.status_code == 405


async def test_an_admin_voids_with_a_reason(chart: Chart, evidence: Evidence) -> None:
    signed = await sign(chart)
    admin = chart.agency.admin
    await fire(chart, "signatures", signed, "void", status=403, reason="Wrong person.")
    await fire(chart, "signatures", signed, "void", status=422, who=admin)
    stale = {**signed, "version": 1}
    await fire(chart, "signatures", stale, "void", status=409, who=admin, reason="Wrong person.")
    assert (await evidence.records(signed["id"])).counts() == (2, 2, 2)
    voided = await fire(chart, "signatures", signed, "void", who=admin, reason="Wrong person.")
    assert (voided["status"], voided["covers_current_chart"], voided["version"]) == ("voided", False, 3)
    event = (await evidence.records(signed["id"])).audit[-1]
    assert (event["action"], event["metadata_json"]["reason"]) == ("signature.voided", "Wrong person.")
    refused = await fire(chart, "signatures", voided, "void", status=409, who=admin, reason="Again.")
    assert refused["error"]["code"] == "INVALID_TRANSITION"


async def test_a_completed_chart_can_be_signed_again(chart: Chart) -> None:
    """An amendment makes attestations void of meaning; the crew signs what the chart says now."""
    first = await sign(chart, **ATTESTED)
    await chart.advance("completed")
    amended = await chart.agency.admin.expect(
        200,
        "PATCH",
        chart.at(PATIENT, chart.patient),
        json={"version": 1, "last_name": "Brooks", "reason": "Misspelt."},
    )
    assert amended["last_name"] == "Brooks"
    assert (await coverage(chart, first))[0] is False
    second = await sign(chart, **ATTESTED)
    assert await coverage(chart, second) == (True, set())
    await chart.writer.expect(409, "DELETE", at(chart, "signatures", second), params={"version": 2})
    voided = await fire(chart, "signatures", first, "void", who=chart.agency.admin, reason="Outdated.")
    assert voided["status"] == "voided"


@pytest.mark.parametrize("status", ["ready_for_review", "locked"])
async def test_other_closed_charts_take_no_signature(chart: Chart, evidence: Evidence, status: str) -> None:
    signed = await sign(chart)
    await chart.advance(status)
    before = await evidence.digest(chart.agency.tenant_id)
    for refused in (
        await declare(chart, "signatures", status=409),
        await fire(chart, "signatures", signed, "void", status=409, who=chart.agency.admin, reason="Why."),
    ):
        assert refused["error"]["code"] == "CHART_NOT_EDITABLE"
    assert await evidence.digest(chart.agency.tenant_id) == before


async def require_attestation(agency: Agency) -> None:
    tenant = await agency.admin.expect(200, "GET", "tenants/current")
    body = {"version": tenant["version"], "require_crew_signature": True}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)


async def test_an_agency_that_wants_it_completes_attested_charts_only(chart: Chart, evidence: Evidence) -> None:
    await require_attestation(chart.agency)
    await sign(chart)  # the patient's: it attests nothing
    outdated = await sign(chart, **ATTESTED)
    patient = await chart.revise(PATIENT, chart.patient, last_name="Brooks")
    await chart.advance("ready_for_review")
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await chart.fire("complete", "supervisor", status=409)
    assert [guard["name"] for guard in refused["error"]["details"]["failed_guards"]] == ["crew_signature"]
    assert await evidence.digest(chart.agency.tenant_id) == before
    await chart.fire("return_for_correction", "supervisor")
    await chart.revise(PATIENT, patient, last_name="Rivers")
    assert await coverage(chart, outdated) == (True, set())
    await chart.advance("completed")
    assert chart.head["status"] == "completed"


async def test_attestations_of_every_patient_attest_the_chart(chart: Chart) -> None:
    await require_attestation(chart.agency)
    other = await chart.add(PATIENT)
    await sign(chart, **ATTESTED | {"patient_id": chart.patient["id"]})
    await chart.advance("ready_for_review")
    await chart.fire("complete", "supervisor", status=409)
    await chart.fire("return_for_correction", "supervisor")
    await sign(chart, **ATTESTED | {"patient_id": other["id"]})
    await chart.advance("completed")
    assert chart.head["status"] == "completed"


async def test_deleted_and_voided_attestations_attest_nothing(chart: Chart) -> None:
    await require_attestation(chart.agency)
    deleted, voided = await sign(chart, **ATTESTED), await sign(chart, **ATTESTED)
    await chart.writer.expect(204, "DELETE", at(chart, "signatures", deleted), params={"version": 2})
    await fire(chart, "signatures", voided, "void", who=chart.agency.admin, reason="Not the crew.")
    await chart.advance("ready_for_review")
    await chart.fire("complete", "supervisor", status=409)


async def test_other_domains_read_all_signatures_in_five_statements(chart: Chart, runtime: Runtime) -> None:
    signed = [await sign(chart), await sign(chart, **ATTESTED)]
    await chart.revise(PATIENT, chart.patient, last_name="Brooks")
    principal = runtime.tokens.verify(chart.agency.biller.token or "")
    async with counted(runtime.database) as statements, runtime.read_unit_of_work(principal) as uow:
        found = await list_signatures(uow, signed[0]["incident_id"])
    assert [(str(one.id), one.covers_current_chart) for one in found] == [(one["id"], False) for one in signed]
    assert len([text for text in statements if text.lstrip().startswith(("SELECT", "WITH"))]) <= 5


async def test_names_and_wordings_stay_out_of_the_records(chart: Chart, evidence: Evidence) -> None:
    await sign(chart, signer_name="Quackenbush", statement="I, Quackenbush, agree.")
    assert "Quackenbush" not in await evidence.text(chart.agency.tenant_id)


def test_every_column_of_the_chart_is_charted_or_known_not_to_be() -> None:
    """A new column of a chart entry is either what clients chart, and covered, or named in its part's `uncharted`."""
    for part in PARTS:
        if part.charted:
            taken = CrewMember.SNAPSHOT.keys() | {pick.snapshot for pick in part.entity.picks}
            columns = set(part.entity.__table__.columns.keys()) - taken
            assert columns - part.bookkeeping == set(part.create.model_fields) - {"id", "reason"}, part.noun


def test_every_kind_of_chart_entry_is_covered() -> None:
    """An entry that no attestation covers could be changed without anybody noticing."""
    entries = {mapped for mapped in mapped_classes() if issubclass(mapped, ChartEntry)}
    names = {mapped.entity_type for mapped in entries if not issubclass(mapped, UploadedEntry)}
    assert names == CHARTED
    assert names == set(SCOPES["crew_attestation"]) and all(set(scope) <= names for scope in SCOPES.values())  # type: ignore[index]
