"""Whether a number can be a SNOMED CT concept at all: SNOMED CT identifiers carry their kind and a check digit."""

from __future__ import annotations

import re

_SHAPE = re.compile(r"[1-9][0-9]{2,14}[01]0[0-9]")
"""6 to 18 digits; the two before the last name a concept of the International Edition (00) or of an extension (10)."""
_TURNED = "1576283094"


def _permutations() -> list[list[int]]:
    """Of Verhoeff's scheme: what happens to a digit by its place from the right."""
    found = [list(range(10))]
    while len(found) < 8:
        found.append([found[-1][int(digit)] for digit in _TURNED])
    return found


_PERMUTATIONS = _permutations()


def _product(left: int, right: int) -> int:
    """In the group of the symmetries of a pentagon, which Verhoeff's scheme multiplies in."""
    turn = right if left < 5 else -right
    return (left + turn) % 5 + 5 * ((left < 5) != (right < 5))


def is_concept(code: str) -> bool:
    """SNOMED CT's own rules for the identifier of a concept (Release File Specification, SCTID).

    A true answer does not say that the concept exists. A false one says that it does not: a digit is wrong, or two are
    swapped.
    """
    if _SHAPE.fullmatch(code) is None:
        return False
    checked = 0
    for place, digit in enumerate(reversed(code)):
        checked = _product(checked, _PERMUTATIONS[place % 8][int(digit)])
    return checked == 0
