"""Checks whether a number can be a SNOMED CT concept: SNOMED CT identifiers hold their kind and a check digit."""

from __future__ import annotations

import re

_SHAPE = re.compile(r"[1-9][0-9]{2,14}[01]0[0-9]")
"""6 to 18 digits. The two before the last mean a concept of the International Edition (00) or of an extension (10)."""
_TURNED = "1576283094"


def _permutations() -> list[list[int]]:
    """The permutations of a digit by its place from the right, in Verhoeff's scheme."""
    found = [list(range(10))]
    while len(found) < 8:
        found.append([found[-1][int(digit)] for digit in _TURNED])
    return found


_PERMUTATIONS = _permutations()


def _product(left: int, right: int) -> int:
    """The product in the group of symmetries of a pentagon, which Verhoeff's scheme uses."""
    turn = right if left < 5 else -right
    return (left + turn) % 5 + 5 * ((left < 5) != (right < 5))


def is_concept(code: str) -> bool:
    """True if a code meets SNOMED CT's rules for the identifier of a concept (Release File Specification, SCTID).

    True does not mean that the concept exists. False means that it does not: a digit is wrong, or two are swapped.
    """
    if _SHAPE.fullmatch(code) is None:
        return False
    checked = 0
    for place, digit in enumerate(reversed(code)):
        checked = _product(checked, _PERMUTATIONS[place % 8][int(digit)])
    return checked == 0
