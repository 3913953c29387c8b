"""Every national element can be charted through the API and comes out in the document."""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from app.ems.elements import TARGET_BUILD, ElementValue, load_dictionary
from app.nemsis.content import Elements, GroupInstance, ReportContent
from app.nemsis.reader import read_document
from scripts.demo_call import PEOPLE, Player
from tests.journeys.judges import xsd_errors
from tests.support.actors import Agency
from tests.support.official_case import OfficialCase, comparable

DEPRECATED = {"ePatient.13": [ElementValue(value="9906001")]}


def _national(shared: Path) -> set[str]:
    listed = (shared / "nemsis" / "national_ems.txt").read_text()
    return set(re.findall(r"^ *([de][A-Z][A-Za-z]+\.\d\d) ", listed, re.MULTILINE))


def _values(elements: Elements, groups: list[GroupInstance]) -> dict[str, list[ElementValue]]:
    """Entries of every element, those of all instances of a group together."""
    found = {name: comparable(entries) for name, entries in elements.items()}
    for group in groups:
        for name, entries in _values(group.elements, list(group.children)).items():
            found.setdefault(name, []).extend(entries)
    return found


async def test_every_national_element_is_charted_and_exported(agency: Agency, shared: Path) -> None:
    national = _national(shared)
    assert len(national) == 148
    root = etree.parse(str(shared / "nemsis" / "samples" / "example_ems.xml")).getroot()
    content = read_document(root, load_dictionary(TARGET_BUILD))
    (example,) = content.reports
    report = ReportContent(example.uuid, {**example.elements, **DEPRECATED}, example.groups)
    case = OfficialCase(content.demographic, report)
    profile = await agency.admin.expect(200, "GET", "tenants/current")
    await agency.admin.expect(200, "PATCH", "tenants/current", json=case.tenant | {"version": profile["version"]})
    player = Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)

    incident, _ = await player.chart(case.call(scene={}, patient={}, claim={}))
    _, document = await player.export(await player.review(incident))

    assert xsd_errors(document, shared) == []
    exported = read_document(etree.fromstring(document), load_dictionary(TARGET_BUILD))
    (written,) = exported.reports
    charted = _values(report.elements, list(report.groups))
    answered = _values(written.elements, list(written.groups))
    header = {name for name in national if name.startswith("dAgency")}
    assert {name: exported.demographic[name] for name in header} == {name: content.demographic[name] for name in header}
    assert {name: answered.get(name) for name in national - header} == {
        name: charted.get(name) for name in national - header
    }
