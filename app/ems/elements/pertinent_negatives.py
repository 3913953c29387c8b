"""How each pertinent negative stands beside a value: the national Schematron's matrix, which is stricter than the XSD.

Source: pattern nemSch_eNilNvPn of the national EMSDataSet rules (e003 to e008, e188 to e192, all of severity ERROR).
"""

from enum import StrEnum

APPROXIMATE = "8801029"
_QUALIFIES_A_VALUE = frozenset({"eSituation.10", "eMedications.03", "eProcedures.03"})
_MAY_BE_APPROXIMATE = frozenset({"ePatient.15", "eSituation.01", "eSituation.18", "eArrest.14"})
_UNRESTRICTED = frozenset({"eHistory.10", "eCustomResults.01"})
_UNRESTRICTED_GROUP = "eExam.AssessmentGroup"


class PertinentNegativeMode(StrEnum):
    """Whether a pertinent negative replaces the value, accompanies one, or may do either."""

    EMPTY = "empty"
    VALUE = "value"
    EITHER = "either"


def pertinent_negative_mode(element_id: str, group_path: tuple[str, ...], code: str) -> PertinentNegativeMode:
    """The mode of pertinent negative `code` on an element that stands below the groups of `group_path`."""
    if element_id in _UNRESTRICTED or _UNRESTRICTED_GROUP in group_path:
        return PertinentNegativeMode.EITHER
    if element_id in _QUALIFIES_A_VALUE or (code == APPROXIMATE and element_id in _MAY_BE_APPROXIMATE):
        return PertinentNegativeMode.VALUE
    return PertinentNegativeMode.EMPTY
