"""The NOT value of a Required element that nobody recorded: Not Recorded, or Not Applicable to this kind of call."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.ems.public import NOT_APPLICABLE, NOT_RECORDED, ElementDefinition

Recorded = Callable[[str], frozenset[str]]
"""The values and pertinent negatives recorded for an element, in the row at hand and in the report around it."""


@dataclass(frozen=True, slots=True)
class NotApplicableRule:
    """When `element_id` holds one of `codes`, blank elements of `sections` and `elements` are Not Applicable."""

    element_id: str
    codes: frozenset[str]
    sections: frozenset[str] = frozenset()
    elements: frozenset[str] = frozenset()


_NO_ARREST = frozenset({"3001001"})
_NO_INJURY = frozenset({"9922001"})
_NO_MASS_CASUALTY = frozenset({"9923001"})
_NO_PREARRIVAL_ALERT = frozenset({"4224001"})
_EMERGENCY_RESPONSES = frozenset({"2205001", "2205003", "2205009"})
_NOT_TRANSPORTED = frozenset({"4230009", "4230013"})
_BY_ANOTHER_UNIT = frozenset({"4230005", "4230007"})
_CANCELLED_EN_ROUTE = frozenset({"4227005"})
_NO_PATIENT_CONTACT = frozenset({"4227003", "4227005", "4227007", "4227009", "4227011"})
# Withheld, refused or (a drug) already taken; not 8801023 Unable to Complete, which may have been begun.
_NOT_PERFORMED = frozenset({"8801001", "8801003", "8801019", "8801027"})
_NOT_GIVEN = _NOT_PERFORMED | {"8801007", "8801009"}

NOT_APPLICABLE_RULES = (
    NotApplicableRule(
        "eMedications.03", _NOT_GIVEN, elements=frozenset(f"eMedications.0{number}" for number in range(4, 9))
    ),
    NotApplicableRule(
        "eProcedures.03", _NOT_PERFORMED, elements=frozenset(f"eProcedures.0{number}" for number in range(5, 9))
    ),
    NotApplicableRule("eArrest.01", _NO_ARREST, sections=frozenset({"eArrest"})),
    NotApplicableRule("eSituation.02", _NO_INJURY, sections=frozenset({"eInjury"})),
    NotApplicableRule("eScene.07", _NO_MASS_CASUALTY, elements=frozenset({"eScene.08"})),
    NotApplicableRule("eDisposition.24", _NO_PREARRIVAL_ALERT, elements=frozenset({"eDisposition.25"})),
    NotApplicableRule("eResponse.05", _EMERGENCY_RESPONSES, elements=frozenset({"eSituation.20"})),
    NotApplicableRule(
        "eDisposition.30",
        _NOT_TRANSPORTED,
        sections=frozenset({"ePayment", "eOutcome"}),
        elements=frozenset(
            {"eResponse.11", "eTimes.09", "eTimes.11", "eTimes.12"}
            | {f"eDisposition.{number}" for number in ("05", "06", "07", "16", "17", "18")}
            | {f"eDisposition.{number}" for number in ("20", "21", "22", "23", "24", "25")}
        ),
    ),
    NotApplicableRule(
        "eDisposition.30",
        _BY_ANOTHER_UNIT,
        sections=frozenset({"ePayment"}),
        elements=frozenset({"eResponse.11", "eTimes.09", "eTimes.11", "eTimes.12"}),
    ),
    NotApplicableRule(
        "eDisposition.27",
        _NO_PATIENT_CONTACT,
        sections=frozenset(
            {"ePatient", "ePayment", "eSituation", "eInjury", "eArrest", "eHistory", "eVitals", "eProtocols"}
            | {"eMedications", "eProcedures", "eDisposition", "eOutcome"}
        ),
        elements=frozenset({"eResponse.11", "eScene.08", "eTimes.07", "eTimes.09", "eTimes.11", "eTimes.12"}),
    ),
    NotApplicableRule(
        "eDisposition.27",
        _CANCELLED_EN_ROUTE,
        sections=frozenset({"eScene"}),
        elements=frozenset({"eResponse.10", "eTimes.06", "eTimes.09"}),
    ),
)


def _rules_by_coverage() -> Mapping[str, list[NotApplicableRule]]:
    found: dict[str, list[NotApplicableRule]] = defaultdict(list)
    for rule in NOT_APPLICABLE_RULES:
        for covered in rule.sections | rule.elements:
            found[covered].append(rule)
    return found


_RULES = _rules_by_coverage()


def not_value_for(definition: ElementDefinition, recorded: Recorded) -> str | None:
    """The NOT value for a blank element, or None where the standard admits none (a Mandatory element)."""
    rules = [*_RULES.get(definition.section, ()), *_RULES.get(definition.id, ())]
    applies = any(rule.codes & recorded(rule.element_id) for rule in rules)
    wanted = NOT_APPLICABLE if applies else NOT_RECORDED
    return wanted if wanted in definition.not_values else None
