"""The national matrix of xsi:nil, NV and PN: ERROR rules of the Schematron that the XSD cannot express."""

from collections.abc import Mapping

from app.ems.public import ElementDefinition, PertinentNegativeMode, pertinent_negative_mode

_UNCHECKED = "eCustomResults.01"
_EMPTY_WITHOUT_REASON = "nemSch_e001"
_NOT_VALUE_WITH_VALUE = "nemSch_e002"
_ELSEWHERE = "nemSch_e008"
_RULE_OF_CODE: Mapping[tuple[str, str], str] = {
    ("eSituation.01", "8801023"): "nemSch_e003",
    ("eSituation.18", "8801023"): "nemSch_e188",
    ("eArrest.14", "8801023"): "nemSch_e189",
    ("ePatient.15", "8801029"): "nemSch_e190",
    ("eSituation.01", "8801029"): "nemSch_e004",
    ("eSituation.18", "8801029"): "nemSch_e191",
    ("eArrest.14", "8801029"): "nemSch_e192",
}
_RULE_OF_ELEMENT: Mapping[str, str] = {
    "eSituation.10": "nemSch_e005",
    "eMedications.03": "nemSch_e006",
    "eProcedures.03": "nemSch_e007",
}

NIL_RULES = frozenset(
    {_EMPTY_WITHOUT_REASON, _NOT_VALUE_WITH_VALUE, _ELSEWHERE, *_RULE_OF_CODE.values(), *_RULE_OF_ELEMENT.values()}
)


def nil_rule_broken(
    definition: ElementDefinition, nil: str | None, not_value: str | None, pertinent_negative: str | None
) -> tuple[str, str] | None:
    """The rule id and the message of the one rule that the three attributes break, or None.

    As in a Schematron pattern, an element meets the first rule that fits it and no other. `nil` is the attribute's
    text: the rules compare it with "true", so that a "1", which the XSD takes for true, does not count as empty.
    """
    if definition.id == _UNCHECKED:
        return None
    empty = nil == "true"
    if pertinent_negative is not None:
        return _pertinent_negative_rule(definition, empty, not_value, pertinent_negative)
    if empty and not_value is None:
        message = f"{definition.name} is empty; mark why (a NOT value or a pertinent negative), or leave it out."
        return _EMPTY_WITHOUT_REASON, message
    if not_value is not None and not empty:
        return _NOT_VALUE_WITH_VALUE, f"{definition.name} has a NOT value, so it must be empty."
    return None


def _pertinent_negative_rule(
    definition: ElementDefinition, empty: bool, not_value: str | None, code: str
) -> tuple[str, str] | None:
    mode = pertinent_negative_mode(definition.id, definition.group_path, code)
    if mode is PertinentNegativeMode.EITHER:
        return None
    wants_empty = mode is PertinentNegativeMode.EMPTY
    if empty == wants_empty and not_value is None:
        return None
    rule = _RULE_OF_CODE.get((definition.id, code)) or _RULE_OF_ELEMENT.get(definition.id, _ELSEWHERE)
    wanted = "be empty" if wants_empty else "have a value"
    return rule, f"{definition.name} has a pertinent negative, so it must {wanted} and have no NOT value."
