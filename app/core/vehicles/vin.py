"""Vehicle identification numbers: 17 characters with a check digit (49 CFR 565.13 and 565.15)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import Text

_LETTERS = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, *range(2, 10)), strict=True)
)
_VALUES = _LETTERS | {str(digit): digit for digit in range(10)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK_POSITION = 8


def check_digit(vin: str) -> str:
    """The required ninth of the 17 characters: the weighted sum of the others modulo 11, X for ten."""
    remainder = sum(_VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def _checked(value: str) -> str:
    if value[_CHECK_POSITION] != check_digit(value):
        raise PydanticCustomError("vin_check_digit", "The VIN's check digit is wrong")
    return value


Vin = Annotated[Text, Field(pattern=r"^[0-9A-HJ-NPR-Z]{17}$", examples=["1M8GDM9AXKP042788"]), AfterValidator(_checked)]
