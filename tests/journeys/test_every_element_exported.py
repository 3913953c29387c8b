"""All 453 elements: charted over HTTP in every form that the standard allows each, and out again in the document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from app.ems.elements import Owner, owner_of, repeating_group_of, to_json
from app.nemsis.content import Elements, GroupInstance, ReportContent
from app.nemsis.reader import read_document
from scripts.demo_call import PEOPLE, Player
from tests.ems.charts import CREW, ELEMENT_GROUP, INCIDENT, INCIDENTS, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart
from tests.journeys.judges import xsd_errors
from tests.support.actors import Agency
from tests.support.every_element import (
    DICTIONARY,
    ROUNDS,
    custom_configuration,
    element_ids,
    forms,
    reasons,
    report_of_round,
)
from tests.support.official_case import OfficialCase, comparable, group_body

Body = dict[str, Any]
DEMOGRAPHIC = {"dAgency.01": "IL-0042", "dAgency.02": "0042", "dAgency.04": "17"}
HEADER_GROUP = "eCustomConfiguration.CustomGroup"
ALWAYS_GIVEN = {
    "eResponse.03": "the incident number is the chart's own name: there is no chart without one",
    "eRecord.01": "mandatory", "eRecord.02": "mandatory", "eRecord.03": "mandatory", "eRecord.04": "mandatory",
}  # fmt: skip


def planned(number: int) -> ReportContent:
    report = report_of_round(number)
    kept = {name: forms(DICTIONARY.elements[name])[0] for name in ALWAYS_GIVEN}
    return ReportContent(report.uuid, {**report.elements, **kept}, report.groups)


async def chart_report(agency: Agency, case: OfficialCase, report: ReportContent) -> Body:
    """The incident with everything that the report holds, nested groups in their places; in_progress."""
    call = case.call(scene={}, patient={}, claim={})
    flat = Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)
    call.incident_groups.clear()
    call.patient_groups.clear()
    incident, patient = await flat.chart(call)

    async def add(group: GroupInstance, parent_id: str | None) -> None:
        whose = None if owner_of(next(iter(element_ids({}, [group])))) is Owner.INCIDENT else patient["id"]
        body = group_body(group) | {"patient_id": whose, "parent_id": parent_id}
        url = f"ems/incidents/{incident['id']}/element-groups"
        made = await agency.medic.expect(201, "POST", url, json=body)
        for child in group.children:
            await add(child, made["id"])

    for group in case.groups:
        await add(group, None)
    return incident


def shown(elements: Elements, groups: Sequence[GroupInstance]) -> Any:
    """What a document says, comparable: times as instants, groups of one name in order."""
    instances = defaultdict(list)
    for group in groups:
        instances[group.name].append(
            (group.correlation_id, dict(group.attributes), shown(group.elements, group.children))
        )
    return {name: comparable(entries) for name, entries in elements.items()}, dict(instances)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_every_form_of_every_element(agency: Agency, shared: Path, number: int) -> None:
    report, configuration = planned(number), custom_configuration()
    case = OfficialCase(DEMOGRAPHIC, report)
    profile = await agency.admin.expect(200, "GET", "tenants/current")
    await agency.admin.expect(200, "PATCH", "tenants/current", json=case.tenant | {"version": profile["version"]})
    [referred] = {entry.value for group in report.groups for entry in group.elements.get("eCustomResults.02", ())}
    custom = {"custom_element_id": referred, "elements": to_json(configuration)}
    await agency.admin.expect(201, "POST", "tenants/current/custom-elements", json=custom)

    incident = await chart_report(agency, case, report)
    player = Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)
    _, document = await player.export(await player.review(incident))

    assert xsd_errors(document, shared) == []
    content = read_document(etree.fromstring(document), DICTIONARY)
    [written] = content.reports
    assert shown(written.elements, written.groups) == shown(report.elements, report.groups)
    [header] = content.custom_configuration
    assert (header.attributes, shown(header.elements, ())) == ({"CustomElementID": referred}, shown(configuration, ()))
    assert content.demographic == DEMOGRAPHIC
    everything = element_ids(written.elements, [*written.groups, header]) | content.demographic.keys()
    assert everything == DICTIONARY.elements.keys()
    assert len(everything) == 453


def test_the_rounds_hold_every_reason() -> None:
    """Each NOT value and pertinent negative of each element stands in some round, but for what is always given."""
    rounds = [planned(number) for number in range(ROUNDS)]

    def held(elements: Elements, groups: Sequence[GroupInstance]) -> set[tuple[str, str | None, str | None]]:
        here = {(name, entry.not_value, entry.pertinent_negative) for name in elements for entry in elements[name]}
        return here.union(*(held(group.elements, group.children) for group in groups))

    found = set().union(*(held(report.elements, report.groups) for report in rounds))
    wanted = {
        (definition.id, reason.not_value, reason.pertinent_negative)
        for definition in DICTIONARY.elements.values()
        for reason in reasons(definition)
    }
    assert {name for name, *_ in wanted - found} == {"eResponse.03"}
    assert len(wanted) > 500


async def test_one_more_than_may_be_is_refused(agency: Agency) -> None:
    """Every element of the chart that does not repeat without bound, once too often."""
    chart = await Chart.open(agency)
    homes: dict[tuple[Owner, str | None], dict[str, Any]] = defaultdict(dict)
    for definition in DICTIONARY.elements.values():
        owner = owner_of(definition.id)
        if owner is not Owner.TENANT and definition.max_occurs is not None:
            entries = to_json({definition.id: [*forms(definition)[0]] * (definition.max_occurs + 1)})
            homes[owner, repeating_group_of(definition.id)] |= entries
    kinds: dict[Owner, tuple[Any, Body]] = {
        Owner.INCIDENT: (INCIDENT, {}),
        Owner.PATIENT: (PATIENT, {}),
        Owner.VITAL: (VITAL, {}),
        Owner.INTERVENTION_MEDICATION: (INTERVENTION, {"type": "medication", "procedure_code": None}),
        Owner.INTERVENTION_PROCEDURE: (INTERVENTION, {}),
        Owner.NARRATIVE: (NARRATIVE, {}),
        Owner.CREW_MEMBER: (CREW, {}),
    }
    refused = set()
    for (owner, group), elements in homes.items():
        kind, fields = kinds[owner] if group is None else (ELEMENT_GROUP, {"group_name": group})
        url = INCIDENTS if kind is INCIDENT else chart.at(kind)
        await chart.ready(kind)
        names = sorted(elements)
        for some in (names[at : at + 50] for at in range(0, len(names), 50)):  # an answer names a hundred problems
            body = {**chart.body(kind, **fields), "elements": {name: elements[name] for name in some}}
            answer = await chart.writer.expect(422, "POST", url, json=body)
            refused |= {
                problem["field"].removeprefix("elements.")
                for problem in answer["error"]["details"]["problems"]
                if problem["code"] == "too_many"
            }
    bounded = {name for elements in homes.values() for name in elements}
    assert refused == bounded
    assert len(bounded) > 300
