"""Rules that a claim record declares beside each field; `record_check` applies them to a whole tree of records."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from app.billing.x12.segments import bare_digits, is_spellable, x12_text
from app.core.identifiers import has_npi_check_digit


class Fault(NamedTuple):
    """A fault that a rule found. Its message is the field's label followed by `says`."""

    code: str
    says: str


class FieldRule(Protocol):
    """A check of one value that is present."""

    def faults(self, value: Any) -> Iterator[Fault]: ...


MISSING = Fault("MISSING", "is missing")
NOT_A_NUMBER = Fault("NOT_A_NUMBER", "is not a finite number")


@dataclass(frozen=True)
class Text:
    """Free text, sent through `x12_text`. Lengths are of the text as sent. Text without a spelling is refused."""

    longest: int
    shortest: int = 1

    def faults(self, value: str) -> Iterator[Fault]:
        sent = x12_text(value)
        if not is_spellable(value):
            yield Fault("UNSPELLABLE", "holds a character that a claim cannot spell")
        elif len(sent) > self.longest:
            yield Fault("TOO_LONG", f"is longer than {self.longest} characters")
        elif not any(map(str.isalnum, sent)):
            yield Fault("CHARACTERS", "holds no letter or digit that a claim can carry")
        elif len(sent) < self.shortest:
            yield Fault("TOO_SHORT", f"is shorter than {self.shortest} characters")


@dataclass(frozen=True)
class Identifier:
    """A number that others must recognise. A sign that cannot be sent is refused, while free text replaces it."""

    longest: int
    shortest: int = 1

    def faults(self, value: str) -> Iterator[Fault]:
        if x12_text(value) != value.upper():
            yield Fault("CHARACTERS", "holds a sign that a claim cannot carry, or a stray space")
        if not self.shortest <= len(value) <= self.longest:
            yield Fault("LENGTH", f"must have {self.shortest} to {self.longest} characters")


@dataclass(frozen=True)
class Pattern:
    """A value of a fixed shape. With `bare`, punctuation typed into a number is ignored, here and on output."""

    shape: str
    code: str
    says: str
    bare: bool = False

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.shape, re.ASCII)

    def faults(self, value: str) -> Iterator[Fault]:
        if not self._compiled.fullmatch(bare_digits(value) if self.bare else value):
            yield Fault(self.code, self.says)


@dataclass(frozen=True)
class OneOf:
    """A code of a closed list, given as words."""

    words: str
    code: str = "CODE"

    @cached_property
    def codes(self) -> frozenset[str]:
        return frozenset(self.words.split())

    def faults(self, value: str) -> Iterator[Fault]:
        if value not in self.codes:
            yield Fault(self.code, "is not one of the codes allowed")


@dataclass(frozen=True)
class Npi:
    """A National Provider Identifier: ten digits whose Luhn sum, with the issuer prefix 80840, ends in 0."""

    def faults(self, value: str) -> Iterator[Fault]:
        if not re.fullmatch(r"[12]\d{9}", value, re.ASCII):
            yield Fault("NPI", "must be ten digits beginning with 1 or 2")
        elif not has_npi_check_digit(value):
            yield Fault("NPI_CHECK_DIGIT", "is mistyped: its check digit is wrong")


@dataclass(frozen=True)
class Number:
    """A decimal from `least` to `most` with at most `places` digits after the point."""

    least: Decimal
    most: Decimal
    places: int

    def faults(self, value: Decimal) -> Iterator[Fault]:
        if not value.is_finite():
            yield NOT_A_NUMBER
        elif not self.least <= value <= self.most:
            yield Fault("RANGE", f"must lie between {self.least} and {self.most}")
        elif value != round(value, self.places):
            yield Fault("DECIMALS", f"has more than {self.places} decimals")


@dataclass(frozen=True)
class Whole:
    """An integer from `least` to `most`."""

    least: int
    most: int

    def faults(self, value: int) -> Iterator[Fault]:
        if not self.least <= value <= self.most:
            yield Fault("RANGE", f"must lie between {self.least} and {self.most}")


@dataclass(frozen=True)
class Each:
    """A tuple of `at_least` to `at_most` different items. `rule` applies to each item. Records check themselves."""

    at_least: int
    at_most: int
    rule: FieldRule | None = None

    def faults(self, value: tuple[Any, ...]) -> Iterator[Fault]:
        if len(value) < self.at_least:
            yield MISSING
        if len(value) > self.at_most:
            yield Fault("TOO_MANY", f"holds more than {self.at_most}")
        if len(set(value)) < len(value):
            yield Fault("DUPLICATE", "holds the same entry twice")
