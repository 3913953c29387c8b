"""The sixteen national rules of severity ERROR: a state refuses a document that breaks one, though the XSD takes it.

Source: patterns nemSch_eNilNvPn and nemSch_eMedications of the national EMSDataSet Schematron. Each rule is declared
here once. The chart applies the rules about one field when it saves. The validator applies all of them to documents.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

RXNORM_CODE_TYPE = "9924003"
SNOMED_CODE_TYPE = "9924005"
RXNORM_CODE = re.compile("[0-9]{2,7}")
SNOMED_MEDICATIONS = frozenset(
    {"116762002", "116795008", "116861002", "116865006", "180208003", "33389009", "71493000"}
)
"""The only SNOMED codes of eMedications.03: blood products and others that RxNorm does not have."""

_UNABLE_TO_COMPLETE = "8801023"
APPROXIMATE = "8801029"
_MEDICATION = frozenset({"eMedications.03"})
_UNRESTRICTED_GROUP = "eExam.AssessmentGroup"


class PertinentNegativeMode(StrEnum):
    """True if a pertinent negative replaces the value, accompanies one, or may do either."""

    EMPTY = "empty"
    VALUE = "value"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of an element in a document. `group_path` is that of its definition.

    `empty`: xsi:nil is "true". The rules compare this text, so "1" does not count, although the XSD takes it for true.
    """

    element_id: str
    group_path: tuple[str, ...] = ()
    value: str = ""
    empty: bool = False
    not_value: str | None = None
    pertinent_negative: str | None = None
    code_type: str | None = None


Condition = Callable[[Occurrence], bool]


@dataclass(frozen=True, slots=True)
class NationalRule:
    """A rule of the Schematron by its id. Its message is the element's name followed by `says`.

    It applies to occurrences of `elements` (None: of every element) for which `concerns` is true.
    """

    id: str
    elements: frozenset[str] | None
    concerns: Condition
    holds: Condition
    says: str


@dataclass(frozen=True, slots=True)
class _NegativeRule:
    """The mode of pertinent negative `code` (None: any) on `elements` (None: any). Without an `id` it is no rule."""

    id: str | None
    elements: frozenset[str] | None
    code: str | None
    mode: PertinentNegativeMode
    group: str | None = None

    def covers(self, element_id: str, group_path: tuple[str, ...], code: str) -> bool:
        return (
            (self.elements is None or element_id in self.elements)
            and (self.group is None or self.group in group_path)
            and self.code in (None, code)
        )


def _of(*elements: str) -> frozenset[str]:
    return frozenset(elements)


# The order is the Schematron's. Only the first rule that covers an occurrence applies to it.
_NEGATIVES = (
    _NegativeRule(None, None, None, PertinentNegativeMode.EITHER, group=_UNRESTRICTED_GROUP),
    _NegativeRule(None, _of("eHistory.10", "eCustomResults.01"), None, PertinentNegativeMode.EITHER),
    _NegativeRule("nemSch_e003", _of("eSituation.01"), _UNABLE_TO_COMPLETE, PertinentNegativeMode.EMPTY),
    _NegativeRule("nemSch_e188", _of("eSituation.18"), _UNABLE_TO_COMPLETE, PertinentNegativeMode.EMPTY),
    _NegativeRule("nemSch_e189", _of("eArrest.14"), _UNABLE_TO_COMPLETE, PertinentNegativeMode.EMPTY),
    _NegativeRule("nemSch_e190", _of("ePatient.15"), APPROXIMATE, PertinentNegativeMode.VALUE),
    _NegativeRule("nemSch_e004", _of("eSituation.01"), APPROXIMATE, PertinentNegativeMode.VALUE),
    _NegativeRule("nemSch_e191", _of("eSituation.18"), APPROXIMATE, PertinentNegativeMode.VALUE),
    _NegativeRule("nemSch_e192", _of("eArrest.14"), APPROXIMATE, PertinentNegativeMode.VALUE),
    _NegativeRule("nemSch_e005", _of("eSituation.10"), None, PertinentNegativeMode.VALUE),
    _NegativeRule("nemSch_e006", _of("eMedications.03"), None, PertinentNegativeMode.VALUE),
    _NegativeRule("nemSch_e007", _of("eProcedures.03"), None, PertinentNegativeMode.VALUE),
    _NegativeRule("nemSch_e008", None, None, PertinentNegativeMode.EMPTY),
)


def _negative_rule(element_id: str, group_path: tuple[str, ...], code: str) -> _NegativeRule:
    return next(rule for rule in _NEGATIVES if rule.covers(element_id, group_path, code))


def pertinent_negative_mode(element_id: str, group_path: tuple[str, ...], code: str) -> PertinentNegativeMode:
    """The mode of pertinent negative `code` on an element that stands below the groups of `group_path`."""
    return _negative_rule(element_id, group_path, code).mode


def _national(rule_id: str, negative: _NegativeRule) -> NationalRule:
    def concerns(given: Occurrence) -> bool:
        code = given.pertinent_negative
        return code is not None and _negative_rule(given.element_id, given.group_path, code) is negative

    wants_empty = negative.mode is PertinentNegativeMode.EMPTY
    wanted = "be empty" if wants_empty else "have a value"
    return NationalRule(
        rule_id,
        negative.elements,
        concerns,
        holds=lambda given: given.empty == wants_empty and given.not_value is None,
        says=f"has a pertinent negative, so it must {wanted} and have no NOT value.",
    )


def _is_empty_without_negative(given: Occurrence) -> bool:
    return given.empty and given.pertinent_negative is None and _is_checked(given)


def _is_recorded_with_not_value(given: Occurrence) -> bool:
    bare = given.not_value is not None and given.pertinent_negative is None
    return bare and not given.empty and _is_checked(given)


def _is_checked(given: Occurrence) -> bool:
    """True if the rules check the element. An agency's own element follows the agency's definition instead."""
    return given.element_id != "eCustomResults.01"


def _has_code_type(code_type: str | None) -> Condition:
    return lambda given: given.value != "" and given.code_type == code_type


def _is_rxnorm_code(given: Occurrence) -> bool:
    return RXNORM_CODE.fullmatch(given.value) is not None


def _is_snomed_medication(given: Occurrence) -> bool:
    return given.value in SNOMED_MEDICATIONS


_MEDICATION_RULES = (
    NationalRule(
        "nemSch_e143",
        _MEDICATION,
        _has_code_type(RXNORM_CODE_TYPE),
        _is_rxnorm_code,
        "must be an RxNorm code of two to seven digits.",
    ),
    NationalRule(
        "nemSch_e144",
        _MEDICATION,
        _has_code_type(SNOMED_CODE_TYPE),
        _is_snomed_medication,
        "must be one of the seven SNOMED codes that NEMSIS allows for medications; use RxNorm for any other.",
    ),
    NationalRule(
        "nemSch_e145",
        _MEDICATION,
        _has_code_type(None),
        lambda given: _is_rxnorm_code(given) or _is_snomed_medication(given),
        "must be an RxNorm code of two to seven digits, or a SNOMED code that NEMSIS allows for medications.",
    ),
)

NATIONAL_RULES: tuple[NationalRule, ...] = (
    *(_national(negative.id, negative) for negative in _NEGATIVES if negative.id is not None),
    NationalRule(
        "nemSch_e001",
        None,
        _is_empty_without_negative,
        lambda given: given.not_value is not None,
        "is empty; mark why (a NOT value or a pertinent negative), or leave it out.",
    ),
    NationalRule(
        "nemSch_e002",
        None,
        _is_recorded_with_not_value,
        lambda given: given.empty,
        "has a NOT value, so it must be empty.",
    ),
    *_MEDICATION_RULES,
)


def broken_rules(occurrence: Occurrence) -> Iterator[NationalRule]:
    """The rules that an occurrence breaks, in the order of their declaration."""
    for rule in NATIONAL_RULES:
        concerned = rule.elements is None or occurrence.element_id in rule.elements
        if concerned and rule.concerns(occurrence) and not rule.holds(occurrence):
            yield rule


def broken_code_rules(element_id: str, value: str, code_type: str | None) -> Iterator[NationalRule]:
    """The rules that a recorded code breaks by itself."""
    occurrence = Occurrence(element_id, value=value, code_type=code_type)
    return (rule for rule in broken_rules(occurrence) if rule in _MEDICATION_RULES)
