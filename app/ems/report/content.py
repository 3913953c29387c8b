"""The content of a report as its template reads it: plain JSON, and the same for the same chart."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from app.ems.elements import PER_PATIENT, SECTIONS
from app.ems.history.schemas import AmendmentRead
from app.ems.incidents.models import Incident
from app.ems.interventions.models import MEDICATION_COLUMNS, PROCEDURE_COLUMNS, InterventionType
from app.ems.interventions.schemas import InterventionRead
from app.ems.lifecycle import IncidentStatus
from app.ems.meanings import Meaning, meaning_of_intervention
from app.ems.parts import (
    CREW_MEMBER,
    ELEMENT_GROUP,
    INCIDENT,
    INTERVENTION,
    NARRATIVE,
    PART_OF,
    PATIENT,
    VITAL,
    ChartPart,
)
from app.ems.patient_charts import PatientChart
from app.ems.patient_facts import PRIMARY_IMPRESSION, UNIT_DISPOSITION, inherits, says_itself
from app.ems.patients.identifiers import SOCIAL_SECURITY_NUMBER, shown_elements
from app.ems.report.material import Material
from app.ems.report.wording import Wording, plain_number
from app.ems.signatures.lifecycle import SignatureStatus
from app.ems.signatures.models import SignerRole, StatementCode
from app.ems.vitals.schemas import VitalRead

Json = dict[str, Any]
STATEMENTS: Mapping[StatementCode, str] = {
    StatementCode.CONSENT_TO_TREAT: "Consent to treatment and transport",
    StatementCode.ASSIGNMENT_OF_BENEFITS: "Assignment of benefits",
    StatementCode.REFUSAL: "Refusal of treatment or transport",
    StatementCode.RECEIPT_OF_PRIVACY_NOTICE: "Receipt of the notice of privacy practices",
    StatementCode.CREW_ATTESTATION: "Attestation of the crew",
}
_STATUSES: Mapping[IncidentStatus, str] = {
    IncidentStatus.DRAFT: "DRAFT: being written",
    IncidentStatus.IN_PROGRESS: "DRAFT: being written",
    IncidentStatus.READY_FOR_REVIEW: "DRAFT: waiting for its review",
    IncidentStatus.COMPLETED: "Completed",
    IncidentStatus.LOCKED: "Completed and locked",
}
_TECHNICAL = frozenset({"pcr_uuid", "created_by", "status", "allowed_actions", "completed_at", "incident_id"})
_IDS = frozenset({"vehicle_id", "origin_facility_id", "destination_facility_id"})
_NAMED = _IDS | {"vehicle", "origin_facility", "destination_facility"}
"""Columns of records that a chart names. The report says what it takes from them."""
_IN_PLACE = frozenset({"patient_id", "parent_id", "group_name", "correlation_id", "attributes", "warnings", "type"})
_ANALYSIS = frozenset({"ai_suggestions_json", "ai_score"})
_GCS = ("gcs_eye", "gcs_verbal", "gcs_motor")
_STATES: Mapping[Meaning, str] = {
    Meaning.BEFORE_ARRIVAL: "BEFORE THIS UNIT'S CARE",
    Meaning.PATIENTS_OWN: "BY THE PATIENT, NOT BY THE CREW",
    Meaning.BY_OTHERS: "BY A BYSTANDER, NOT BY THE CREW",
    Meaning.ATTEMPTED_FAILED: "ATTEMPTED, NOT SUCCESSFUL",
}
"""What a treatment says first, if the crew did not simply do it."""


def content_of(material: Material) -> Json:
    """The whole report as JSON: texts, numbers, lists and objects."""
    return _Report(material).content()


class _Report:
    def __init__(self, material: Material) -> None:
        self._material = material
        self._words = Wording(ZoneInfo(material.tenant.time_zone), material.names)
        self._marks: dict[uuid.UUID, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for number, amendment in enumerate(material.amendments, start=1):
            for change in amendment.changes:
                self._marks[amendment.entity_id][change.field].append(number)

    def content(self) -> Json:
        material, chart = self._material, self._material.chart
        tenant, patient = material.tenant, chart.patient
        place = ", ".join(filter(None, (tenant.street, tenant.city, f"{tenant.state} {tenant.zip or ''}".strip())))
        names = (patient.first_name, patient.middle_name, patient.last_name, patient.name_suffix)
        return {
            "agency": {
                "name": tenant.trade_name or tenant.legal_name,
                "place": place,
                "phone": tenant.phone or "",
                "number": tenant.agency_number,
            },
            "draft": material.is_draft,
            "status": self._status(),
            "incident_number": chart.incident.incident_number,
            "patient": "No patient" if chart.of_call else " ".join(filter(None, names)) or "Name not recorded",
            "pcr": str(patient.pcr_uuid),
            "sections": self._sections(),
            "crew": [self._member(member) for member in chart.crew],
            "vitals": [self._vital(vital) for vital in _in_time(chart.vitals, "taken_at")],
            "treatments": [self._treatment(one) for one in _in_time(chart.interventions, "performed_at")],
            "groups": list(self._groups()),
            "narratives": [
                {
                    "written": self._words.time(narrative.created_at),
                    "text": narrative.narrative_text or "",
                    "facts": self._facts(NARRATIVE, narrative, without={"narrative_text", *_ANALYSIS}),
                    "marks": self._marked(narrative.id, "narrative_text"),
                }
                for narrative in chart.narratives
            ],
            "signatures": list(self._signatures()),
            "attachments": [
                f"{one.file_name or one.description or 'Without a name'} ({one.file_type.value})"
                for one in material.attachments
            ],
            "amendments": [self._amendment(*numbered) for numbered in enumerate(material.amendments, start=1)],
            "withheld": list(self._withheld()),
            "chart_version": material.chart_version(),
            "last_change": max(entry.updated_at for _, entry in material.entries()).isoformat(),
            "zone": tenant.time_zone,
        }

    def _status(self) -> str:
        incident, review = self._material.chart.incident, self._material.review
        words = _STATUSES[incident.status]
        if self._material.is_draft or review is None or review.decided_at is None:
            return words
        reviewer = self._name(review.decided_by)
        return f"{words}; reviewed by {reviewer}, {self._words.time(review.decided_at)}"

    def _name(self, person_id: uuid.UUID | None) -> str:
        return "the system" if person_id is None else self._material.people.get(person_id, "somebody no longer known")

    def _marked(self, entry_id: uuid.UUID, *fields: str) -> list[int]:
        """The numbers of the amendments that changed one of the fields."""
        marks = self._marks.get(entry_id)
        return [] if marks is None else sorted({number for name in fields for number in marks.get(name, ())})

    def _facts(self, part: ChartPart[Any, Any], entry: Any, *, without: Iterable[str] = ()) -> list[Json]:
        """The fields of an entry that have a text, in the order of NEMSIS: label, text, element, amendments."""
        words, carried = self._words, _carried(part, entry)
        hidden = _TECHNICAL | _NAMED | _IN_PLACE | set(without)
        elements = dict(shown_elements(entry.elements))
        facts: list[Json] = []
        for column in part.shown:
            value = getattr(entry, column)
            if column in hidden:
                continue
            element_id = words.element_of(column, carried)
            beside = elements.pop(element_id, []) if column in carried and element_id is not None else []
            if value is None and not beside:
                continue
            if beside and element_id is not None and not isinstance(value, list):
                text = words.entries(element_id, beside, value)
            else:
                text = words.column(element_id, value)
            marks = self._marked(entry.id, column, f"elements.{element_id}")
            facts.append(_fact(words.label(column, carried), text, element_id, marks))
        for element_id, entries in elements.items():
            if element_id not in without:
                marks = self._marked(entry.id, f"elements.{element_id}")
                facts.append(_fact(words.label(element_id, {}), words.entries(element_id, entries), element_id, marks))
        facts.sort(key=lambda fact: words.order_of(fact["element"]))
        return [fact for fact in facts if fact["text"]]

    def _sections(self) -> list[Json]:
        """The charted facts of the call and of the patient, by section."""
        chart = self._material.chart
        of_call = self._facts(INCIDENT, chart.incident, without=_not_theirs(chart))
        facts = [*of_call, *self._facts(PATIENT, chart.patient)]
        by_section: dict[str, list[Json]] = defaultdict(list)
        for fact in facts:
            by_section[(fact["element"] or "eOther.").partition(".")[0]].append(fact)
        return [{"title": SECTIONS[name], "facts": by_section[name]} for name in SECTIONS if name in by_section]

    def _member(self, member: Any) -> Json:
        facts = self._facts(CREW_MEMBER, member, without={"personnel_id"})
        return {
            "name": self._name(member.personnel_id),
            "facts": facts,
            "marks": self._marked(member.id, "personnel_id"),
        }

    def _vital(self, vital: VitalRead) -> Json:
        columns = {name: self._measured(vital, name) for name in VITAL.shown}
        pressure = "/".join(filter(None, (columns["systolic_bp"], columns["diastolic_bp"])))
        unit = " [unit not recorded]" if vital.etco2_unit is None else f" {vital.etco2_unit.value}"
        parts = [columns[name] for name in _GCS]
        coma = f"{columns['gcs_total']} (E{parts[0]} V{parts[1]} M{parts[2]})" if all(parts) else columns["gcs_total"]
        carried = _carried(VITAL)
        return {
            "at": columns["taken_at"] or "Time not recorded",
            "pressure": pressure,
            "pulse": columns["heart_rate"],
            "respiration": columns["respiratory_rate"],
            "spo2": columns["spo2"],
            "etco2": columns["etco2"] + unit if columns["etco2"] else "",
            "temperature": columns["temperature_c"],
            "gcs": coma or "; ".join(dict.fromkeys(filter(None, parts))),
            "pain": columns["pain_score"],
            "facts": self._facts(VITAL, vital, without={*carried, *carried.values(), "etco2_unit"}),
            "marks": sorted({number for numbers in self._marks.get(vital.id, {}).values() for number in numbers}),
        }

    def _measured(self, vital: VitalRead, column: str) -> str:
        """The value of a column, or the charted reason why it is missing."""
        value, element_id = getattr(vital, column), _carried(VITAL).get(column)
        if value is not None or element_id is None:
            return "" if value is None else self._words.column(None, value)
        reasons = (self._words.reason(element_id, entry) for entry in vital.elements.get(element_id, ()))
        return "; ".join(filter(None, reasons))

    def _treatment(self, one: InterventionRead) -> Json:
        """A medication or procedure. The text says first if it was not given, not done, or not done by the crew."""
        carried = _carried(INTERVENTION, one)
        column, prior, prefix = (
            ("rxcui", "eMedications.02", "Medication")
            if one.type is InterventionType.MEDICATION
            else ("procedure_code", "eProcedures.02", "Procedure")
        )
        element_id = carried[column]
        entries = one.elements.get(element_id, ())
        reasons = [reason for entry in entries if (reason := self._words.reason(element_id, entry))]
        named = [self._code(element_id, code) for code in (getattr(one, column), *_values(entries)) if code]
        medication = one.type is InterventionType.MEDICATION
        meaning = meaning_of_intervention(one).meaning
        state = _STATES.get(meaning, "")
        if reasons:
            state = f"{'NOT GIVEN' if medication else 'NOT DONE'}: {'; '.join(reasons)}"
        dose = ""
        if one.dose is not None:
            unit = "" if one.dose_unit is None else self._words.column("eMedications.06", one.dose_unit)
            dose = f"{plain_number(one.dose)} {unit}".strip()
        shown = {"performed_at", column, element_id, *(() if reasons else ("dose", "dose_unit"))}
        if meaning is Meaning.BEFORE_ARRIVAL:
            shown.add(prior)
        return {
            "at": self._words.time(one.performed_at) or "Time not recorded",
            "kind": prefix,
            "what": "; ".join(named) or f"{prefix} not named",
            "state": state,
            "dose": "" if reasons else dose,
            "facts": self._facts(INTERVENTION, one, without=shown),
            "marks": sorted({number for numbers in self._marks.get(one.id, {}).values() for number in numbers}),
        }

    def _code(self, element_id: str, code: str) -> str:
        """The name of a medication or procedure with its code, or the code with its system."""
        words = self._words.column(element_id, code)
        system = "RxNorm" if element_id == MEDICATION_COLUMNS["rxcui"] else "SNOMED CT"
        return f"{system} {code}" if words == code else words

    def _groups(self) -> Iterator[Json]:
        """Repeating groups (examinations, protocols, devices …). A nested group follows the group around it."""
        groups = self._material.chart.element_groups
        below: dict[uuid.UUID | None, list[Any]] = defaultdict(list)
        known = {group.id for group in groups}
        for group in groups:
            below[group.parent_id if group.parent_id in known else None].append(group)
        waiting = [(group, 0) for group in reversed(below[None])]
        while waiting:
            group, depth = waiting.pop()
            section, _, name = group.group_name.partition(".")
            yield {
                "title": f"{SECTIONS.get(section, section)}: {_spaced(name.removesuffix('Group'))}",
                "depth": depth,
                "facts": self._facts(ELEMENT_GROUP, group),
            }
            waiting += [(inner, depth + 1) for inner in reversed(below[group.id])]

    def _signatures(self) -> Iterator[Json]:
        for one in self._material.signatures:
            image = self._material.images.get(one.id)
            if one.status is SignatureStatus.REJECTED:
                continue
            yield {
                "statement": STATEMENTS[one.statement_code],
                "wording": one.statement,
                "name": one.signer_name,
                "role": _role(one.signer_role),
                "at": self._words.time(one.signed_at),
                "state": _standing(one.status, covers=one.covers_current_chart),
                "media_type": "" if image is None else image.media_type,
                "image": [] if image is None else list(image.content),
            }

    def _amendment(self, number: int, amendment: AmendmentRead) -> Json:
        part = PART_OF[amendment.entity]
        carried = _carried(part)
        return {
            "number": number,
            "at": self._words.time(amendment.at),
            "by": self._name(amendment.amended_by),
            "reason": amendment.reason,
            "what": f"{part.noun.capitalize()} {amendment.change.value}",
            "changes": [
                {
                    "field": self._words.label(change.field, carried),
                    "before": self._changed(change.field, change.before, carried),
                    "after": self._changed(change.field, change.after, carried),
                }
                for change in amendment.changes
                if change.field not in _TECHNICAL | _IDS | _IN_PLACE | _ANALYSIS
            ],
        }

    def _changed(self, field: str, value: Any, carried: Mapping[str, str]) -> str:
        if value is None:
            return "nothing"
        if field in _NAMED:
            return str(value.get("name") or value["unit_number"])
        element_id = field.removeprefix("elements.")
        if element_id != field:
            return self._words.entries(element_id, value) or "nothing"
        return self._words.column(self._words.element_of(field, carried), value)

    def _withheld(self) -> Iterator[str]:
        material = self._material
        if any(entry.get("value") for entry in material.chart.patient.elements.get(SOCIAL_SECURITY_NUMBER, ())):
            yield (
                "Social Security number: only the last four digits are shown. The whole number is disclosed only to"
                " those who need it (45 CFR 164.502(b), minimum necessary)."
            )
        if material.patients > 1:
            others = material.patients - 1
            yield (
                f"{others} other patient{'s' if others > 1 else ''} of this incident: their care is in reports of their"
                " own (45 CFR 164.502)."
            )
        if material.attachments:
            yield "The contents of attachments: they are listed by name, and handed over separately."
        yield "Comments of reviewers, suggestions of software, deleted entries: no part of the record of care."


def _not_theirs(chart: PatientChart) -> set[str]:
    """The columns and elements of the incident whose values do not hold for this patient (ADR 0035)."""
    foreign = {element_id for element_id in PER_PATIENT if not inherits(chart, element_id)}
    foreign |= {column for column, carried in Incident.element_columns.items() if carried in foreign}
    if says_itself(chart.patient, UNIT_DISPOSITION):
        foreign.add("disposition")
    if not chart.alone or says_itself(chart.patient, PRIMARY_IMPRESSION):
        foreign.add("primary_impression")
    return foreign


def _fact(label: str, text: str, element_id: str | None, marks: list[int]) -> Json:
    return {"label": label, "text": text, "element": element_id, "marks": marks}


def _carried(part: ChartPart[Any, Any], entry: Any = None) -> Mapping[str, str]:
    """The elements that columns of a part carry. For interventions without an entry, those of both types."""
    if part is not INTERVENTION:
        return getattr(part.entity, "element_columns", {})
    if entry is None:
        return {**PROCEDURE_COLUMNS, **MEDICATION_COLUMNS}
    return MEDICATION_COLUMNS if entry.type is InterventionType.MEDICATION else PROCEDURE_COLUMNS


def _values(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return [entry["value"] for entry in entries if entry.get("value") is not None]


def _in_time(entries: Sequence[Any], column: str) -> list[Any]:
    """The entries by time. Entries without a time stand at the end."""
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(entries, key=lambda entry: getattr(entry, column) or latest)


def _spaced(name: str) -> str:
    """`SceneResponder` in words."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip().capitalize()


def _role(role: SignerRole) -> str:
    return role.value.capitalize()


def _standing(status: SignatureStatus, *, covers: bool) -> str:
    if status is SignatureStatus.VOIDED:
        return "VOIDED"
    if status is SignatureStatus.PENDING:
        return "The image of this signature has not arrived"
    return "" if covers else "What was signed here has changed since; see the amendments"
