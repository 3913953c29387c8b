"""The patient care report: what it says, to whom, and that the same chart makes the same bytes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from app.core.runtime import Runtime
from app.ems.report.content import content_of
from app.ems.report.service import ReportService
from app.ems.report.typesetting import SPELLED, typeset
from tests.core.reference.records import FACILITY, VEHICLE
from tests.ems.charts import CREW, ELEMENT_GROUP, INCIDENT, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.ems.evidence import Evidence
from tests.ems.uploads import ATTESTED, sign
from tests.support.actors import ROLES, Agency

MEDICATION = Kind("intervention", "interventions", {"type": "medication"}, {})
OUT = os.environ.get("REPORT_DIR")
"""Where to put what was rendered, to be looked at."""


async def pdf_of(chart: Chart, who: str = "medic", **params: Any) -> bytes:
    answer = await chart.agency.actors[who].get(f"{chart.url}/report.pdf", params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    assert answer.content.startswith(b"%PDF-")
    return answer.content


async def content(runtime: Runtime, chart: Chart, patient_id: str | None = None) -> dict[str, Any]:
    """What the template is given."""
    principal = runtime.tokens.verify(chart.agency.admin.token or "")
    service = ReportService(lambda: runtime.unit_of_work(principal), runtime.objects, ())
    patient = None if patient_id is None else uuid.UUID(patient_id)
    async with runtime.unit_of_work(principal) as uow:
        material, _ = await service.read(uow, uuid.UUID(chart.id), patient)
    return content_of(material)


def said(report: dict[str, Any]) -> dict[str, str]:
    """{label: text} of everything in the sections."""
    return {fact["label"]: fact["text"] for section in report["sections"] for fact in section["facts"]}


def keep(name: str, pdf: bytes) -> None:
    if OUT is not None:
        Path(OUT, f"{name}.pdf").write_bytes(pdf)


async def stemi(agency: Agency) -> Chart:
    """A call with what makes reports go wrong: a withheld drug, one taken before, a failed procedure, absent values."""
    chart = await Chart.open(
        agency,
        dispatch_time="2026-03-01T22:02:11-06:00",
        enroute_time="2026-03-01T22:03:40-06:00",
        arrival_time="2026-03-01T22:11:02-06:00",
        depart_scene_time="2026-03-01T22:29:30-06:00",
        arrived_destination_time="2026-03-01T22:44:00-06:00",
        location_street="12 Elm St",
        location_city="Springfield",
        primary_impression="I21.9",
    )
    chart.patient = await chart.revise(
        PATIENT,
        chart.patient,
        first_name="Ana",
        last_name="Əliyeva",
        date_of_birth="1958-04-17",
        gender="female",
        home_city="Springfield",
        elements={
            "ePatient.12": [{"value": "219099999"}],
            "eHistory.06": [{"pertinent_negative": "8801013"}],
            "eDisposition.30": [{"value": "4230001"}],
        },
    )
    await chart.add(VITAL, taken_at="2026-03-01T22:14:00-06:00", systolic_bp=92, diastolic_bp=58, heart_rate=118,
                    respiratory_rate=22, spo2=93, gcs_eye=4, gcs_verbal=5, gcs_motor=6, pain_score=8,
                    elements={"eVitals.03": [{"value": "9901051"}]})  # fmt: skip
    await chart.add(VITAL, taken_at="2026-03-01T22:26:00-06:00", systolic_bp=104, diastolic_bp=64, heart_rate=104,
                    spo2=97, temperature_c="37.1", elements={"eVitals.14": [{"not_value": "7701003"}]})  # fmt: skip
    await chart.add(MEDICATION, rxcui="1191", performed_at="2026-03-01T22:15:00-06:00",
                    elements={"eMedications.03": [{"pertinent_negative": "8801007"}]}, status=201)  # fmt: skip
    await chart.add(MEDICATION, rxcui="4917", performed_at="2026-03-01T21:50:00-06:00", dose="0.4", dose_unit="3706021",
                    elements={"eMedications.02": [{"value": "9923003"}]})  # fmt: skip
    await chart.add(MEDICATION, rxcui="7052", performed_at="2026-03-01T22:18:00-06:00", dose="4", dose_unit="3706021",
                    outcome="improved")  # fmt: skip
    await chart.add(INTERVENTION, performed_at="2026-03-01T22:16:00-06:00",
                    elements={"eProcedures.06": [{"value": "9923001"}]})  # fmt: skip
    await chart.add(NARRATIVE, narrative_text="Found sitting, pale, diaphoretic.\n#strong[not markup] $x$ \\ *none*")
    await chart.add(ELEMENT_GROUP)
    await chart.add(CREW)
    await sign(chart)
    await sign(chart, **ATTESTED)
    return chart


async def test_the_report_names_places_and_the_unit(agency: Agency, runtime: Runtime) -> None:
    """From the records that the chart names, as they were: and once each, never the records themselves."""
    vehicle = await VEHICLE.add(agency.admin, unit_number="M-17", call_sign="Medic 17")
    facility = await FACILITY.add(agency.admin)
    chart = await Chart.open(agency, vehicle_id=vehicle["id"], destination_facility_id=facility["id"])
    home: dict[str, Any] = {"home_state": "SON", "home_zip": "84000", "home_country": "MX"}
    transported = {"eDisposition.30": [{"value": "4230001"}]}
    chart.patient = await chart.revise(PATIENT, chart.patient, **home, elements=transported)
    report = await content(runtime, chart)
    facts = said(report)
    wanted = {
        "EMS Vehicle (Unit) Number": "M-17",
        "EMS Unit Call Sign": "Medic 17",
        "Destination/Transferred To, Name": "Lincoln Regional Hospital",
        "Destination Street Address": "40 Lakeshore Drive",
        "Patient's Home State": "SON",
        "Patient's Country of Residence": "Mexico (MX)",
    }
    assert {label: facts[label] for label in wanted} == wanted
    assert vehicle["id"] not in str(report) and facility["id"] not in str(report)


async def test_the_report_of_a_call(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    chart = await stemi(agency)
    draft = await content(runtime, chart)
    assert draft["draft"] and draft["status"].startswith("DRAFT")
    facts = said(draft)
    assert facts["Social Security Number"] == "*****9999"
    assert facts["Medication Allergies"] == "[No Known Drug Allergy]"
    assert facts["Date of Birth"] == "1958-04-17"
    assert draft["patient"] == "Ana Əliyeva"
    assert [(one["state"], one["dose"]) for one in draft["treatments"]] == [
        ("BEFORE THIS UNIT'S CARE", "0.4 Milligrams (mg)"),
        ("NOT GIVEN: Medication Allergy", ""),
        ("ATTEMPTED, NOT SUCCESSFUL", ""),
        ("", "4 Milligrams (mg)"),
    ]
    first, second = draft["vitals"]
    assert (first["at"], first["pressure"], first["gcs"]) == ("2026-03-01 22:14:00 CST", "92/58", "15 (E4 V5 M6)")
    assert (second["respiration"], second["temperature"], second["etco2"]) == ("Not Recorded", "37.1", "")
    assert [one["media_type"] for one in draft["signatures"]] == ["", ""]  # images are fetched afterwards
    assert any("164.502(b)" in reason for reason in draft["withheld"])
    assert "219099999" not in str(draft)
    keep("draft", await pdf_of(chart))
    await chart.advance("completed")
    body = {"version": 1, "heart_rate": 108, "reason": "Misread from the strip."}
    second_vital = (await chart.writer.expect(200, "GET", chart.at(VITAL), params={"sort": "created_at"}))["items"][1]
    await agency.admin.expect(200, "PATCH", chart.at(VITAL, second_vital), json=body)
    final = await content(runtime, chart)
    assert not final["draft"] and final["status"].startswith("Completed; reviewed by Supervisor, ")
    [amendment] = final["amendments"]
    assert (amendment["by"], amendment["reason"]) == ("Admin", "Misread from the strip.")
    assert amendment["changes"] == [{"field": "Heart Rate", "before": "104", "after": "108"}]
    assert [vital["marks"] for vital in final["vitals"]] == [[], [1]]
    assert [one["state"] for one in final["signatures"]] == [
        "", "What was signed here has changed since; see the amendments",
    ]  # fmt: skip
    pdf = await pdf_of(chart)
    assert await pdf_of(chart, "biller") == pdf == await pdf_of(chart, patient_id=chart.patient["id"])
    keep("amended", pdf)
    events = [event for event in (await evidence.records(chart.patient["id"])).audit if "disclosed" in event["action"]]
    assert [event["metadata_json"]["draft"] for event in events] == [True, False, False, False]
    assert len({event["metadata_json"]["chart_version"] for event in events}) == 2
    log = await agency.admin.expect(200, "GET", "audit/access-log", params={"incident_id": chart.id})
    assert [entry["route"].rpartition("/")[2] for entry in log["items"]].count("report.pdf") == 4


async def test_a_report_shows_one_patient_only(chart: Chart, runtime: Runtime, evidence: Evidence) -> None:
    other = await chart.add(PATIENT, last_name="Brooks")
    await chart.add(NARRATIVE, narrative_text="Rivers only.")
    await chart.add(NARRATIVE, narrative_text="Brooks only.", patient_id=other["id"])
    await chart.revise(PATIENT, other, elements={"eDisposition.30": [{"value": "4230013"}]})
    await chart.revise(PATIENT, chart.patient, elements={"eDisposition.30": [{"value": "4230001"}]})
    head = {"version": 1, "arrived_destination_time": "2026-03-01T22:44:00Z", "disposition": "4227001"}
    chart.head = await chart.writer.expect(200, "PATCH", chart.url, json=head)
    await sign(chart, statement_code="refusal", patient_id=other["id"], signer_name="Cy Brooks")
    await sign(
        chart, statement_code="refusal", patient_id=other["id"], signer_role="witness", signer_name="Lee Stander"
    )
    await chart.advance("completed")
    amendment = {"version": 2, "first_name": "Cy", "reason": "Given later."}
    await chart.agency.admin.expect(200, "PATCH", chart.at(PATIENT, other), json=amendment)
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await chart.writer.expect(422, "GET", f"{chart.url}/report.pdf")
    assert refused["error"]["details"]["problems"][0]["code"] == "missing"
    await chart.writer.expect(422, "GET", f"{chart.url}/report.pdf", params={"patient_id": str(uuid.uuid4())})
    assert await evidence.digest(chart.agency.tenant_id) == before
    first, second = [await content(runtime, chart, one["id"]) for one in (chart.patient, other)]
    assert [one["text"] for one in first["narratives"]] == ["Rivers only."]
    assert "Brooks" not in str(first) and "Rivers" not in str(second)
    assert (len(first["amendments"]), len(second["amendments"])) == (0, 1)
    assert ("Patient Arrived at Destination Date/Time" in said(first)) > (
        "Patient Arrived at Destination Date/Time" in said(second)
    )
    assert [one["role"] for one in second["signatures"]] == ["Patient", "Witness"]
    for report in (first, second):
        assert "Unit Disposition" in said(report)  # the incident's stands for whoever says nothing else
        assert any("other patient" in reason for reason in report["withheld"])
    keep("refusal", await pdf_of(chart, patient_id=other["id"]))


async def test_facts_of_the_call_that_are_not_this_patients_are_not_in_the_report(
    chart: Chart, runtime: Runtime
) -> None:
    """One is transported at a time of their own; the other, who refused, took their own nitroglycerin."""
    times: dict[str, Any] = {
        "depart_scene_time": "2026-03-01T10:10:00-06:00",
        "arrived_destination_time": "2026-03-01T10:30:00-06:00",
        "disposition": "4227001",
    }
    chart.head = await chart.revise(INCIDENT, chart.head, **times)
    own = "2026-03-01T10:44:00-06:00"
    transported = {"eDisposition.30": [{"value": "4230001"}]}
    one = await chart.revise(PATIENT, chart.patient, elements=transported, arrived_destination_time=own)
    refused = {"eDisposition.30": [{"value": "4230009"}], "eDisposition.27": [{"value": "4227001"}]}
    other = await chart.add(PATIENT, last_name="Second", elements=refused)
    await chart.add(
        MEDICATION, patient_id=other["id"], rxcui="4917", performed_at="2026-03-01T09:50:00-06:00",
        elements={"eMedications.10": [{"value": "9905043"}]},
    )  # fmt: skip
    arrived, left = "Patient Arrived at Destination Date/Time", "Unit Left Scene Date/Time"
    first = await content(runtime, chart, one["id"])
    assert _texts(first, arrived) == ["2026-03-01 10:44:00 CST"], "theirs alone, once"
    assert _texts(first, left) == ["2026-03-01 10:10:00 CST"], "as the call says"
    assert len(_texts(first, "Unit Disposition")) == 1, "the call's stands for whoever says nothing else"
    second = await content(runtime, chart, other["id"])
    assert _texts(second, arrived) == _texts(second, left) == []
    assert len(_texts(second, "Unit Disposition")) == 1
    assert [treatment["state"] for treatment in second["treatments"]] == ["BY THE PATIENT, NOT BY THE CREW"]


def _texts(report: dict[str, Any], label: str) -> list[str]:
    return [fact["text"] for section in report["sections"] for fact in section["facts"] if fact["label"] == label]


async def test_the_two_numbers_of_a_position_are_told_apart(chart: Chart, runtime: Runtime) -> None:
    await chart.revise(INCIDENT, chart.head, location_latitude="39.7817", location_longitude="-89.6501")
    report = await content(runtime, chart)
    assert _texts(report, "Scene GPS Location, Latitude") == ["39.7817"]
    assert _texts(report, "Scene GPS Location, Longitude") == ["-89.6501"]


async def test_who_reads_reports(chart: Chart, found: Any) -> None:
    for who in ROLES:
        answer = await chart.agency.actors[who].get(f"{chart.url}/report.pdf")
        assert answer.status_code == (403 if who == "founder" else 200), who
    await (await found()).admin.expect(404, "GET", f"{chart.url}/report.pdf")


@pytest.mark.parametrize("name", ["李明", "สมชาย", "Ana 🚑"])
async def test_what_cannot_be_printed_is_spelled_and_said_so(chart: Chart, runtime: Runtime, name: str) -> None:
    await chart.revise(PATIENT, chart.patient, last_name=name)
    report = await content(runtime, chart)
    assert report["patient"] == name
    assert (await typeset(report)).startswith(b"%PDF-")
    assert SPELLED not in report["withheld"]


async def test_a_report_that_cannot_be_printed_as_it_is_is_printed_and_says_what_it_lacks(
    chart: Chart, runtime: Runtime
) -> None:
    await sign(chart)
    report = await content(runtime, chart)
    for media_type, image in (("image/png", b"no picture"), ("image/svg+xml", b"<svg")):
        broken = [{**one, "media_type": media_type, "image": list(image)} for one in report["signatures"]]
        assert (await typeset({**report, "signatures": broken})).startswith(b"%PDF-")


def test_the_bytes_are_a_function_of_the_content() -> None:
    """Whoever typesets, and whenever."""
    report: dict[str, Any] = {
        "agency": {"name": "A", "place": "", "phone": "", "number": "1"}, "draft": False, "status": "Completed",
        "incident_number": "26-1", "patient": "Ana", "pcr": "x", "sections": [], "crew": [], "vitals": [],
        "treatments": [], "groups": [], "narratives": [], "signatures": [], "attachments": [], "amendments": [],
        "withheld": ["x"], "chart_version": "0" * 64, "last_change": "2026-03-01T10:00:00.123456+00:00",
        "zone": "America/Chicago",
    }  # fmt: skip
    here = asyncio.run(typeset(report))
    code = "import asyncio, json, sys; from app.ems.report.typesetting import typeset; " \
        "sys.stdout.buffer.write(asyncio.run(typeset(json.loads(sys.argv[1]))))"  # fmt: skip
    elsewhere = subprocess.run([sys.executable, "-c", code, json.dumps(report)], capture_output=True, check=True)
    assert elsewhere.stdout == here
    assert asyncio.run(typeset({**report, "patient": "Anna"})) != here
