"""Every NEMSIS element of a chart can be recorded through the API and is read back as it was given."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from app.ems.custom_elements.schemas import EXAMPLE
from app.ems.elements import TARGET_BUILD, ElementDefinition, Owner, load_dictionary, owner_of, repeating_group_of
from app.ems.public import (
    CREW_COLUMNS,
    INCIDENT_COLUMNS,
    MEDICATION_COLUMNS,
    NARRATIVE_COLUMNS,
    PATIENT_COLUMNS,
    PROCEDURE_COLUMNS,
    REPEATING_GROUPS,
    VITAL_COLUMNS,
)
from tests.ems.charts import CREW, ELEMENT_GROUP, INCIDENT, INTERVENTION, NARRATIVE, PATIENT, VITAL, Chart, Kind
from tests.support.actors import Agency

MEDICATION = Kind("intervention", "interventions", {"type": "medication"}, {})
HOMES: dict[Owner, tuple[Kind, Any]] = {
    Owner.INCIDENT: (INCIDENT, INCIDENT_COLUMNS),
    Owner.PATIENT: (PATIENT, PATIENT_COLUMNS),
    Owner.VITAL: (VITAL, VITAL_COLUMNS),
    Owner.INTERVENTION_MEDICATION: (MEDICATION, MEDICATION_COLUMNS),
    Owner.INTERVENTION_PROCEDURE: (INTERVENTION, PROCEDURE_COLUMNS),
    Owner.NARRATIVE: (NARRATIVE, NARRATIVE_COLUMNS),
    Owner.CREW_MEMBER: (CREW, CREW_COLUMNS),
}
PROFILE = {
    "dAgency.01": ("agency_state_id", "IL-0042"),
    "dAgency.02": ("agency_number", "0042"),
    "dAgency.04": ("state", "IL"),
    "eRecord.02": ("software_creator", "FusionEMS"),
    "eRecord.03": ("software_name", "Quantum"),
    "eRecord.04": ("software_version", "9.9"),
}
"""The document's header comes from the agency's profile; eCustomConfiguration is not there yet."""
COLUMN_VALUES: dict[str, Any] = {
    "age_unit": "years", "gender": "male", "date_of_birth": "1980-02-29", "outcome": "worse", "etco2_unit": "kPa",
    "location_latitude": "39.781700", "location_longitude": "-89.650100", "rxcui": "1191", "temperature_c": "36.6",
    "location_country": "US", "home_country": "US", "destination_country": "US",
    "etco2": "5.5", "gcs_eye": 4, "gcs_verbal": 5, "gcs_motor": 6, "gcs_total": 15, "dose": "324.000",
}  # fmt: skip
LAST_FOUR = "ePatient.12"
"""What is not read back as it was given: a Social Security number."""
STATES = {"home_state", "location_state", "destination_state"}
CANDIDATES = (
    "Sample", "3", "110", "17167", "62701", "2026-03-01T10:00:00-06:00", "2026-03-01", "39.7817,-89.6501", "R07.9",
    "I21.9", "Y92.009", "Y93.01", "W19", "392230005", "16SCJ1234567890", "17", "17167000100", "123456789",
    "217-555-0100", "a@example.org", "U2FtcGxl", "2001", "02HV",
)  # fmt: skip


def valid_value(definition: ElementDefinition) -> str:
    """A value that the element's type accepts: its first code, or the first candidate that fits."""
    if definition.type.codes:
        return next(iter(definition.type.codes))
    return next(value for value in CANDIDATES if definition.type.violation(value) is None)


def column_value(column: str, definition: ElementDefinition) -> Any:
    """In the form of the column: a number, an enumeration's word, a USPS state, a time in UTC."""
    if column in STATES:
        return "IL"
    if column in COLUMN_VALUES:
        return COLUMN_VALUES[column]
    if definition.type.base == "dateTime":
        return "2026-03-01T16:00:00Z"
    value = valid_value(definition)
    is_number = definition.type.base == "integer" and column != "procedure_code"
    return int(value) if is_number or column == "diastolic_bp" else value


def entries_of(definition: ElementDefinition) -> list[dict[str, Any]]:
    """One entry; for an element that repeats two, the second with a correlation id where there may be one."""
    entry: dict[str, Any] = {"value": valid_value(definition)}
    if definition.max_occurs == 1:
        return [entry]
    tagged = {"correlation_id": "c-" + definition.id.replace(".", "-")} if definition.accepts_correlation_id else {}
    return [entry, {**entry, **tagged}]


async def record_all(chart: Chart) -> set[str]:
    """Record every element of the dictionary in its home; the ids of those that were read back identically."""
    recorded: set[str] = set()
    await _define_custom_element(chart)
    by_home: dict[tuple[Owner, str | None], list[ElementDefinition]] = defaultdict(list)
    for definition in load_dictionary(TARGET_BUILD).elements.values():
        by_home[owner_of(definition.id), repeating_group_of(definition.id)].append(definition)
    groups: dict[str, str] = {}
    for (owner, group), definitions in sorted(by_home.items(), key=lambda item: len(_nesting(item[0][1]))):
        if owner is Owner.TENANT:
            continue
        if group is None:
            kind, columns = HOMES[owner]
            fields = await _record_in_entity(chart, kind, columns, definitions)
        else:
            fields = await _record_in_group(chart, owner, group, definitions, groups)
        recorded |= fields
    return recorded


async def _define_custom_element(chart: Chart) -> None:
    """The one that the recorded result names."""
    named = valid_value(load_dictionary(TARGET_BUILD).elements["eCustomResults.02"])
    body = {"custom_element_id": named, "elements": EXAMPLE}
    await chart.agency.admin.expect(201, "POST", "tenants/current/custom-elements", json=body)


def _nesting(group: str | None) -> list[str]:
    """The repeating groups around `group`, so that outer ones are made first."""
    found: list[str] = []
    while group is not None and group in REPEATING_GROUPS:
        found.append(group)
        group = REPEATING_GROUPS[group].parent_group
    return found


async def _record_in_entity(chart: Chart, kind: Kind, columns: Any, definitions: list[ElementDefinition]) -> set[str]:
    carried = set(columns.values())
    elements = {item.id: entries_of(item) for item in definitions if item.id not in carried}
    dictionary = load_dictionary(TARGET_BUILD).elements
    values = {column: column_value(column, dictionary[element_id]) for column, element_id in columns.items()}
    if kind is VITAL:
        values["etco2_unit"] = COLUMN_VALUES["etco2_unit"]
    if kind is INTERVENTION:
        values["type"] = "procedure"
    bare = Kind(kind.noun, kind.path, {}, {}, kind.needs_patient)
    body = {**chart.body(bare), **({"type": "medication"} if kind is MEDICATION else {}), **values}
    if kind is CREW:
        await chart.ready(kind)
        values = {name: chart.person[name] for name in ("licensure_id", "licensure_level")}
        values["response_roles"] = ["2403001", "2403013"]
        body = {"personnel_id": chart.person["id"], "response_roles": values["response_roles"]}
    url = "ems/incidents" if kind is INCIDENT else chart.at(kind)
    made = await chart.writer.expect(201, "POST", url, json={**body, "elements": elements})
    read = await chart.writer.expect(200, "GET", f"{url}/{made['id']}")
    assert {name: read[name] for name in values} == values
    shown = {
        name: [{**entry, "value": f"*****{entry['value'][-4:]}"} for entry in entries] if name == LAST_FOUR else entries
        for name, entries in elements.items()
    }
    assert read["elements"] == shown
    return {item.id for item in definitions}


async def _record_in_group(
    chart: Chart, owner: Owner, group: str, definitions: list[ElementDefinition], made: dict[str, str]
) -> set[str]:
    elements = {item.id: entries_of(item) for item in definitions}
    parent = REPEATING_GROUPS[group].parent_group
    row = await chart.add(
        ELEMENT_GROUP,
        group_name=group,
        patient_id=None if owner is Owner.INCIDENT else chart.patient["id"],
        parent_id=None if parent is None else made[parent],
        correlation_id="g-" + group.replace(".", "-"),
        elements=elements,
    )
    made[group] = row["id"]
    read = await chart.writer.expect(200, "GET", chart.at(ELEMENT_GROUP, row))
    assert (read["group_name"], read["elements"]) == (group, elements)
    return set(elements)


async def record_profile(agency: Agency) -> set[str]:
    profile = await agency.admin.expect(200, "GET", "tenants/current")
    fields: dict[str, Any] = dict(PROFILE.values())
    await agency.admin.expect(200, "PATCH", "tenants/current", json={"version": profile["version"], **fields})
    read = await agency.admin.expect(200, "GET", "tenants/current")
    assert {name: read[name] for name in fields} == fields
    return set(PROFILE)


async def test_every_element_of_the_chart(chart: Chart) -> None:
    tenant = {element for element in load_dictionary(TARGET_BUILD).elements if owner_of(element) is Owner.TENANT}
    assert await record_all(chart) == set(load_dictionary(TARGET_BUILD).elements) - tenant


async def test_every_national_element(chart: Chart, shared: Path) -> None:
    """The 148 of the official list, the deprecated ePatient.13 among them."""
    lines = (shared / "nemsis" / "national_ems.txt").read_text().splitlines()
    national = {line.split()[0] for line in lines if line.strip() and not line.strip().startswith("<")}
    assert (len(national), "ePatient.13" in national) == (148, True)
    assert national <= await record_all(chart) | await record_profile(chart.agency)


@pytest.mark.parametrize("kind", [INCIDENT, PATIENT, VITAL, INTERVENTION, MEDICATION, NARRATIVE], ids=lambda k: k.noun)
async def test_every_not_value_and_pertinent_negative(chart: Chart, kind: Kind) -> None:
    """Each permitted reason for a missing value, on every element of an entity that has no value in a column."""
    owner, columns = next((owner, columns) for owner, (home, columns) in HOMES.items() if home is kind)
    given = {name: value for name, value in chart.body(kind).items() if name not in columns}
    body = dict(INCIDENT.body) if kind is INCIDENT else given
    carried = {element for column, element in columns.items() if column in body}
    url = "ems/incidents" if kind is INCIDENT else chart.at(kind)
    entry = await chart.writer.expect(201, "POST", url, json=body)
    definitions = [
        definition
        for definition in load_dictionary(TARGET_BUILD).elements.values()
        if owner_of(definition.id) is owner
        and repeating_group_of(definition.id) is None
        and definition.id not in carried
    ]
    reasons = {
        definition.id: [{"not_value": code} for code in definition.not_values]
        + [
            {"pertinent_negative": code}
            for code in definition.pertinent_negatives
            if not definition.pertinent_negative_needs_value(code)
        ]
        for definition in definitions
    }
    for number in range(max(map(len, reasons.values()))):
        elements = {element: [marks[number]] for element, marks in reasons.items() if number < len(marks)}
        saved = await chart.writer.expect(
            200, "PATCH", f"{url}/{entry['id']}", json={"version": entry["version"], "elements": elements}
        )
        assert {element: saved["elements"][element] for element in elements} == elements
        entry = saved
