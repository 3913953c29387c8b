"""Segments of an X12 interchange: characters, numbers and dates as the standard wants them written."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Self

# X12.6 basic character set without `*` and `:`, which we use as delimiters.
DATA_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"&'()+,-./;?=")

# Letters that Unicode does not decompose, and punctuation whose meaning survives in the basic set.
_SPELLINGS = str.maketrans(
    {
        **dict(zip("ÆŒØŁĐÐÞẞ", ("AE", "OE", "O", "L", "D", "D", "TH", "SS"), strict=True)),
        **dict.fromkeys("‘’‚‛`´ʻʼ", "'"),  # noqa: RUF001
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‐‑‒–—―−_~:", "-"),  # noqa: RUF001
        **dict.fromkeys("|\\⁄", "/"),  # noqa: RUF001
        **dict.fromkeys("[{", "("),
        **dict.fromkeys("]}", ")"),
        "@": " AT ",
        "%": " PCT ",
    }
)

_ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The separators of one interchange; `repetition` is None before version 00402, whose ISA11 is no separator."""

    element: str
    repetition: str | None
    component: str
    segment: str


OUTBOUND = Delimiters(element="*", repetition="^", component=":", segment="~")

Composite = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment with its elements as they stand in the file; positions count from 1, as in the guides."""

    tag: str
    elements: tuple[str, ...]
    delimiters: Delimiters = OUTBOUND

    @classmethod
    def of(cls, tag: str, *elements: str | Composite | None) -> Self:
        """A segment to send: every value goes through `x12_text`, a tuple becomes a composite, trailing empties go."""
        return cls(tag, _trimmed([_element_text(element) for element in elements]))

    def element(self, position: int) -> str:
        """The whole element, or "" where it is absent."""
        return self.elements[position - 1] if position <= len(self.elements) else ""

    def component(self, position: int, component: int) -> str:
        """One component of a composite, or "" where it is absent."""
        parts = self.element(position).split(self.delimiters.component)
        return parts[component - 1] if component <= len(parts) else ""

    def repetitions(self, position: int) -> tuple[str, ...]:
        """The repeats of an element; empty where it is absent."""
        text = self.element(position)
        if not text:
            return ()
        return tuple(text.split(self.delimiters.repetition)) if self.delimiters.repetition else (text,)

    def render(self) -> str:
        """The segment as sent, terminator included."""
        return self.delimiters.element.join((self.tag, *self.elements)) + self.delimiters.segment


def isa_segment(*elements: str) -> Segment:
    """ISA01 to ISA10 and ISA12 to ISA15, padded to the fixed widths; the delimiters fill ISA11 and ISA16.

    Raises ValueError when a value does not fit: the ISA is 106 characters or it is unreadable.
    """
    values = [*(x12_text(element) for element in elements[:10]), "", *(x12_text(element) for element in elements[10:])]
    padded = [value.ljust(width) for value, width in zip([*values, ""], _ISA_WIDTHS, strict=True)]
    padded[10], padded[15] = OUTBOUND.repetition or "", OUTBOUND.component
    segment = Segment("ISA", tuple(padded))
    if len(segment.render()) != 106:
        raise ValueError("An ISA element is wider than the standard's fixed width.")
    return segment


def x12_text(value: str) -> str:
    """Text in the upper-case basic character set, free of delimiters and control characters; idempotent.

    Accents are dropped and typographic punctuation becomes its plain form (é to E, a dash to a hyphen). Delimiters and
    signs outside the set become the nearest plain sign where there is one (`:` `~` `_` to `-`, `|` to `/`, `[` to
    `(`), a space otherwise (`*`, `^`, `#`, scripts other than Latin). Runs of white space become one space.
    """
    # 12½ must not become 121/2
    parted = "".join(f" {char}" if unicodedata.category(char) == "No" else char for char in value)
    # upper case and spellings again after decomposition, which brings forth small letters and fraction slashes
    spelled = unicodedata.normalize("NFKD", parted.upper().translate(_SPELLINGS)).upper().translate(_SPELLINGS)
    kept = (char if char in DATA_CHARACTERS else " " for char in spelled if not unicodedata.combining(char))
    return " ".join("".join(kept).split())


def decimal_text(value: Decimal) -> str:
    """X12 type R: no exponent, no trailing zeros, and one zero before the point of a fraction (CMS asks for "0.9").

    Raises ValueError for NaN and infinities.
    """
    if not value.is_finite():
        raise ValueError("Only finite numbers can be sent.")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def date_text(value: date) -> str:
    """X12 type DT, format D8: CCYYMMDD."""
    return value.strftime("%Y%m%d").zfill(8)


def time_text(value: datetime) -> str:
    """X12 type TM: HHMM."""
    return value.strftime("%H%M")


def bare_digits(value: str) -> str:
    """A telephone number, ZIP code or tax id without the punctuation people type into it."""
    return re.sub(r"[\s().-]", "", value)


def _element_text(element: str | Composite | None) -> str:
    if element is None:
        return ""
    if isinstance(element, str):
        return x12_text(element)
    return OUTBOUND.component.join(_trimmed([x12_text(component or "") for component in element]))


def _trimmed(values: list[str]) -> tuple[str, ...]:
    while values and not values[-1]:
        values.pop()
    return tuple(values)
