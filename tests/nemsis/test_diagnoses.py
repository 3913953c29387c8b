"""Which elements of the standard hold ICD-10-CM codes, and when a value of a mixed one is one."""

from __future__ import annotations

import pytest

from app.ems.elements import TARGET_BUILD, load_dictionary
from app.nemsis.diagnoses import ICD10CM_TYPES, MIXED_TYPES, is_icd10cm

ELEMENTS = load_dictionary(TARGET_BUILD).elements


def holding(types: frozenset[str]) -> set[str]:
    return {element_id for element_id, definition in ELEMENTS.items() if definition.type.name in types}


def test_the_elements() -> None:
    assert holding(ICD10CM_TYPES) == {
        "ePayment.51",
        "eScene.09",
        "eSituation.09",
        "eSituation.10",
        "eSituation.11",
        "eSituation.12",
        "eSituation.17",
        "eInjury.01",
        "eOutcome.10",
        "eOutcome.13",
    }
    assert holding(MIXED_TYPES) == {"eHistory.06", "eHistory.08"}


def test_no_type_is_forgotten() -> None:
    """Whatever a type is called: if its form is that of a code with its dot, it is one of these."""
    codes = ("R07.9", "Y92.01", "Y93.01", "W10.8XXA", "Z88.0")
    patterned = [definition.type for definition in ELEMENTS.values() if definition.type.facets.pattern is not None]
    accepting = {each.name for each in patterned if any(each.violation(code) is None for code in codes)}
    assert accepting == ICD10CM_TYPES | MIXED_TYPES


@pytest.mark.parametrize(
    ("element_id", "value", "told"),
    [
        ("eSituation.11", "I10", True),
        ("eSituation.11", "", False),
        ("eOutcome.09", "0016070", False),
        ("eHistory.06", "7980", False),
        ("eHistory.06", "Z88.0", True),
        ("eHistory.08", "0016070", False),
        ("eHistory.08", "I10", False),
        ("eHistory.08", "Z98.890", True),
        ("eNarrative.01", "I10.", False),
    ],
)
def test_a_value(element_id: str, value: str, told: bool) -> None:
    assert is_icd10cm(ELEMENTS[element_id], value) is told
