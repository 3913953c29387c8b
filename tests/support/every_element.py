"""Reports that hold every element of the dictionary, each round in another of the forms that the standard allows it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence

from app.ems.elements import (
    TARGET_BUILD,
    Definition,
    ElementDefinition,
    ElementValue,
    GroupDefinition,
    PertinentNegativeMode,
    SimpleType,
    load_dictionary,
)
from app.nemsis.content import GroupInstance, ReportContent

DICTIONARY = load_dictionary(TARGET_BUILD)
CANDIDATES = (
    "Sample", "3", "110", "17167", "62701", "2026-03-01T10:00:00-06:00", "2026-03-01", "39.7817,-89.6501", "R07.9",
    "I21.9", "Y92.009", "Y93.01", "W19", "392230005", "16SCJ1234567890", "17", "17167000100", "123456789",
    "217-555-0100", "a@example.org", "U2FtcGxl", "2001", "02HV",
)  # fmt: skip
VALUES = {"eMedications.03": "1191", "ePatient.10": "US", "eScene.22": "US", "eDisposition.08": "US"}
"""Where the first candidate would be no value of the element's column."""
UNREPEATED = {"eCrew.01"}
"""Never of two instances: one person crews a call once."""
Forms = Sequence[Sequence[ElementValue]]


def valid_text(type_: SimpleType) -> str:
    """The type's first code, or the first candidate that fits it."""
    if type_.members:
        return valid_text(type_.members[0])
    if type_.codes:
        return next(iter(type_.codes))
    return next(value for value in CANDIDATES if type_.violation(value) is None)


def valid_value(definition: ElementDefinition) -> str:
    return VALUES.get(definition.id) or valid_text(definition.type)


def value_entry(definition: ElementDefinition) -> ElementValue:
    """A value with every attribute that it may have."""
    attributes = {
        name: valid_text(attribute.type) for name, attribute in definition.attributes.items() if name != "CorrelationID"
    }
    return ElementValue(value=valid_value(definition), attributes=attributes or None)


def reasons(definition: ElementDefinition) -> list[ElementValue]:
    """Every NOT value and every pertinent negative, alone and beside a value as each may stand."""
    found = [ElementValue(not_value=code) for code in definition.not_values]
    for code, mode in definition.pertinent_negatives.items():
        if not definition.pertinent_negative_needs_value(code):
            found.append(ElementValue(pertinent_negative=code))
        if mode is not PertinentNegativeMode.EMPTY:
            found.append(value_entry(definition).model_copy(update={"pertinent_negative": code}))
    return found


def forms(definition: ElementDefinition) -> Forms:
    """First as values (two where it repeats), then each reason; where it repeats, all reasons in one list."""
    value = value_entry(definition)
    if definition.max_occurs == 1:
        return [[value], *([reason] for reason in reasons(definition))]
    return [[value, value], *([reasons(definition)] if reasons(definition) else [])]


ROUNDS = max(len(forms(definition)) for definition in DICTIONARY.elements.values())


class _Round:
    """One report in the making."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._tags = 0

    def entries(self, definition: ElementDefinition) -> list[ElementValue]:
        choices = forms(definition)
        chosen = choices[self._number] if self._number < len(choices) else choices[0]
        if definition.id in UNREPEATED and chosen[0].value is not None:
            return [entry.model_copy(update={"value": f"{entry.value}-{self._tag()}"}) for entry in chosen]
        return [self._tagged(entry) for entry in chosen] if definition.accepts_correlation_id else list(chosen)

    def _tagged(self, entry: ElementValue) -> ElementValue:
        return entry.model_copy(update={"correlation_id": self._tag()})

    def _tag(self) -> str:
        self._tags += 1
        return f"tag-{self._tags}"

    def instance(self, group: GroupDefinition) -> GroupInstance:
        elements, children = self.below(group)
        attributes = {
            name: valid_text(attribute.type) for name, attribute in group.attributes.items() if name != "CorrelationID"
        }
        tag = self._tag() if "CorrelationID" in group.attributes else None
        return GroupInstance(group.name, elements, tag, attributes, children)

    def below(self, group: GroupDefinition) -> tuple[dict[str, list[ElementValue]], list[GroupInstance]]:
        """Elements up to the next repeating groups, and two instances of each of those in the first round."""
        elements: dict[str, list[ElementValue]] = {}
        instances: list[GroupInstance] = []
        for child in _up_to_repeating(group):
            if isinstance(child, ElementDefinition):
                elements[child.id] = self.entries(child)
            else:
                instances += [self.instance(child) for _ in range(2 if self._number == 0 else 1)]
        return elements, instances


def _up_to_repeating(group: GroupDefinition) -> Iterator[Definition]:
    for child in group.children:
        if isinstance(child, GroupDefinition) and not child.repeats:
            yield from _up_to_repeating(child)
        else:
            yield child


def report_of_round(number: int) -> ReportContent:
    """All elements below PatientCareReport in their form of this round (from 0)."""
    elements, groups = _Round(number).below(DICTIONARY.groups["PatientCareReport"])
    return ReportContent(uuid.uuid4(), elements, groups)


def custom_configuration() -> Mapping[str, list[ElementValue]]:
    """All elements of the header's repeating group."""
    return _Round(0).below(DICTIONARY.groups["eCustomConfiguration.CustomGroup"])[0]


def element_ids(elements: Mapping[str, object], groups: Sequence[GroupInstance]) -> set[str]:
    return set(elements).union(*(element_ids(group.elements, group.children) for group in groups))
