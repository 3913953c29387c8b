"""A crew over HTTP and out again: one CrewGroup per member in the document of every patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.ems.elements import ElementValue
from app.nemsis.content import GroupInstance
from scripts.demo_chart import CALL
from tests.core.reference.records import PERSON
from tests.ems.charts import CREW, PATIENT
from tests.journeys.test_interventions_exported import documents, groups_of, open_chart, report_of, values
from tests.support.actors import Agency

UNLICENSED = {"last_name": "Sample", "first_name": "Robin", "licensure_level": "9925025"}


def said(group: GroupInstance) -> dict[str, list[Any]]:
    return {name: [entry.value or entry.not_value for entry in entries] for name, entries in group.elements.items()}


async def test_a_paramedic_and_two_unlicensed_drivers(agency: Agency, shared: Path) -> None:
    """As they were on the day, in the order of charting; without a licence a NOT value, the crew's own if it gave one.

    Neither the promotion nor the deleted entry shows.
    """
    chart = await open_chart(agency)
    second = await chart.add(PATIENT, **{**CALL.patient, "last_name": "Second"})
    for patient in (chart.patient, second):
        own = values(eDisposition_27="4227001", eSituation_11="I20.9")
        patient |= await chart.revise(PATIENT, patient, elements=own)
    medic = await PERSON.add(agency.admin, licensure_id="P-10231")
    tags = [{"correlation_id": "at-scene"}, {"correlation_id": "on-the-way"}]
    await chart.add(CREW, personnel_id=medic["id"], correlation_id="medic", elements={"eCrew.03": tags})
    parts: list[dict[str, Any]] = [{"elements": {"eCrew.01": [{"not_value": "7701001"}]}}, {"response_roles": None}]
    for fields in parts:
        driver = await agency.admin.expect(201, "POST", "tenants/current/personnel", json=UNLICENSED)
        await chart.add(CREW, personnel_id=driver["id"], **{"response_roles": ["2403001"], **fields})
    gone = await chart.add(CREW)
    await chart.writer.expect(204, "DELETE", chart.at(CREW, gone), params={"version": 1})
    promoted = {"version": 1, "licensure_level": "9925033", "licensure_id": "CCP-1"}
    await agency.admin.expect(200, "PATCH", f"tenants/current/personnel/{medic['id']}", json=promoted)

    for document in await documents(chart, chart.patient, second):
        crew = groups_of(report_of(document, shared), "eCrew.CrewGroup")
        assert [said(group) for group in crew] == [
            {"eCrew.01": ["P-10231"], "eCrew.02": ["9925007"], "eCrew.03": ["2403011", "2403013"]},
            {"eCrew.01": ["7701001"], "eCrew.02": ["9925025"], "eCrew.03": ["2403001"]},
            {"eCrew.01": ["7701003"], "eCrew.02": ["9925025"]},
        ]
        assert [group.correlation_id for group in crew] == ["medic", None, None]
        assert [entry.correlation_id for entry in crew[0].elements["eCrew.03"]] == ["at-scene", "on-the-way"]
        assert crew[1].elements["eCrew.01"] == [ElementValue(not_value="7701001")]


async def test_the_dictionary_names_the_fields_of_the_crew(agency: Agency) -> None:
    listed = await agency.medic.expect(200, "GET", "nemsis/dictionary", params={"section": "eCrew"})
    assert [(item["id"], item["owner"], item["internal_field"]) for item in listed["elements"]] == [
        ("eCrew.01", "crew_member", "crew_member.licensure_id"),
        ("eCrew.02", "crew_member", "crew_member.licensure_level"),
        ("eCrew.03", "crew_member", "crew_member.response_roles"),
    ]
