"""The national rules of severity ERROR: the same as the official rule file has, each broken and each kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.ems.elements import NATIONAL_RULES, SNOMED_MEDICATIONS, Occurrence, broken_rules
from app.ems.elements.national_rules import RXNORM_CODE_TYPE, SNOMED_CODE_TYPE

UNABLE, APPROXIMATE, REFUSED = "8801023", "8801029", "8801019"
NOT_RECORDED = "7701003"
TIME = "2025-03-09T14:05:00-05:00"


@pytest.fixture
def official_rules(shared: Path) -> Iterator[dict[str, tuple[str, str, str]]]:
    """By id: severity, message, test."""
    path = shared / "nemsis" / "schematron" / "schematron_rules_ems.txt"
    if not path.is_file():
        pytest.skip(f"the national rule file is not at {path} (set SHARED_DIR)")
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    yield {rule_id: (severity, message, test) for rule_id, severity, message, test in rows}


def test_every_official_error_is_declared_and_nothing_else(official_rules: dict[str, tuple[str, str, str]]) -> None:
    errors = {rule_id for rule_id, (severity, *_) in official_rules.items() if severity in ("ERROR", "FATAL")}
    assert len(NATIONAL_RULES) == len(errors) == 16
    assert {rule.id for rule in NATIONAL_RULES} == errors


def test_the_medications_are_the_official_ones(official_rules: dict[str, tuple[str, str, str]]) -> None:
    *_, test = official_rules["nemSch_e144"]
    assert set(re.findall(r"'([0-9]{8,})'", test)) == SNOMED_MEDICATIONS


def test_the_words_are_our_own(official_rules: dict[str, tuple[str, str, str]]) -> None:
    for rule in NATIONAL_RULES:
        assert rule.says.rstrip(".") not in official_rules[rule.id][1]


def medication(value: str, code_type: str | None, **marks: str) -> Occurrence:
    return Occurrence("eMedications.03", value=value, code_type=code_type, **marks)  # type: ignore[arg-type]


BROKEN = [
    (Occurrence("eArrest.01", empty=True), "nemSch_e001"),
    (Occurrence("eArrest.01", value="3001001", not_value=NOT_RECORDED), "nemSch_e002"),
    (Occurrence("eSituation.01", value=TIME, pertinent_negative=UNABLE), "nemSch_e003"),
    (Occurrence("eSituation.01", empty=True, pertinent_negative=APPROXIMATE), "nemSch_e004"),
    (Occurrence("eSituation.10", empty=True, pertinent_negative="8801031"), "nemSch_e005"),
    (Occurrence("eMedications.03", empty=True, pertinent_negative=REFUSED), "nemSch_e006"),
    (Occurrence("eProcedures.03", empty=True, pertinent_negative=REFUSED), "nemSch_e007"),
    (Occurrence("eVitals.06", value="120", pertinent_negative=REFUSED), "nemSch_e008"),
    (Occurrence("eSituation.18", value=TIME, pertinent_negative=UNABLE), "nemSch_e188"),
    (Occurrence("eArrest.14", value=TIME, pertinent_negative=UNABLE), "nemSch_e189"),
    (Occurrence("ePatient.15", empty=True, pertinent_negative=APPROXIMATE), "nemSch_e190"),
    (Occurrence("eSituation.18", empty=True, pertinent_negative=APPROXIMATE), "nemSch_e191"),
    (Occurrence("eArrest.14", empty=True, pertinent_negative=APPROXIMATE), "nemSch_e192"),
    (medication("12345678", RXNORM_CODE_TYPE), "nemSch_e143"),
    (medication("1", RXNORM_CODE_TYPE), "nemSch_e143"),
    (medication("116762002", RXNORM_CODE_TYPE), "nemSch_e143"),
    (medication("1191\n", RXNORM_CODE_TYPE), "nemSch_e143"),
    (medication("\u0661\u0661\u0669", RXNORM_CODE_TYPE), "nemSch_e143"),
    (medication("387458008", SNOMED_CODE_TYPE), "nemSch_e144"),
    (medication("1191", SNOMED_CODE_TYPE), "nemSch_e144"),
    (medication("387458008", None), "nemSch_e145"),
]


@pytest.mark.parametrize(("occurrence", "rule"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_what_breaks_a_rule(occurrence: Occurrence, rule: str) -> None:
    assert [broken.id for broken in broken_rules(occurrence)] == [rule]


def test_every_rule_is_broken_once() -> None:
    assert {rule for _, rule in BROKEN} == {rule.id for rule in NATIONAL_RULES}


@pytest.mark.parametrize(
    "occurrence",
    [
        Occurrence("eArrest.01", value="3001001"),
        Occurrence("eArrest.01", empty=True, not_value=NOT_RECORDED),
        Occurrence("eSituation.01", empty=True, pertinent_negative=UNABLE),
        Occurrence("eSituation.01", value=TIME, pertinent_negative=APPROXIMATE),
        Occurrence("eHistory.10", value="x", pertinent_negative=REFUSED),
        Occurrence("eHistory.10", empty=True, pertinent_negative=REFUSED),
        Occurrence("eCustomResults.01", empty=True),
        Occurrence("eCustomResults.01", value="x", not_value=NOT_RECORDED),
        Occurrence("eExam.12", ("eExam.AssessmentGroup",), value="x", pertinent_negative=REFUSED),
        Occurrence("eProcedures.03", value="12345678901"),
        medication("12", RXNORM_CODE_TYPE),
        medication("1234567", RXNORM_CODE_TYPE, pertinent_negative=REFUSED),
        medication("1234567", None),
        medication("71493000", None),
        *(medication(code, SNOMED_CODE_TYPE) for code in sorted(SNOMED_MEDICATIONS)),
        Occurrence("eMedications.03", empty=True, not_value=NOT_RECORDED),
    ],
    ids=lambda occurrence: occurrence.element_id,
)
def test_what_keeps_every_rule(occurrence: Occurrence) -> None:
    assert list(broken_rules(occurrence)) == []
