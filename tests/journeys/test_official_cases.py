"""The five official 2025 pre-testing cases: charted over HTTP in full, and out again with the same content."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from app.ems.elements import TARGET_BUILD, load_dictionary
from app.nemsis.reader import read_document
from scripts.demo_call import PEOPLE, Player
from tests.journeys.judges import xsd_errors
from tests.support.actors import Agency
from tests.support.official_case import OfficialCase
from tests.support.xml_trees import differences, tree_of

DIRECTORY = "nemsis/samples/pretesting_2025/national"
CASES = {"1-Overdose": 197, "2-Suicide": 220, "3-MVC": 279, "4-eBike": 268, "5-CPMIH": 156}
"""With the number of their leaves: nothing is compared in vain."""
EXPECTED_DIFFERENCES = {
    "/EMSDataSet/@schemaLocation": "the cases declare an older build of the standard than the one we write",
    "/EMSDataSet/Header/PatientCareReport/@UUID": "a report of ours has a UUID of ours, made once and never reused",
}


TOTAL_GCS = "added /EMSDataSet/Header/PatientCareReport/eVitals/eVitals.VitalGroup/eVitals.GlasgowScoreGroup/eVitals.23"
"""The sum of the three parts, which the cases leave out: derived wherever all parts are recorded."""
GCS_PARTS = ("eVitals.19", "eVitals.20", "eVitals.21")


def scored_vitals(root: etree._Element) -> int:
    """How many sets of vital signs record all parts of the GCS."""
    groups = root.iter("{*}eVitals.GlasgowScoreGroup")
    return sum(all(group.findtext(f"{{*}}{part}") for part in GCS_PARTS) for group in groups)


async def chart_and_export(agency: Agency, root: etree._Element) -> bytes:
    """The document of the case's only report, after charting, review and lock."""
    content = read_document(root, load_dictionary(TARGET_BUILD))
    (report,) = content.reports
    case = OfficialCase(content.demographic, report)
    profile = await agency.admin.expect(200, "GET", "tenants/current")
    header = case.tenant | {"time_zone": "America/New_York", "version": profile["version"]}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=header)
    player = Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)
    incident, _ = await player.chart(case.call(scene={}, patient={}, claim={}))
    _, document = await player.export(await player.review(incident))
    return document


@pytest.mark.parametrize("name", CASES)
async def test_an_official_case_leaves_as_it_came(agency: Agency, shared: Path, name: str) -> None:
    original = etree.parse(str(shared / DIRECTORY / f"2025-EMS-{name}_v351.xml")).getroot()
    assert sum(1 for node in original.iter("*") if len(node) == 0) == CASES[name]

    document = await chart_and_export(agency, original)

    assert xsd_errors(document, shared) == []
    found = differences(tree_of(etree.fromstring(document)), tree_of(original))
    expected = [f"changed {path}" for path in EXPECTED_DIFFERENCES] + [TOTAL_GCS] * scored_vitals(original)
    assert sorted(found) == sorted(expected)
