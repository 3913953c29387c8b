"""Calls that end without a transport, or are planned: charted by a crew, looked at in document, report and timeline.

Each journey counts the requests that the crew sent until it submitted the chart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.core.runtime import Runtime
from scripts.demo_chart import CALL
from tests.ems.charts import CREW, INCIDENT, NARRATIVE, PATIENT, VITAL, Chart
from tests.ems.findings import findings, readiness, states
from tests.ems.test_report import content, keep, pdf_of, said
from tests.ems.uploads import sign
from tests.journeys.crew import counted, exported, hired
from tests.journeys.test_calls import NOT_APPLICABLE, reason_of, timeline, values_of
from tests.journeys.test_interventions_exported import groups_of, report_of, values
from tests.support.actors import Agency

Body = dict[str, Any]
DAY = "2026-11-20T"
PEOPLE = [person for person, _ in CALL.crew]
ROLES = [work for _, work in CALL.crew]
REFUSAL = "I was told what may happen if I am not taken to a hospital. I refuse to go."


def at(clock: str) -> str:
    return f"{DAY}{clock}:00-06:00"


async def begun(agency: Agency, *dropped: str, elements: Body | None = None, **fields: Any) -> Chart:
    """The incident as dispatch knows it, and the crew that is on it: one request each."""
    people = await hired(agency, *PEOPLE)
    known = {name: value for name, value in CALL.incident.items() if not name.endswith("_time")}
    known["elements"] = {
        name: entries
        for name, entries in known["elements"].items()
        if not name.startswith(("eTimes", *dropped)) and name not in ("eResponse.10", "eResponse.11", "eResponse.12")
    } | (elements or {})
    head = await agency.medic.expect(201, "POST", "ems/incidents", json={**known, **fields})
    chart = Chart(agency, "medic", head)
    for person, work in zip(people, ROLES, strict=True):
        await chart.add(CREW, **work, personnel_id=person["id"])
    return chart


async def finished(chart: Chart, **fields: Any) -> None:
    """The last autosave, then the chart goes to its review."""
    chart.head = await chart.revise(INCIDENT, chart.head, **fields)
    await chart.advance("ready_for_review")


async def report_made(chart: Chart, runtime: Runtime, name: str) -> Body:
    """What the report says. The PDF is made, too."""
    keep(name, await pdf_of(chart, "admin"))
    return await content(runtime, chart)


def shown_times(items: list[Body]) -> list[str]:
    return [item["summary"]["field"] for item in items if item["kind"] == "time"]


async def test_cancelled_before_arrival(agency: Agency, shared: Path, runtime: Runtime) -> None:
    """No patient, no arrival, no claim; the state gets a record of the response."""
    crew = counted(agency)
    chart = await begun(agency, "eScene")
    story: Body = {"narrative_text": "Cancelled by dispatch: police on scene report no injuries."}
    await agency.medic.expect(201, "POST", chart.at(NARRATIVE), json=story)
    await finished(
        chart, disposition="4227005", dispatch_time=at("09:02"), enroute_time=at("09:03"), cleared_time=at("09:08")
    )
    assert crew.sent == 7, "the incident, two of the crew, narrative, one autosave, start, submission"
    answer = await readiness(agency.medic, chart.id)
    assert findings(answer, stage="review") == findings(answer, stage="payment") == []
    assert states(answer) == {
        "review": "ready", "state_submission": "blocked", "payment": "not_due", "signature": "ready"
    }  # fmt: skip
    await chart.advance("completed")
    assert states(await readiness(agency.admin, chart.id))["state_submission"] == "ready"
    [document] = await exported(chart, None)
    report = report_of(document, shared)
    assert values_of(report, "eDisposition.27") == ["4227005"]
    assert values_of(report, "eNarrative.01") == [story["narrative_text"]]
    for element_id in ("ePatient.15", "eTimes.06", "eTimes.07", "eTimes.11", "ePayment.01", "eDisposition.30"):
        assert reason_of(report, element_id) == NOT_APPLICABLE, element_id
    assert len(groups_of(report, "eCrew.CrewGroup")) == 2 and report.uuid.version == 5
    assert states(await readiness(agency.admin, chart.id))["state_submission"] == "done"
    assert shown_times(await timeline(chart)) == ["dispatch_time", "enroute_time", "cleared_time"]
    handed_over = await report_made(chart, runtime, "cancelled")
    assert (handed_over["patient"], len(handed_over["crew"])) == ("No patient", 2)
    assert [one["text"] for one in handed_over["narratives"]] == [story["narrative_text"]]
    assert said(handed_over)["Unit Disposition"] == "Cancelled Prior to Arrival at Scene"
    assert "Unit Arrived on Scene Date/Time" not in said(handed_over)


async def test_a_refusal_with_a_witness(agency: Agency, shared: Path, runtime: Runtime) -> None:
    crew = counted(agency)
    chart = await begun(agency)
    outcome = values(
        eDisposition_28="4228003", eDisposition_29="4229013", eDisposition_30="4230009", eDisposition_31="4231001",
        eDisposition_19="4219005",
    )  # fmt: skip
    chart.patient = await chart.add(
        PATIENT, last_name="Stayer", first_name="Jo", date_of_birth="1990-05-04", gender="male", elements=outcome
    )
    await chart.add(VITAL, taken_at=at("09:15"), heart_rate=84, systolic_bp=128, diastolic_bp=80, respiratory_rate=16)
    await chart.add(NARRATIVE, narrative_text="Fell from a bicycle, scraped knee. Alert, oriented. Refuses transport.")
    await finished(
        chart, disposition="4227001", dispatch_time=at("09:02"), enroute_time=at("09:03"), arrival_time=at("09:10"),
        cleared_time=at("09:40"),
    )  # fmt: skip
    assert crew.sent == 9, "as that, and patient and vital signs"
    answer = await readiness(agency.medic, chart.id)
    assert [found["code"] for found in findings(answer, stage="review")] == []
    assert [found["code"] for found in findings(answer, stage="signature")] == ["refusal_missing"]
    await chart.fire("return_for_correction", "supervisor", reason="The refusal is not signed.")
    signed: Body = {"statement_code": "refusal", "statement": REFUSAL}
    await sign(chart, **signed, signer_name="Jo Stayer")
    await sign(chart, **signed, signer_name="Lee Stander", signer_role="witness")
    await chart.advance("completed")
    answer = await readiness(agency.admin, chart.id)
    assert findings(answer, stage="signature") == []
    assert states(answer) == {"review": "done", "state_submission": "ready", "payment": "not_due", "signature": "ready"}
    [document] = await exported(chart, chart.patient)
    report = report_of(document, shared)
    assert (values_of(report, "eDisposition.30"), values_of(report, "eDisposition.31")) == (["4230009"], ["4231001"])
    for element_id in ("eTimes.09", "eTimes.11", "eDisposition.21", "ePayment.01", "eOutcome.01"):
        assert reason_of(report, element_id) == NOT_APPLICABLE, element_id
    items = await timeline(chart)
    assert shown_times(items) == ["dispatch_time", "enroute_time", "arrival_time", "cleared_time"]
    handed_over = await report_made(chart, runtime, "refusal-witnessed")
    assert [(one["name"], one["role"], one["wording"], one["state"]) for one in handed_over["signatures"]] == [
        ("Jo Stayer", "Patient", REFUSAL, ""), ("Lee Stander", "Witness", REFUSAL, ""),
    ]  # fmt: skip
    facts = said(handed_over)
    assert facts["Transport Disposition"] == "Patient Refused Transport"
    assert facts["Reason for Refusal/Release"] == "Against Medical Advice"
    assert "Patient Arrived at Destination Date/Time" not in facts


async def test_dead_on_scene(agency: Agency, shared: Path, runtime: Runtime) -> None:
    """Nobody asks for vital signs of the living, a transport, a refusal or a payer."""
    crew = counted(agency)
    chart = await begun(agency)
    outcome = values(
        eDisposition_28="4228005", eDisposition_29="4229011", eDisposition_30="4230013", eDisposition_19="4219007",
        eArrest_01="3001003", eArrest_03="3003007", eArrest_18="3018003", eSituation_02="9922001",
    )  # fmt: skip
    chart.patient = await chart.add(PATIENT, last_name="Gone", gender="male", elements=outcome)
    await chart.add(
        NARRATIVE, narrative_text="Cold, rigor mortis, dependent lividity. No resuscitation. Coroner called."
    )
    await finished(
        chart, disposition="4227001", dispatch_time=at("09:02"), enroute_time=at("09:03"), arrival_time=at("09:10"),
        cleared_time=at("10:05"),
    )  # fmt: skip
    assert crew.sent == 8
    answer = await readiness(agency.medic, chart.id)
    assert findings(answer, stage="review") == findings(answer, stage="signature") == []
    [kind] = answer["kinds"]
    assert (kind["kind"], {found["need"] for found in kind["not_due"]}) == (
        "dead_on_scene", {"transport_times", "vital_signs", "refusal_signature", "claim"},
    )  # fmt: skip
    await chart.advance("completed")
    answer = await readiness(agency.admin, chart.id)
    assert states(answer) == {"review": "done", "state_submission": "ready", "payment": "not_due", "signature": "ready"}
    [document] = await exported(chart, chart.patient)
    report = report_of(document, shared)
    assert (values_of(report, "eArrest.18"), values_of(report, "eDisposition.19")) == (["3018003"], ["4219007"])
    assert reason_of(report, "ePayment.01") == reason_of(report, "eTimes.11") == NOT_APPLICABLE
    assert "vital" not in {item["kind"] for item in await timeline(chart)}
    handed_over = await report_made(chart, runtime, "dead")
    facts = said(handed_over)
    assert facts["Acuity Upon EMS Release of Patient"] == "Dead without Resuscitation Efforts (Black)"
    assert facts["End of EMS Cardiac Arrest Event"] == "Expired in the Field"
    assert handed_over["vitals"] == handed_over["treatments"] == handed_over["signatures"] == []


HOME: Body = {"street": "418 Cottonwood Lane", "city": "Springfield", "state": "IL", "zip": "62702-1000",
              "county": "17167"}  # fmt: skip
CLINIC: Body = {"street": "900 Dialysis Way", "city": "Springfield", "state": "IL", "zip": "62703-2000",
                "county": "17167"}  # fmt: skip
CLOCK = ("dispatch_time", "enroute_time", "arrival_time", "depart_scene_time", "arrived_destination_time",
         "cleared_time")  # fmt: skip


async def _leg(
    agency: Agency, number: str, origin: Body, destination: Body, clock: tuple[str, ...], reasons: Body, **more: Any
) -> Chart:
    """One way of a planned transport. The patient has no emergency, and is carried by stretcher."""
    planned = values(eResponse_05="2205007", eResponse_23="2223005")
    where = {f"location_{name}": value for name, value in origin.items()}
    chart = await begun(agency, elements=planned, incident_number=number, **where)
    outcome = values(
        eDisposition_28="4228001", eDisposition_29="4229001", eDisposition_30="4230001", eDisposition_16="4216005",
        eDisposition_17="4217005", eDisposition_19="4219011", eSituation_11="N18.6",
    )  # fmt: skip
    chart.patient = await chart.add(
        PATIENT, last_name="Weekly", first_name="Ida", date_of_birth="1949-02-11", gender="female",
        **{f"home_{name}": value for name, value in HOME.items()},
        **{f"destination_{name}": value for name, value in destination.items()},
        **more, elements=outcome | reasons,
    )  # fmt: skip
    await chart.add(VITAL, taken_at=at(clock[2]), heart_rate=72, systolic_bp=150, diastolic_bp=85, respiratory_rate=14)
    await chart.add(NARRATIVE, narrative_text="Bed-confined, moved by stretcher. Quiet on the way.")
    await finished(chart, disposition="4227001", **{name: at(when) for name, when in zip(CLOCK, clock, strict=True)})
    return chart


async def test_dialysis_both_ways(agency: Agency, shared: Path, runtime: Runtime) -> None:
    """Two calls: each has its own times, odometer, document and claim."""
    crew = counted(agency)
    out = await _leg(
        agency, "26-200001", HOME, CLINIC, ("06:00", "06:02", "06:15", "06:30", "06:50", "07:05"),
        values(eSituation_20="2820007", eDisposition_21="4221025"), destination_name="Prairie Dialysis",
    )  # fmt: skip
    back = await _leg(
        agency, "26-200002", CLINIC, HOME, ("11:00", "11:02", "11:15", "11:30", "11:50", "12:05"),
        values(eSituation_20="2820027", eDisposition_21="4221001"), destination_name="Home",
    )  # fmt: skip
    assert crew.sent == 18, "nine for each way"
    for chart, destination, arrived in ((out, "Prairie Dialysis", "06:50"), (back, "Home", "11:50")):
        answer = await readiness(agency.biller, chart.id)
        assert findings(answer, stage="review") == []
        assert (answer["kinds"][0]["kind"], states(answer)["payment"]) == ("transport", "blocked")
        await chart.advance("locked")
        [document] = await exported(chart, chart.patient)
        report = report_of(document, shared)
        assert values_of(report, "eTimes.11") == [at(arrived)]
        assert values_of(report, "eDisposition.01") == [destination]
        assert values_of(report, "eResponse.05") == ["2205007"]
        answer = await readiness(agency.biller, chart.id)
        assert [found["code"] for found in findings(answer, stage="payment")] == ["claim_missing"], "the chart suffices"
        assert shown_times(await timeline(chart)) == list(CLOCK)
        handed_over = await report_made(chart, runtime, f"dialysis-{destination.split()[0].lower()}")
        assert (handed_over["patient"], said(handed_over)["Destination/Transferred To, Name"]) == (
            "Ida Weekly", destination
        )  # fmt: skip
