"""A document's ICD-10-CM codes are judged on the date of service: warnings, which neither refuse nor block anything."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from app.core.runtime import Runtime
from app.nemsis import readiness as source
from app.nemsis.validation import ValidatedDocument, validate_chart
from tests.architecture.queries import counted
from tests.coding.sample import ADDED, RETIRED
from tests.ems.charts import PATIENT, Chart
from tests.ems.findings import charted, export_of, findings, fire_export, player, readiness
from tests.support.actors import Agency

EVE, AUTUMN_DAY = "2026-10-01T04:59:00Z", "2026-10-01T05:00:00Z"
"""Either side of midnight of October 1 where the agency is (America/Chicago)."""
UNKNOWN, LAPSED = "unknown_code", "code_not_in_force"


def values(*codes: str) -> list[dict[str, str]]:
    return [{"value": code} for code in codes]


async def validation(agency: Agency, chart: Chart) -> list[dict[str, Any]]:
    """What is said of codes."""
    answer = await agency.medic.expect(200, "GET", f"nemsis/incidents/{chart.id}/validation")
    return of_codes(finding for patient in answer["patients"] for finding in patient["findings"])


def of_codes(found: Any) -> list[dict[str, Any]]:
    return [finding for finding in found if finding["source"] == "code_set"]


def faults(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(finding["internal_path"].rpartition("/")[2], finding["code"]) for finding in found]


async def test_each_code_is_judged_by_the_agencys_day(coders: Agency) -> None:
    """A category, and a code that is not billable, may be what a document should say."""
    chart = await Chart.open(coders, dispatch_time=EVE, primary_impression=RETIRED)
    at = chart.patient["id"]
    elements = {"eSituation.12": values("R07", "I63.99", ADDED), "eSituation.09": values("R06")}
    await chart.revise(PATIENT, chart.patient, elements=elements)
    wrong, new = await validation(coders, chart)
    assert faults([wrong, new]) == [
        (f"{at}.elements.eSituation.12[{index}]", code) for index, code in ((1, UNKNOWN), (2, LAPSED))
    ]
    assert [each["path"].rpartition("/")[2] for each in (wrong, new)] == ["eSituation.12[2]", "eSituation.12[3]"]
    assert {(each["element_id"], each["severity"]) for each in (wrong, new)} == {("eSituation.12", "warning")}
    assert not [code for code in ("I63.99", ADDED, "2026") if code in wrong["message"] + new["message"]]
    body = {"version": chart.version, "dispatch_time": AUTUMN_DAY}
    chart.head = await chart.writer.expect(200, "PATCH", chart.url, json=body)
    later = await validation(coders, chart)
    assert faults(later) == [("incident.primary_impression", LAPSED), (f"{at}.elements.eSituation.12[1]", UNKNOWN)]
    body = {"version": chart.version, "dispatch_time": AUTUMN_DAY, "depart_scene_time": EVE}
    chart.head = await chart.writer.expect(200, "PATCH", chart.url, json=body)
    assert faults(await validation(coders, chart))[-1] == (f"{at}.elements.eSituation.12[2]", LAPSED)


async def test_a_value_that_may_be_of_another_code_set_is_left_alone(coders: Agency) -> None:
    """Allergies are RxNorm or ICD-10-CM, a surgical history is ICD-10-PCS or ICD-10-CM: only these have a dot."""
    chart = await Chart.open(coders, dispatch_time=AUTUMN_DAY, location_type="Y92.999")
    elements = {
        "eHistory.06": [
            {"value": "7980", "attributes": {"CodeType": "9924003"}},
            {"value": "Z88.0", "attributes": {"CodeType": "9924001"}},
        ],
        "eHistory.08": values("0016070", "Z98.890"),
        "eSituation.17": values("Y93.01"),
        "eInjury.01": values("W19.XXXA", "W99.8"),
    }
    await chart.revise(PATIENT, chart.patient, elements=elements)
    found = await validation(coders, chart)
    assert {each["code"] for each in found} == {UNKNOWN}
    assert [each["path"].rpartition("/")[2] for each in found] == [
        "eScene.09",
        "eSituation.17[1]",
        "eInjury.01[2]",
        "eHistory.06[2]",
        "eHistory.08[2]",
    ]


async def test_nothing_is_said_without_a_date_or_without_a_code_set(coders: Agency, agency: Agency) -> None:
    undated = await Chart.open(coders, primary_impression="I63.99")
    assert await validation(coders, undated) == []
    unjudged = await Chart.open(agency, primary_impression="I63.99", dispatch_time=EVE)
    assert await validation(agency, unjudged) == []
    said = findings(await readiness(agency.medic, unjudged.id), stage="state_submission", severity="warning")
    assert not {UNKNOWN, LAPSED} & {each["code"] for each in said}


async def test_warnings_are_kept_with_the_export_and_stop_nothing(coders: Agency) -> None:
    chart = await charted(coders)
    export = await export_of(coders, chart.id, chart.patient["id"])
    kept = export["validation_errors_json"]
    assert (export["status"], of_codes(kept)) == ("ready_for_export", kept)
    assert [(each["element_id"], each["code"]) for each in kept] == [("eScene.09", UNKNOWN), ("eSituation.10", UNKNOWN)]
    answer = await coders.medic.expect(200, "GET", f"nemsis/incidents/{chart.id}/validation")
    assert answer["valid"] and answer["patients"][0]["findings"] == kept
    await player(coders).review(chart.head)
    exported = await fire_export(coders, export, "export")
    assert (exported["status"], exported["validation_errors_json"]) == ("exported", kept)
    answer = await readiness(coders.medic, chart.id)
    assert findings(answer, stage="state_submission") == [], "what is done needs nothing"


async def test_readiness_warns_where_a_medic_can_mend_it(coders: Agency) -> None:
    chart = await charted(coders)
    said = findings(await readiness(coders.medic, chart.id), stage="state_submission", code=UNKNOWN)
    assert [(each["severity"], each["entity_id"], each["field"], each["rule"]) for each in said] == [
        ("warning", chart.id, "location_type", "eScene.09"),
        ("warning", chart.patient["id"], "elements.eSituation.10[0]", "eSituation.10"),
    ]
    assert [each["patient_id"] for each in said] == [None, chart.patient["id"]]


async def test_another_release_is_heard_at_once(
    coders: Agency, coding_admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdicts are remembered, what codes are worth is not."""
    documents: list[ValidatedDocument] = []

    async def noting(*given: Any) -> ValidatedDocument:
        documents.append(await validate_chart(*given))
        return documents[-1]

    monkeypatch.setattr(source, "validate_chart", noting)
    chart = await Chart.open(coders, dispatch_time=EVE, primary_impression="I63.9")
    assert not findings(await readiness(coders.medic, chart.id), code=LAPSED)
    change = "UPDATE icd10_codes SET valid_to = $1::text::date WHERE code = 'I63.9'"
    await coding_admin.execute(change, "2026-09-29")
    try:
        [said] = findings(await readiness(coders.medic, chart.id), code=LAPSED)
    finally:
        await coding_admin.execute(change, None)
    assert (said["stage"], said["field"]) == ("state_submission", "primary_impression")
    assert not findings(await readiness(coders.medic, chart.id), code=LAPSED)
    assert len(documents) == 1


async def test_codes_cost_one_statement_however_many(coders: Agency, coding_runtime: Runtime) -> None:
    chart = await Chart.open(coders, dispatch_time=EVE)
    sent = []
    for codes in ((), ("I63.99",), ("R07", "I63.9", "I63.99", ADDED, RETIRED)):
        patient = await chart.writer.expect(200, "GET", chart.at(PATIENT, chart.patient))
        await chart.revise(PATIENT, patient, elements={"eSituation.12": values(*codes) if codes else None})
        async with counted(coding_runtime.database) as statements:
            await validation(coders, chart)
        sent.append(sum("icd10_codes" in statement for statement in statements))
    assert sent == [1, 1, 1]
