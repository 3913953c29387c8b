"""Checks elements as they are saved: existence, home, occurrence, and each entry's value, codes and attributes.

No check asks for completeness, because a chart may be half written. Messages never repeat submitted values.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.ems.elements.dictionary import Dictionary, ElementDefinition
from app.ems.elements.national_rules import SNOMED_CODE_TYPE, PertinentNegativeMode, broken_code_rules
from app.ems.elements.ownership import Owner, may_stand_under, owner_of, repeating_group_of
from app.ems.elements.simple_types import SimpleType, Violation, has_illegal_character
from app.ems.elements.values import ElementValue
from app.ems.elements.wording import expectation

_MEDICATION = "eMedications.03"
_DIASTOLIC = "eVitals.07"
_PALPATED = frozenset({"P", "p"})
_ID_FORM = re.compile(r"[A-Za-z]{2,24}\.[0-9]{2}")
_UNNAMED = "unknown"
_OWNER_NAMES: Mapping[Owner, str] = {
    Owner.INCIDENT: "the incident",
    Owner.PATIENT: "the patient",
    Owner.VITAL: "vital signs",
    Owner.INTERVENTION_MEDICATION: "medications",
    Owner.INTERVENTION_PROCEDURE: "procedures",
    Owner.NARRATIVE: "the narrative",
    Owner.CREW_MEMBER: "the crew",
    Owner.TENANT: "the agency's settings",
}


class ProblemCode(StrEnum):
    """Stable codes; a value that breaks its type has the code of the Violation instead."""

    UNKNOWN_ELEMENT = "unknown_element"
    WRONG_OWNER = "wrong_owner"
    EMPTY_LIST = "empty_list"
    TOO_MANY = "too_many"
    NOTHING_GIVEN = "nothing_given"
    NOT_VALUE_NOT_ALONE = "not_value_not_alone"
    NOT_VALUE_NOT_PERMITTED = "not_value_not_permitted"
    PERTINENT_NEGATIVE_NOT_PERMITTED = "pertinent_negative_not_permitted"
    PERTINENT_NEGATIVE_NEEDS_VALUE = "pertinent_negative_needs_value"
    PERTINENT_NEGATIVE_EXCLUDES_VALUE = "pertinent_negative_excludes_value"
    ATTRIBUTE_UNKNOWN = "attribute_unknown"
    CORRELATION_ID_NOT_PERMITTED = "correlation_id_not_permitted"
    VALUE_HAS_A_FIELD = "value_has_a_field"
    NATIONAL_RULE = "national_rule"


@dataclass(frozen=True, slots=True)
class ElementProblem:
    """One thing wrong with submitted elements. `path` counts entries from 0: `eResponse.08[1].value`."""

    element_id: str
    path: str
    code: ProblemCode | Violation
    message: str


def check_elements(
    values: Mapping[str, Sequence[ElementValue]],
    *,
    dictionary: Dictionary,
    owner: Owner | None = None,
    group: str | None = None,
    columns: frozenset[str] = frozenset(),
) -> list[ElementProblem]:
    """Every problem of the elements that an entity (`owner`) or a repeating group's row (`group`) is to store.

    `columns` are ids that the entity keeps in a column. Their entries may hold a NOT value, a pertinent negative,
    attributes or a correlation id. They may hold a value only if the column cannot hold it (a SNOMED drug, a palpated
    diastolic pressure).
    Raises ValueError unless exactly one of `owner` and `group` is given.
    """
    if (owner is None) == (group is None):
        raise ValueError("elements are checked for an owner or for a group")
    problems: list[ElementProblem] = []
    for element_id, entries in values.items():
        definition = dictionary.elements.get(element_id)
        if definition is None:
            shown = element_id if _ID_FORM.fullmatch(element_id) else _UNNAMED
            problems.append(ElementProblem(shown, shown, ProblemCode.UNKNOWN_ELEMENT, "No such NEMSIS element."))
            continue
        report = _Report(definition, problems)
        home = repeating_group_of(element_id)
        if home != group or (owner is not None and not may_stand_under(element_id, owner)):
            report.add(ProblemCode.WRONG_OWNER, f"is recorded under {_home_name(element_id, home)}, not here.")
        _check_occurrence(definition, entries, report)
        for index, entry in enumerate(entries):
            report.entry = f"{element_id}[{index}]"
            _check_entry(definition, entry, element_id in columns, report)
    return problems


def check_group_attributes(
    group: str, attributes: Mapping[str, str], *, dictionary: Dictionary
) -> list[ElementProblem]:
    """Every problem of a group instance's XML attributes, such as CorrelationID. Raises KeyError if it is no group."""
    definitions = dictionary.groups[group].attributes
    problems = []
    for name, value in attributes.items():
        definition = definitions.get(name)
        if definition is None:
            message = "This group does not have this attribute."
            problems.append(ElementProblem(group, group, ProblemCode.ATTRIBUTE_UNKNOWN, message))
        elif violation := judge(definition.type, value):
            message = f"{name} must be {expectation(definition.type)}."
            problems.append(ElementProblem(group, f"{group}.{name}", violation, message))
    return problems


def judge(type_: SimpleType, value: str) -> Violation | None:
    """The rule that `value` breaks: its type's, or that of the characters that XML can carry. None for a valid one."""
    return Violation.ILLEGAL_CHARACTER if has_illegal_character(value) else type_.violation(value)


class _Report:
    """Collects the problems of one element."""

    def __init__(self, definition: ElementDefinition, problems: list[ElementProblem]) -> None:
        self._definition = definition
        self._problems = problems
        self.entry = definition.id

    def add(self, code: ProblemCode | Violation, predicate: str, part: str = "") -> None:
        path = f"{self.entry}.{part}" if part else self.entry
        message = f"{self._definition.name} {predicate}"
        self._problems.append(ElementProblem(self._definition.id, path, code, message))

    def check_type(self, type_: SimpleType, value: str, part: str, subject: str = "") -> None:
        violation = judge(type_, value)
        if violation is Violation.ILLEGAL_CHARACTER:
            self.add(violation, f"{subject}holds a character that cannot be exported.", part)
        elif violation is not None:
            self.add(violation, f"{subject}must be {expectation(type_)}.", part)


def _home_name(element_id: str, group: str | None) -> str:
    return group or _OWNER_NAMES[owner_of(element_id)]


def _check_occurrence(definition: ElementDefinition, entries: Sequence[ElementValue], report: _Report) -> None:
    if not entries:
        report.add(ProblemCode.EMPTY_LIST, "has an empty list; leave it out or send null to remove it.")
    if definition.max_occurs is not None and len(entries) > definition.max_occurs:
        report.add(ProblemCode.TOO_MANY, f"may be recorded at most {_times(definition.max_occurs)}.")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _check_entry(definition: ElementDefinition, entry: ElementValue, has_column: bool, report: _Report) -> None:
    if entry.not_value is not None:
        _check_not_value(definition, entry, report)
    if entry.pertinent_negative is not None:
        _check_pertinent_negative(definition, entry, entry.pertinent_negative, has_column, report)
    if entry.value is not None:
        if has_column and not _escapes_its_column(definition, entry):
            report.add(ProblemCode.VALUE_HAS_A_FIELD, "has a field of its own; record the value there.", "value")
        report.check_type(definition.type, entry.value, "value")
        for rule in broken_code_rules(definition.id, entry.value, (entry.attributes or {}).get("CodeType")):
            report.add(ProblemCode.NATIONAL_RULE, rule.says, "value")
    elif entry.not_value is None and entry.pertinent_negative is None and not (has_column and _is_beside(entry)):
        report.add(ProblemCode.NOTHING_GIVEN, "needs a value, a reason why there is none, or a pertinent negative.")
    _check_attributes(definition, entry, report)


def _is_beside(entry: ElementValue) -> bool:
    """True if the entry says something about the value in the column."""
    return bool(entry.attributes) or entry.correlation_id is not None


def _escapes_its_column(definition: ElementDefinition, entry: ElementValue) -> bool:
    """True if the column cannot hold a value that the standard allows: a SNOMED drug, a palpated diastolic pressure."""
    if definition.id == _MEDICATION:
        return (entry.attributes or {}).get("CodeType") == SNOMED_CODE_TYPE
    return definition.id == _DIASTOLIC and entry.value in _PALPATED


def _check_not_value(definition: ElementDefinition, entry: ElementValue, report: _Report) -> None:
    if entry.not_value not in definition.not_values:
        report.add(ProblemCode.NOT_VALUE_NOT_PERMITTED, _permitted(definition.not_values.values()), "not_value")
    if entry.value is not None or entry.pertinent_negative is not None or entry.attributes:
        message = "is either recorded or marked as not recorded; the NOT value stands alone."
        report.add(ProblemCode.NOT_VALUE_NOT_ALONE, message, "not_value")


def _permitted(labels: Iterable[str]) -> str:
    choices = " or ".join(labels)
    return f"may only be marked {choices}." if choices else "may not be left without a value."


def _check_pertinent_negative(
    definition: ElementDefinition, entry: ElementValue, code: str, has_column: bool, report: _Report
) -> None:
    part = "pertinent_negative"
    if code not in definition.pertinent_negatives:
        report.add(ProblemCode.PERTINENT_NEGATIVE_NOT_PERMITTED, "does not take this pertinent negative.", part)
    elif definition.pertinent_negatives[code] is PertinentNegativeMode.EMPTY and entry.value is not None:
        message = "takes this pertinent negative in place of a value, not beside one."
        report.add(ProblemCode.PERTINENT_NEGATIVE_EXCLUDES_VALUE, message, part)
    elif definition.pertinent_negative_needs_value(code) and entry.value is None and not has_column:
        message = "takes this pertinent negative beside a value; record the value too."
        report.add(ProblemCode.PERTINENT_NEGATIVE_NEEDS_VALUE, message, part)


def _check_attributes(definition: ElementDefinition, entry: ElementValue, report: _Report) -> None:
    for name, value in (entry.attributes or {}).items():
        attribute = definition.attributes.get(name)
        if attribute is None or name == "CorrelationID":
            report.add(ProblemCode.ATTRIBUTE_UNKNOWN, "does not have this attribute.", "attributes")
        else:
            report.check_type(attribute.type, value, f"attributes.{name}", f"({name}) ")
    if entry.correlation_id is None:
        return
    if definition.accepts_correlation_id:
        type_ = definition.attributes["CorrelationID"].type
        report.check_type(type_, entry.correlation_id, "correlation_id", "(correlation id) ")
    else:
        message = "cannot be referred to, so it takes no correlation id."
        report.add(ProblemCode.CORRELATION_ID_NOT_PERMITTED, message, "correlation_id")
