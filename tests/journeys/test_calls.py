"""Calls as crews live them, each charted over HTTP and looked at in document, timeline and readiness.

Journeys count the requests by which the crew charted the call, without looking at it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.nemsis.content import ReportContent
from tests.ems.charts import INCIDENT, INTERVENTION, PATIENT, VITAL, Chart
from tests.ems.findings import findings, readiness
from tests.journeys.crew import counted, exported
from tests.journeys.test_interventions_exported import documents, open_chart, report_of, values
from tests.support.actors import Agency

Body = dict[str, Any]
NOT_APPLICABLE, NOT_RECORDED = "7701001", "7701003"
TRANSPORTED, REFUSED, NO_TRANSPORT = "4230001", "4230009", "4230013"
YES = "9923003"
DAY = "2026-11-20T"


def values_of(report: ReportContent, element_id: str) -> list[str | None]:
    return [entry.value for entry in report.elements[element_id]]


def reason_of(report: ReportContent, element_id: str) -> str | None:
    [entry] = report.elements[element_id]
    assert entry.value is None
    return entry.not_value


def outcome(transport: str, **more: str) -> Body:
    return values(eDisposition_30=transport, **more)


async def timeline(chart: Chart) -> list[Body]:
    items: list[Body] = (await chart.writer.expect(200, "GET", f"{chart.url}/timeline"))["items"]
    return items


async def blocking(chart: Chart) -> set[tuple[str, str]]:
    answer = await readiness(chart.writer, chart.id)
    return {(found["field"], found["code"]) for found in findings(answer, stage="review", severity="blocking")}


async def test_three_patients_with_three_outcomes(agency: Agency, shared: Path) -> None:
    """One transported later than the unit's first departure, one who refuses, one dead on scene."""
    crew = counted(agency)
    chart = await open_chart(agency)
    first = await chart.revise(PATIENT, chart.patient, elements=outcome(TRANSPORTED))
    bare: Body = {"elements": {}, "gender": "male"}
    refuser = await chart.add(PATIENT, **{**bare, "last_name": "Refuser", "elements": outcome(REFUSED)})
    died = outcome(NO_TRANSPORT, eDisposition_19="4219007")
    dead = await chart.add(PATIENT, **{**bare, "last_name": "Dead", "elements": died})
    own: Body = {"arrived_destination_time": f"{DAY}09:52:00-06:00", "elements": values(eResponse_21="1234.5")}
    first = await chart.revise(PATIENT, first, **own)
    assert first["elements"]["eDisposition.30"] == [{"value": TRANSPORTED}], "a patch of elements merges"
    assert crew.sent == 6

    went, stayed, lost = (report_of(each, shared) for each in await documents(chart, first, refuser, dead))

    assert values_of(went, "eTimes.11") == [f"{DAY}09:52:00-06:00"]
    assert values_of(went, "eResponse.21") == ["1234.5"]
    assert "eResponse.21" not in stayed.elements and "eResponse.21" not in lost.elements
    for report in (stayed, lost):
        for element_id in ("eTimes.09", "eTimes.11", "eTimes.12"):
            assert reason_of(report, element_id) == NOT_APPLICABLE, element_id
        assert values_of(report, "eDisposition.27") == ["4227001"], "the unit's disposition stands for each"
    assert values_of(went, "eTimes.03") == values_of(stayed, "eTimes.03") == values_of(lost, "eTimes.03")
    kinds = (await readiness(agency.admin, chart.id))["kinds"]
    assert [kind["kind"] for kind in kinds] == ["transport", "refusal", "dead_on_scene"]
    arrivals = [item for item in await timeline(chart) if item["summary"].get("field") == "arrived_destination_time"]
    assert (arrivals[-1]["entity"], arrivals[-1]["patient_id"]) == ("patient", first["id"])


async def test_a_patient_of_whom_nobody_says_whether_they_went_has_not_arrived(agency: Agency, shared: Path) -> None:
    chart = await open_chart(agency)
    second = await chart.add(PATIENT, last_name="Second")
    [unsaid] = findings(await readiness(chart.writer, chart.id), code="transport_unsaid")
    assert (unsaid["patient_id"], unsaid["field"]) == (second["id"], "elements.eDisposition.30")
    second = await chart.revise(PATIENT, second, elements=outcome(REFUSED))
    own = await chart.revise(PATIENT, second, arrived_destination_time=f"{DAY}09:50:00-06:00")
    assert ("arrived_destination_time", "not_transported") in await blocking(chart)
    own = await chart.revise(PATIENT, own, arrived_destination_time=None, elements={"eDisposition.30": None})
    assert await blocking(chart) == {("status", "not_started")}
    [document] = await documents(chart, own)
    assert reason_of(report_of(document, shared), "eTimes.11") == NOT_RECORDED


async def test_an_impression_of_the_call_is_nobodys_among_several(agency: Agency) -> None:
    chart = await open_chart(agency)
    await chart.revise(INCIDENT, chart.head, primary_impression="I21.3")
    assert findings(await readiness(chart.writer, chart.id), code="impression_unassigned") == []
    await chart.add(PATIENT, last_name="Second", elements=outcome(REFUSED))
    [found] = findings(await readiness(chart.writer, chart.id), code="impression_unassigned")
    assert (found["entity"], found["field"]) == ("incident", "primary_impression")


async def test_the_payer_is_told_the_day_of_this_patients_transport(agency: Agency) -> None:
    chart = await open_chart(agency)
    refuser = await chart.add(PATIENT, last_name="Refuser", elements=outcome(REFUSED))
    answer = await readiness(agency.biller, chart.id)
    about = {found["patient_id"] for found in findings(answer, stage="payment")}
    assert chart.patient["id"] in about and refuser["id"] not in about


async def test_aspirin_withheld_and_the_patients_own_nitro(agency: Agency, shared: Path) -> None:
    crew = counted(agency)
    chart = await open_chart(agency)
    medication: Body = {"type": "medication", "procedure_code": None}
    await chart.add(
        INTERVENTION, **medication, performed_at=f"{DAY}09:16:00-06:00", rxcui="1191",
        elements={"eMedications.03": [{"pertinent_negative": "8801001"}]},
    )  # fmt: skip
    await chart.add(
        INTERVENTION, **medication, performed_at=f"{DAY}08:30:00-06:00", rxcui="4917",
        elements=values(eMedications_02=YES, eMedications_10="9905043"),
    )  # fmt: skip
    await chart.add(
        INTERVENTION, **medication, performed_at=f"{DAY}09:20:00-06:00", rxcui="4917", dose="0.4",
        dose_unit="3706021", route="9927051",
    )  # fmt: skip
    await chart.add(
        INTERVENTION, performed_at=f"{DAY}09:21:00-06:00", procedure_code="392230005",
        elements=values(eProcedures_05="2", eProcedures_06="9923001"),
    )  # fmt: skip
    await chart.add(VITAL, taken_at=f"{DAY}09:15:00-06:00", heart_rate=None, elements=values(eVitals_03="9901053"))
    await chart.add(
        VITAL, taken_at=f"{DAY}09:17:00-06:00", heart_rate=None,
        elements={"eVitals.06": [{"pertinent_negative": "8801023"}]},
    )  # fmt: skip

    assert crew.sent == 8
    shown = [item for item in await timeline(chart) if item["kind"] in ("vital", "intervention")]
    assert [(item["meaning"], item["reason"]) for item in shown] == [
        ("patients_own", None),
        ("by_crew", None),
        ("not_done", "contraindication noted"),
        ("unable", "unable to complete"),
        ("by_crew", None),
        ("attempted_failed", None),
    ]
    assert shown[1]["summary"] == {"elements.eVitals.03": ["STEMI Inferior Ischemia"]}
    assert shown[3]["summary"] == {"elements.eVitals.06": ["unable to complete"]}
    assert await blocking(chart) == {("status", "not_started")}
    [document] = await documents(chart, chart.patient)
    report = report_of(document, shared)
    drugs = [group.elements for group in report.groups if group.name == "eMedications.MedicationGroup"]
    withheld = [each for each in drugs if each["eMedications.03"][0].pertinent_negative == "8801001"]
    assert len(drugs) == 3 and [each["eMedications.05"][0].not_value for each in withheld] == [NOT_APPLICABLE]


async def test_a_birth_after_midnight(agency: Agency, shared: Path) -> None:
    """The mother is thirty, the child is an hour old at most, though the call began the day before."""
    crew = counted(agency)
    chart = await open_chart(agency)
    times = ("dispatch", "enroute", "arrival", "depart_scene", "arrived_destination", "cleared")
    clock = ("20T23:10", "20T23:12", "20T23:20", "21T00:40", "21T00:55", "21T01:10")
    night: Body = {f"{name}_time": f"2026-11-{at}:00-06:00" for name, at in zip(times, clock, strict=True)}
    early = {name: None for name in ("eTimes.01", "eTimes.07", "eTimes.12") if name in chart.head["elements"]}
    chart.head = await chart.revise(INCIDENT, chart.head, **night, elements=early)
    mother = await chart.revise(PATIENT, chart.patient, date_of_birth="1996-05-02", elements=outcome(TRANSPORTED))
    child = await chart.add(PATIENT, last_name="Muster", date_of_birth="2026-11-21", elements=outcome(TRANSPORTED))
    assert crew.sent == 5
    assert await blocking(chart) == {("status", "not_started")}
    await chart.advance("completed")
    reports = [report_of(each, shared) for each in await exported(chart, mother, child)]
    assert [(values_of(each, "ePatient.15"), values_of(each, "ePatient.16")) for each in reports] == [
        (["30"], ["2516009"]),
        (["1"], ["2516003"]),
    ]
    assert reports[1].elements["ePatient.15"][0].pertinent_negative == "8801029"
