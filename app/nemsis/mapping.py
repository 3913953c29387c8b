"""The mapping of directive section 7: internal fields to NEMSIS element ids, and a chart to a document's content.

The columns (ems) declare which element each of them carries. This module declares how the values are written.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.core.addresses import without_us_code
from app.core.geography import ANSI_BY_USPS
from app.core.tenants.public import TenantRead
from app.ems.public import (
    APPROXIMATE,
    CREW_COLUMNS,
    CUSTOM_CONFIGURATION_GROUP,
    INCIDENT_COLUMNS,
    MEDICATION_COLUMNS,
    NARRATIVE_COLUMNS,
    NOT_APPLICABLE,
    NOT_RECORDED,
    PATIENT_COLUMNS,
    PRIMARY_IMPRESSION,
    PROCEDURE_COLUMNS,
    RXNORM_CODE_TYPE,
    UNIT_DISPOSITION,
    VITAL_COLUMNS,
    AgeUnit,
    CrewMemberRead,
    CustomElementRead,
    ElementGroupRead,
    ElementValue,
    Etco2Unit,
    Gender,
    IncidentRead,
    InterventionRead,
    InterventionType,
    Outcome,
    PatientChart,
    VitalRead,
    foreign_elements,
    from_json,
)
from app.nemsis.content import DocumentContent, GroupInstance, ReportContent
from app.nemsis.document import nemsis_datetime

TENANT_FIELDS: Mapping[str, str] = {
    "agency_state_id": "dAgency.01",
    "agency_number": "dAgency.02",
    "state": "dAgency.04",
    "software_creator": "eRecord.02",
    "software_name": "eRecord.03",
    "software_version": "eRecord.04",
}
SOLE_PATIENT_FIELDS: Mapping[str, str] = {"primary_impression": PRIMARY_IMPRESSION}
"""The incident's primary impression counts only for a sole patient. With several, nothing says whose it is."""
DEFAULT_FIELDS: Mapping[str, str] = {"disposition": UNIT_DISPOSITION}
"""The incident's disposition is the unit's. It holds for each patient without a disposition of their own."""
FIELDS: Mapping[str, Mapping[str, str]] = {
    "tenant": TENANT_FIELDS,
    "incident": {**INCIDENT_COLUMNS, **DEFAULT_FIELDS, **SOLE_PATIENT_FIELDS},
    "patient": PATIENT_COLUMNS,
    "vital": VITAL_COLUMNS,
    "medication": MEDICATION_COLUMNS,
    "procedure": PROCEDURE_COLUMNS,
    "narrative": NARRATIVE_COLUMNS,
    "crew_member": CREW_COLUMNS,
}
_CODES: Mapping[Any, str] = {
    Gender.FEMALE: "9919001",
    Gender.MALE: "9919003",
    Gender.UNKNOWN: "9919005",
    AgeUnit.YEARS: "2516009",
    AgeUnit.MONTHS: "2516007",
    AgeUnit.DAYS: "2516001",
    AgeUnit.HOURS: "2516003",
    AgeUnit.MINUTES: "2516005",
    Outcome.IMPROVED: "9916001",
    Outcome.UNCHANGED: "9916003",
    Outcome.WORSE: "9916005",
    Etco2Unit.MMHG: "3340001",
    Etco2Unit.PERCENT: "3340003",
    Etco2Unit.KPA: "3340005",
}

_ADDRESSES = ("home_", "location_", "destination_")

_LONGEST_CALL = dt.timedelta(days=1)

Elements = dict[str, list[ElementValue]]


def internal_field(element_id: str) -> str | None:
    """`vital.heart_rate` for eVitals.10; None for an element that is stored under its id."""
    for entity, columns in FIELDS.items():
        for column, carried in columns.items():
            if carried == element_id:
                return f"{entity}.{column}"
    return None


def lexical(column: str, value: Any, zone: dt.tzinfo) -> str:
    """A column's value in the NEMSIS lexical form; times in the agency's zone with a numeric offset."""
    if column == "state" or column.endswith("_state"):
        return ANSI_BY_USPS[value]
    if value in _CODES:
        return _CODES[value]
    if isinstance(value, dt.datetime):
        return nemsis_datetime(value, zone)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _decimal(value)
    return str(value)


def _decimal(value: Decimal) -> str:
    """The number as it was charted, zeros included. The digit limits of xs:decimal do not count trailing zeros."""
    return f"{value:f}"


def age_at(born: dt.date, on: dt.date) -> tuple[int, AgeUnit] | None:
    """Whole years from one year on, else months, else days (at least one); None outside NEMSIS's 1 to 120."""
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    years, days = months // 12, (on - born).days
    number, unit = (
        (years, AgeUnit.YEARS) if years else (months, AgeUnit.MONTHS) if months else (max(days, 1), AgeUnit.DAYS)
    )
    return (number, unit) if days >= 0 and number <= 120 else None


@dataclass
class ChartOrigins:
    """The place in the chart of each repeating group of a document: `eVitals.VitalGroup[2]` → `vitals/<id>`.

    `sole`: the incident's `SOLE_PATIENT_FIELDS` stand for the patient's own.
    """

    sole: bool
    rows: dict[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True)
class MappedReport:
    content: ReportContent
    origins: ChartOrigins


class ChartMapper:
    """Maps charts of one agency, which records `custom_elements` beyond the standard."""

    def __init__(self, tenant: TenantRead, custom_elements: Sequence[CustomElementRead] = ()) -> None:
        self._tenant = tenant
        self._custom_elements = custom_elements
        self._zone = zoneinfo.ZoneInfo(tenant.time_zone)

    def document(self, reports: Sequence[MappedReport]) -> DocumentContent:
        demographic = {
            element_id: lexical(column, getattr(self._tenant, column), self._zone)
            for column, element_id in TENANT_FIELDS.items()
            if element_id.startswith("dAgency")
        }
        contents = [report.content for report in reports]
        return DocumentContent(demographic, contents, self._custom_configuration(contents))

    def _custom_configuration(self, reports: Sequence[ReportContent]) -> list[GroupInstance]:
        """Declares custom elements in the header: only those that the reports have results of (eCustomResults.02)."""
        referred = {
            entry.value
            for report in reports
            for group in report.groups
            for entry in group.elements.get("eCustomResults.02", ())
        }
        return [
            GroupInstance(
                CUSTOM_CONFIGURATION_GROUP, _stored(item), attributes={"CustomElementID": item.custom_element_id}
            )
            for item in sorted(self._custom_elements, key=lambda item: item.custom_element_id)
            if item.custom_element_id in referred
        ]

    def report(self, chart: PatientChart, ordinal: int, count: int) -> MappedReport:
        """The PatientCareReport of patient number `ordinal` (from 1) of `count` in the incident."""
        origins = ChartOrigins(sole=count == 1)
        elements = self._report_elements(chart, ordinal, count)
        counts = _Counter(origins)
        groups: list[GroupInstance] = []
        for member in chart.crew:
            self._place(counts, groups, self._crew_member(member), f"crew/{member.id}")
        for vital in sorted(chart.vitals, key=lambda vital: _order(vital.taken_at, vital)):
            self._place(counts, groups, self._vital(vital), f"vitals/{vital.id}")
        for item in sorted(chart.interventions, key=lambda item: _order(item.performed_at, item)):
            self._place(counts, groups, self._intervention(item), f"interventions/{item.id}")
        self._element_groups(chart.element_groups, counts, groups)
        return MappedReport(ReportContent(chart.patient.pcr_uuid, elements, groups), origins)

    def _report_elements(self, chart: PatientChart, ordinal: int, count: int) -> Elements:
        incident = self._carried(chart.incident, INCIDENT_COLUMNS)
        patient = self._carried(chart.patient, PATIENT_COLUMNS)
        elements = {**self._inherited(chart, incident), **patient}
        self._locate(chart.incident, elements)
        self._derive_age(chart, elements)
        for column, element_id in TENANT_FIELDS.items():
            if element_id.startswith("eRecord"):
                elements[element_id] = [ElementValue(value=getattr(self._tenant, column))]
        elements.setdefault("eRecord.01", [ElementValue(value=_report_number(chart.incident, ordinal, count))])
        elements.setdefault("eResponse.01", [ElementValue(value=self._tenant.agency_number)])
        for column, element_id in ({**DEFAULT_FIELDS, **SOLE_PATIENT_FIELDS} if count == 1 else DEFAULT_FIELDS).items():
            value = getattr(chart.incident, column)
            if value is not None:
                elements.setdefault(element_id, [ElementValue(value=value)])
        return elements | self._narrative(chart)

    def _inherited(self, chart: PatientChart, incident: Elements) -> Elements:
        """The incident's elements without the values that are not this patient's. Reasons for a missing value stay."""
        foreign = foreign_elements(chart)
        return {
            element_id: entries
            for element_id, entries in incident.items()
            if element_id not in foreign or all(entry.value is None for entry in entries)
        }

    def _locate(self, incident: IncidentRead, elements: Elements) -> None:
        """eScene.11 joins two columns: latitude,longitude."""
        elements.pop("eScene.11", None)
        if incident.location_latitude is not None and incident.location_longitude is not None:
            place = f"{_decimal(incident.location_latitude)},{_decimal(incident.location_longitude)}"
            elements["eScene.11"] = [ElementValue(value=place)]

    def _derive_age(self, chart: PatientChart, elements: Elements) -> None:
        """ePatient.15/.16 from the date of birth, where the crew recorded no age and no reason for its absence.

        A child born on a later day than the dispatch was born during the call. Its age is one hour, because NEMSIS
        counts from 1. The pertinent negative "approximate" says that nobody measured it.
        """
        born, dispatched = chart.patient.date_of_birth, chart.incident.dispatch_time
        if born is None or dispatched is None or "ePatient.15" in elements or "ePatient.16" in elements:
            return
        called = dispatched.astimezone(self._zone).date()
        if called < born <= called + _LONGEST_CALL:
            elements["ePatient.15"] = [ElementValue(value="1", pertinent_negative=APPROXIMATE)]
            elements["ePatient.16"] = [ElementValue(value=_CODES[AgeUnit.HOURS])]
            return
        age = age_at(born, called)
        if age is not None:
            number, unit = age
            elements["ePatient.15"] = [ElementValue(value=str(number))]
            elements["ePatient.16"] = [ElementValue(value=_CODES[unit])]

    def _narrative(self, chart: PatientChart) -> Elements:
        """eNarrative.01 occurs once, so several narratives are joined in the order in which they were written."""
        texts = [narrative.narrative_text for narrative in chart.narratives if narrative.narrative_text]
        if texts:
            return {"eNarrative.01": [ElementValue(value="\n\n".join(texts))]}
        return {
            element_id: values for narrative in chart.narratives for element_id, values in _stored(narrative).items()
        }

    def _crew_member(self, member: CrewMemberRead) -> GroupInstance:
        """The group of a crew member. Someone without a license (a driver) has Not Recorded in eCrew.01 and .02."""
        elements = self._carried(member, CREW_COLUMNS)
        for element_id in ("eCrew.01", "eCrew.02"):
            elements.setdefault(element_id, [ElementValue(not_value=NOT_RECORDED)])
        return GroupInstance("eCrew.CrewGroup", elements, member.correlation_id)

    def _vital(self, vital: VitalRead) -> GroupInstance:
        elements = self._carried(vital, VITAL_COLUMNS)
        if vital.etco2 is not None and vital.etco2_unit is not None:
            _set_attribute(elements, "eVitals.16", "ETCO2Type", _CODES[vital.etco2_unit])
        return GroupInstance("eVitals.VitalGroup", elements, vital.correlation_id)

    def _intervention(self, item: InterventionRead) -> GroupInstance:
        if item.type is InterventionType.PROCEDURE:
            elements = self._carried(item, PROCEDURE_COLUMNS)
            return GroupInstance("eProcedures.ProcedureGroup", elements, item.correlation_id)
        elements = self._carried(item, MEDICATION_COLUMNS)
        if item.rxcui is not None:
            _set_attribute(elements, "eMedications.03", "CodeType", RXNORM_CODE_TYPE)
        return GroupInstance("eMedications.MedicationGroup", elements, item.correlation_id)

    def _carried(self, entry: Any, columns: Mapping[str, str]) -> Elements:
        """Stored elements, with the columns' values beside their pertinent negatives and attributes.

        A list becomes several entries of the element. Each value joins the stored entry at its own position.
        """
        elements = _stored(entry)
        uncoded = _uncoded(entry)
        for column, element_id in columns.items():
            value = getattr(entry, column)
            if column in uncoded:
                elements.setdefault(element_id, [ElementValue(not_value=NOT_APPLICABLE)])
            elif value is not None:
                listed = value if isinstance(value, list) else [value]
                beside = [*elements.get(element_id, ()), *(ElementValue() for _ in listed)]
                elements[element_id] = [
                    stored.model_copy(update={"value": lexical(column, item, self._zone)})
                    for stored, item in zip(beside, listed, strict=False)
                ]
        return elements

    def _element_groups(self, rows: Sequence[ElementGroupRead], counts: _Counter, groups: list[GroupInstance]) -> None:
        children: dict[Any, list[ElementGroupRead]] = {}
        for row in rows:
            children.setdefault(row.parent_id, []).append(row)

        def instance(row: ElementGroupRead, path: tuple[str, ...]) -> GroupInstance:
            here = counts.next(path, row.group_name, f"element-groups/{row.id}")
            nested = [instance(child, here) for child in children.get(row.id, ())]
            return GroupInstance(row.group_name, _stored(row), row.correlation_id, row.attributes or {}, nested)

        groups.extend(instance(row, ()) for row in children.get(None, ()))

    def _place(self, counts: _Counter, groups: list[GroupInstance], instance: GroupInstance, location: str) -> None:
        counts.next((), instance.name, location)
        groups.append(instance)


class _Counter:
    """Numbers the instances of repeating groups in the same way as the document."""

    def __init__(self, origins: ChartOrigins) -> None:
        self._origins = origins
        self._counts: dict[tuple[str, ...], int] = {}

    def next(self, path: tuple[str, ...], name: str, location: str) -> tuple[str, ...]:
        key = (*path, name)
        self._counts[key] = self._counts.get(key, 0) + 1
        numbered = (*path, f"{name}[{self._counts[key]}]")
        self._origins.rows[numbered] = location
        return numbered


def _stored(entry: Any) -> Elements:
    return from_json(entry.elements)


def _uncoded(entry: Any) -> frozenset[str]:
    """The columns of addresses that NEMSIS has no code for: a province, a postal code abroad, a military state."""
    return frozenset(
        prefix + part
        for prefix in _ADDRESSES
        if hasattr(entry, f"{prefix}country")
        for part in without_us_code(getattr(entry, f"{prefix}country"), getattr(entry, f"{prefix}state"))
    )


def _set_attribute(elements: Elements, element_id: str, name: str, code: str) -> None:
    first = elements[element_id][0]
    elements[element_id] = [first.model_copy(update={"attributes": {**(first.attributes or {}), name: code}})]


def _order(moment: dt.datetime | None, entry: Any) -> tuple[dt.datetime, dt.datetime, Any]:
    return (moment or dt.datetime.min.replace(tzinfo=dt.UTC), entry.created_at, entry.id)


def _report_number(incident: IncidentRead, ordinal: int, count: int) -> str:
    """eRecord.01: the incident number, with the patient's number if there are several (at most 50 characters)."""
    return incident.incident_number if count == 1 else f"{incident.incident_number[:46]}-{ordinal}"
