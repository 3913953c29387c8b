"""Medications and procedures over HTTP, given and withheld, and out again in the document of their own patient."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import asyncpg
from lxml import etree

from app.ems.elements import TARGET_BUILD, ElementValue, load_dictionary
from app.nemsis.content import GroupInstance, ReportContent
from app.nemsis.reader import read_document
from scripts.demo_chart import CALL
from tests.ems.charts import CREW, ELEMENT_GROUP, INCIDENT, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart
from tests.journeys.crew import exported
from tests.journeys.judges import xsd_errors
from tests.support.actors import Agency

Body = dict[str, Any]
NO, YES = "9923001", "9923003"
ALLERGY, CONTRAINDICATION = "8801007", "8801001"
NOT_APPLICABLE = "7701001"
MEDICATION: Body = {"type": "medication", "procedure_code": None}


AT = "2026-11-20T09:16:30-06:00"


def values(**codes: str | list[str]) -> Body:
    listed = {name.replace("_", "."): [code] if isinstance(code, str) else code for name, code in codes.items()}
    return {name: [{"value": code} for code in given] for name, given in listed.items()}


async def open_chart(agency: Agency) -> Chart:
    """A call whose head and patient lack nothing that a document needs."""
    head = await agency.medic.expect(201, "POST", "ems/incidents", json={**CALL.incident, "disposition": "4227001"})
    chart = Chart(agency, "medic", head)
    chart.patient = await chart.add(PATIENT, **CALL.patient)
    return chart


async def documents(chart: Chart, *patients: Body) -> list[bytes]:
    chart.head = await chart.revise(INCIDENT, chart.head, cleared_time="2026-11-20T10:05:00-06:00")
    await chart.advance("completed")
    return await exported(chart, *patients)


def report_of(document: bytes, shared: Path) -> ReportContent:
    assert xsd_errors(document, shared) == []
    [report] = read_document(etree.fromstring(document), load_dictionary(TARGET_BUILD)).reports
    return report


def groups_of(report: ReportContent, name: str) -> list[GroupInstance]:
    return [group for group in report.groups if group.name == name]


async def test_a_drug_and_a_procedure_with_everything_about_them(agency: Agency, shared: Path) -> None:
    """eMedications.01 to .13 and eProcedures.01 to .15, and an airway confirmation that refers to its procedure."""
    chart = await open_chart(agency)
    drug = values(
        eMedications_02=NO, eMedications_08=["3708001", "3708003"], eMedications_09="P-17", eMedications_10="9905007",
        eMedications_11="9918003", eMedications_12="Avery Example", eMedications_13=NO,
    )  # fmt: skip
    await chart.add(
        INTERVENTION, **MEDICATION, performed_at="2026-11-20T09:16:30-06:00", rxcui="1191", dose="324",
        dose_unit="3706021", route="9927035", outcome="improved", correlation_id="aspirin", elements=drug,
    )  # fmt: skip
    tube = values(
        eProcedures_02=NO, eProcedures_04="7.5", eProcedures_05="2", eProcedures_06=YES, eProcedures_07="3907033",
        eProcedures_09="P-17", eProcedures_10="9905007", eProcedures_11="9918001", eProcedures_12="Avery Example",
        eProcedures_13="3913001", eProcedures_14=["3914001"], eProcedures_15=NO,
    )  # fmt: skip
    await chart.add(
        INTERVENTION, performed_at="2026-11-20T09:20:00-06:00", procedure_code="112798008", outcome="unchanged",
        correlation_id="tube", elements=tube,
    )  # fmt: skip
    confirmation = {"ProcedureGroupCorrelationID": "tube"}
    await chart.add(
        ELEMENT_GROUP, group_name="eAirway.ConfirmationGroup", attributes=confirmation,
        elements=values(eAirway_02="2026-11-20T09:21:00-06:00", eAirway_04="4004007"),
    )  # fmt: skip

    [document] = await documents(chart, chart.patient)
    report = report_of(document, shared)
    [given] = groups_of(report, "eMedications.MedicationGroup")
    [performed] = groups_of(report, "eProcedures.ProcedureGroup")
    [confirmed] = groups_of(report, "eAirway.ConfirmationGroup")
    assert {name: [entry.value for entry in entries] for name, entries in given.elements.items()} == {
        "eMedications.01": ["2026-11-20T09:16:30-06:00"], "eMedications.02": [NO], "eMedications.03": ["1191"],
        "eMedications.04": ["9927035"], "eMedications.05": ["324"], "eMedications.06": ["3706021"],
        "eMedications.07": ["9916001"], "eMedications.08": ["3708001", "3708003"], "eMedications.09": ["P-17"],
        "eMedications.10": ["9905007"], "eMedications.11": ["9918003"], "eMedications.12": ["Avery Example"],
        "eMedications.13": [NO],
    }  # fmt: skip
    assert given.elements["eMedications.03"][0].attributes == {"CodeType": "9924003"}
    assert sorted(performed.elements) == [f"eProcedures.{number:02}" for number in range(1, 16)]
    assert {name: performed.elements[name][0].value for name in ("eProcedures.03", "eProcedures.08")} == {
        "eProcedures.03": "112798008",
        "eProcedures.08": "9916003",
    }
    assert (given.correlation_id, performed.correlation_id) == ("aspirin", "tube")
    assert confirmed.attributes == confirmation


async def test_aspirin_not_given_for_an_allergy(agency: Agency, shared: Path) -> None:
    """The drug stands with its pertinent negative; what only a given dose has is Not Applicable."""
    chart = await open_chart(agency)
    allergy = {"eMedications.03": [{"pertinent_negative": ALLERGY}]}
    made = await chart.add(INTERVENTION, **MEDICATION, rxcui="1191", elements=allergy)
    assert (made["rxcui"], made["dose"], made["elements"]) == ("1191", None, allergy)
    contraindicated = {"eProcedures.03": [{"pertinent_negative": CONTRAINDICATION}]}
    await chart.add(INTERVENTION, procedure_code="112798008", elements=contraindicated)

    [document] = await documents(chart, chart.patient)
    report = report_of(document, shared)
    [drug] = groups_of(report, "eMedications.MedicationGroup")
    [procedure] = groups_of(report, "eProcedures.ProcedureGroup")
    assert drug.elements["eMedications.03"] == [
        ElementValue(value="1191", pertinent_negative=ALLERGY, attributes={"CodeType": "9924003"})
    ]
    assert procedure.elements["eProcedures.03"] == [
        ElementValue(value="112798008", pertinent_negative=CONTRAINDICATION)
    ]
    not_given = {name for name, entries in drug.elements.items() if entries[0].not_value == NOT_APPLICABLE}
    not_done = {name for name, entries in procedure.elements.items() if entries[0].not_value == NOT_APPLICABLE}
    assert not_given == {f"eMedications.0{number}" for number in (4, 5, 6, 7, 8)}
    assert not_done == {f"eProcedures.0{number}" for number in (5, 6, 7, 8)}


async def test_a_pertinent_negative_needs_its_drug_and_one_of_its_own_codes(agency: Agency) -> None:
    chart = await Chart.open(agency)
    for fields, code in (
        ({"elements": {"eMedications.03": [{"pertinent_negative": ALLERGY}]}}, "value_missing"),
        ({"rxcui": "1191", "elements": {"eMedications.03": [{"pertinent_negative": "8801015"}]}}, None),
        ({"rxcui": "1191", "elements": {"eMedications.03": [{"not_value": "7701003"}]}}, "value_and_reason"),
        ({"rxcui": "1191", "elements": values(eMedications_03="1191")}, "value_has_a_field"),
        ({"rxcui": "1191", "elements": values(eProcedures_05="1")}, "wrong_owner"),
        ({"rxcui": "1191", "dose": "1234567890"}, None),
        ({"rxcui": "1191", "dose": "1234567.891"}, "dose_digits"),
        ({"rxcui": "1191", "dose": "-1"}, None),
    ):
        refused = await chart.add(INTERVENTION, status=422, **MEDICATION, **fields)
        codes = [problem["code"] for problem in refused["error"]["details"]["problems"]]
        assert code is None or code in codes, codes
    for dose in ("1200000", "999999999", "0.125", "123456.789"):
        made = await chart.add(INTERVENTION, **MEDICATION, rxcui="1191", dose=dose)
        assert float(made["dose"]) == float(dose)


async def test_two_places_with_one_correlation_id_are_found_before_export(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    """Charted before they were refused at save: each place is found, beside everything else."""
    chart = await open_chart(agency)
    vital = await chart.add(VITAL, correlation_id="twice")
    await chart.add(INTERVENTION, status=422, correlation_id="twice")
    drug = await chart.add(INTERVENTION)
    duplicate = "UPDATE interventions SET correlation_id = 'twice' WHERE id = $1"
    await admin_connection.execute(duplicate, uuid.UUID(drug["id"]))
    judged = await agency.medic.expect(200, "GET", f"nemsis/incidents/{chart.id}/validation")
    found = {(finding["internal_path"], finding["code"]) for finding in judged["patients"][0]["findings"]}
    assert found == {
        ("incident.cleared_time", "missing"),
        (f"vitals/{vital['id']}.correlation_id", "correlation_id_repeated"),
        (f"interventions/{drug['id']}.correlation_id", "correlation_id_repeated"),
    }


async def test_patients_of_one_incident_are_kept_apart(agency: Agency, shared: Path) -> None:
    """Each document holds its own patient's entries, and the incident's groups beside both."""
    chart = await open_chart(agency)
    second = await chart.add(PATIENT, **{**CALL.patient, "last_name": "Second"})
    for patient, tag, rate in ((chart.patient, "a", 81), (second, "b", 92)):
        about = {"patient_id": patient["id"]}
        own = values(eDisposition_27="4227001", eSituation_11="I20.9")
        patient |= await chart.revise(PATIENT, patient, elements=own)
        await chart.add(VITAL, **about, taken_at=AT, heart_rate=rate, correlation_id=f"vital-{tag}")
        await chart.add(INTERVENTION, **about, performed_at=AT, correlation_id="same-in-both")
        await chart.add(NARRATIVE, **about, narrative_text=f"Story {tag}")
        await chart.add(
            ELEMENT_GROUP, **about, group_name="eExam.AssessmentGroup", correlation_id=f"exam-{tag}", elements={}
        )
    await chart.add(CREW, correlation_id="crew")

    reports = [report_of(document, shared) for document in await documents(chart, chart.patient, second)]

    for report, name, tag, counted in zip(reports, ("Testerman", "Second"), "ab", ("81", "92"), strict=True):
        [vital] = groups_of(report, "eVitals.VitalGroup")
        [exam] = groups_of(report, "eExam.AssessmentGroup")
        [crew] = groups_of(report, "eCrew.CrewGroup")
        assert report.elements["ePatient.02"][0].value == name
        assert report.elements["eNarrative.01"][0].value == f"Story {tag}"
        assert (vital.correlation_id, vital.elements["eVitals.10"][0].value) == (f"vital-{tag}", counted)
        assert (exam.correlation_id, crew.correlation_id) == (f"exam-{tag}", "crew")
        assert len(groups_of(report, "eProcedures.ProcedureGroup")) == 1
    assert reports[0].uuid != reports[1].uuid
    assert reports[0].elements["eRecord.01"] != reports[1].elements["eRecord.01"]


async def test_a_custom_element_is_whole_and_declared_once_referred_to(agency: Agency, shared: Path) -> None:
    path = "tenants/current/custom-elements"
    whole = values(
        eCustomConfiguration_01="Station dog", eCustomConfiguration_02="Whether the dog rode along",
        eCustomConfiguration_03="9902011", eCustomConfiguration_04=NO, eCustomConfiguration_05="9903007",
    )  # fmt: skip
    partial = {name: entries for name, entries in whole.items() if not name.endswith(".05")}
    refused = await agency.admin.expect(422, "POST", path, json={"custom_element_id": "dog", "elements": partial})
    [problem] = refused["error"]["details"]["problems"]
    assert (problem["field"], problem["code"]) == ("elements.eCustomConfiguration.05", "missing")
    await agency.medic.expect(403, "POST", path, json={"custom_element_id": "dog", "elements": whole})
    for name in ("dog", "cat"):
        made = await agency.admin.expect(201, "POST", path, json={"custom_element_id": name, "elements": whole})
    again = whole | values(eCustomConfiguration_02="Whether the cat rode along")
    await agency.admin.expect(200, "PATCH", f"{path}/{made['id']}", json={"version": 1, "elements": again})
    await agency.admin.expect(422, "PATCH", f"{path}/{made['id']}", json={"version": 2, "elements": partial})

    chart = await open_chart(agency)
    result = values(eCustomResults_01="true", eCustomResults_02="cat")
    await chart.add(ELEMENT_GROUP, group_name="eCustomResults.ResultsGroup", elements=result)
    [document] = await documents(chart, chart.patient)
    report_of(document, shared)
    [declared] = read_document(etree.fromstring(document), load_dictionary(TARGET_BUILD)).custom_configuration
    assert declared.attributes == {"CustomElementID": "cat"}
    assert declared.elements["eCustomConfiguration.02"] == [ElementValue(value="Whether the cat rode along")]
