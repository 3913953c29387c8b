"""XSD simple types. They judge a value at autosave exactly as the schema will judge it at export.

Verdicts equal libxml2's. The tests compare the two on every type of the dictionary.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from app.ems.elements import dates

XML_SPACE = " \t\r\n"
_ILLEGAL_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]+")
_UNTRANSLATABLE = re.compile(r"\\[pPiIcCwWsSbBAZ]|\[[^\]]*-\[")
_DOT_OUTSIDE_CLASS = re.compile(r"(\\.|\[(?:\\.|[^\]])*\])|(\.)|([\^$])")


class Violation(StrEnum):
    """Which rule of its type a value breaks; the names become problem codes in the API."""

    NOT_IN_LIST = "not_in_list"
    WRONG_FORM = "wrong_form"
    WRONG_LENGTH = "wrong_length"
    TOO_MANY_DIGITS = "too_many_digits"
    OUT_OF_RANGE = "out_of_range"
    ILLEGAL_CHARACTER = "illegal_character"


@dataclass(frozen=True, slots=True)
class Facets:
    """The constraining facets of XML Schema Part 2 that NEMSIS uses. Bounds stay in lexical form."""

    pattern: str | None = None
    length: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    min_inclusive: str | None = None
    max_inclusive: str | None = None


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A named simple type: a restriction of a built-in one, or a union when it has `members`."""

    name: str
    base: str = "string"
    facets: Facets = Facets()
    codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    members: tuple["SimpleType", ...] = ()

    def __post_init__(self) -> None:
        if self.base not in _JUDGES:
            raise ValueError(f"type {self.name} restricts xs:{self.base}, which has no judge here")
        if self.facets.pattern is not None:
            compiled_pattern(self.facets.pattern)

    def violation(self, value: str) -> Violation | None:
        """The first rule that `value` breaks, or None for a valid one."""
        if self.codes:
            return None if value in self.codes else Violation.NOT_IN_LIST
        if self.members:
            return _union(self, value)
        return _JUDGES[self.base](self.facets, value)


def has_illegal_character(text: str) -> bool:
    """True if `text` holds a character that XML 1.0 cannot carry: NUL, most controls, lone surrogates, U+FFFE/F."""
    return _ILLEGAL_CHARACTER.search(text) is not None


@lru_cache(maxsize=256)
def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """An XSD pattern as a Python one (use fullmatch: XSD patterns are anchored).

    Raises ValueError for the constructs whose meaning differs and that NEMSIS does not use.
    """
    if _UNTRANSLATABLE.search(pattern):
        raise ValueError(f"XSD pattern {pattern!r} uses a construct that has no translation here")
    return re.compile(_DOT_OUTSIDE_CLASS.sub(_translated, pattern))


def _translated(match: re.Match[str]) -> str:
    kept, dot, literal = match.groups()
    if dot:
        return r"[^\n\r]"  # Python's dot takes a carriage return, XSD's does not
    return kept or f"\\{literal}"  # ^ and $ are ordinary characters in XSD


def _union(union: SimpleType, value: str) -> Violation | None:
    verdicts = [member.violation(value) for member in union.members]
    return None if None in verdicts else verdicts[0]


def _string(facets: Facets, value: str) -> Violation | None:
    size = len(value)
    if (
        (facets.length is not None and size != facets.length)
        or (facets.min_length is not None and size < facets.min_length)
        or (facets.max_length is not None and size > facets.max_length)
    ):
        return Violation.WRONG_LENGTH
    if facets.pattern is not None and not compiled_pattern(facets.pattern).fullmatch(value):
        return Violation.WRONG_FORM
    return None


def _integer(facets: Facets, value: str) -> Violation | None:
    return _number(facets, value, _INTEGER)


def _positive_integer(facets: Facets, value: str) -> Violation | None:
    return _number(facets, value, _INTEGER, minimum=Decimal(1))


def _decimal(facets: Facets, value: str) -> Violation | None:
    return _number(facets, value, _DECIMAL)


def _number(facets: Facets, value: str, form: re.Pattern[str], minimum: Decimal | None = None) -> Violation | None:
    text = value.strip(XML_SPACE)
    if not form.fullmatch(text):
        return Violation.WRONG_FORM
    whole, _, fraction = text.lstrip("+-").partition(".")
    digits, fraction_digits = len(whole.lstrip("0")), len(fraction.rstrip("0"))
    if facets.fraction_digits is not None and fraction_digits > facets.fraction_digits:
        return Violation.TOO_MANY_DIGITS
    if facets.total_digits is not None and digits + fraction_digits > facets.total_digits:
        return Violation.TOO_MANY_DIGITS
    number = Decimal(text)
    if (
        (minimum is not None and number < minimum)
        or (facets.min_inclusive is not None and number < _bound(facets.min_inclusive))
        or (facets.max_inclusive is not None and number > _bound(facets.max_inclusive))
    ):
        return Violation.OUT_OF_RANGE
    return None


def _date_time(facets: Facets, value: str) -> Violation | None:
    text = value.strip(XML_SPACE)
    if facets.pattern is not None and not compiled_pattern(facets.pattern).fullmatch(text):
        return Violation.WRONG_FORM
    return _within(facets, dates.parse_date_time(text), dates.parse_date_time)


def _date(facets: Facets, value: str) -> Violation | None:
    # XML Schema would strip the space around an xs:date; libxml2 refuses it.
    return _within(facets, dates.parse_date(value), dates.parse_date)


def _within(
    facets: Facets, instant: dates.Moment | None, parse: Callable[[str], dates.Moment | None]
) -> Violation | None:
    if instant is None:
        return Violation.WRONG_FORM
    for limit, wrong_side in ((facets.min_inclusive, -1), (facets.max_inclusive, 1)):
        bound = parse(limit) if limit is not None else None
        if bound is not None and dates.compare(instant, bound) in (wrong_side, None):
            return Violation.OUT_OF_RANGE
    return None


def _base64(facets: Facets, value: str) -> Violation | None:
    # XML Schema refuses characters outside the alphabet; libxml2 skips them, as MIME decoders do.
    return None if _BASE64.fullmatch(_NOT_BASE64.sub("", value)) else Violation.WRONG_FORM


@lru_cache(maxsize=256)
def _bound(text: str) -> Decimal:
    return Decimal(text)


_JUDGES: Mapping[str, Callable[[Facets, str], Violation | None]] = {
    "string": _string,
    "integer": _integer,
    "positiveInteger": _positive_integer,
    "decimal": _decimal,
    "dateTime": _date_time,
    "date": _date,
    "base64Binary": _base64,
}
