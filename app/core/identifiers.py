"""Numbers and codes of ambulance billing that more than one domain checks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.schemas import Text

InterchangeQualifier = Literal["01", "14", "20", "27", "28", "29", "30", "33", "ZZ"]
"""The kinds of ISA06 and ISA08 that an 837P may name (ISA05 and ISA07, 005010X222A1)."""


def has_npi_check_digit(npi: str) -> bool:
    """True if the Luhn sum over 80840 and the ten digits ends in 0 (45 CFR 162.406; CMS, NPI check digit)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed("80840" + npi))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _npi(value: str) -> str:
    if not has_npi_check_digit(value):
        raise PydanticCustomError("npi_check_digit", "The NPI's check digit is wrong")
    return value


Npi = Annotated[Text, Field(pattern=r"^[0-9]{10}$", examples=["1234567893"]), AfterValidator(_npi)]
