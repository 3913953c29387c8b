"""Segments of an X12 interchange, with characters, numbers and dates in the standard's form."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Self

from anyascii import anyascii

from app.core.text import without_invisibles

# X12.6 basic character set without `*` and `:`, which we use as delimiters.
DATA_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"&'()+,-./;?=")

# Punctuation whose meaning survives in the basic set.
_SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛`´ʻʼ", "'"),  # noqa: RUF001
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‐‑‒–—―−•_~:", "-"),  # noqa: RUF001
        **dict.fromkeys("|\\⁄", "/"),  # noqa: RUF001
        **dict.fromkeys("[{", "("),
        **dict.fromkeys("]}", ")"),
        "@": " AT ",
        "%": " PCT ",
    }
)

_PUNCTUATION = re.compile(r"[\s().-]")
_SIGNS = re.escape("".join(sorted(DATA_CHARACTERS - {" "})))
_PLAIN = re.compile(f"(?:[a-z{_SIGNS}]+(?: [a-z{_SIGNS}]+)*)?")

# anyascii turns an emoji into its name.
_EMOJI = re.compile(":[^:]+:")
_ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The separators of one interchange. `repetition` is None before version 00402, where ISA11 is no separator."""

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
        """A segment to send. Values go through `x12_text`, tuples become composites, trailing empties are dropped."""
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

    Raises ValueError when a value does not fit. An ISA that is not 106 characters long is unreadable.
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

    Letters of any script are spelled in Latin ones (é as E, Ə as E, Ж as ZH), and typographic punctuation becomes its
    plain form (a dash a hyphen). Delimiters and ASCII signs outside the set become the nearest plain sign where there
    is one (`:` `~` `_` to `-`, `|` to `/`, `[` to `(`), a space otherwise (`*`, `^`, `#`). Runs of white space become
    one space. Characters without a spelling (see `is_spellable`) become a space, but field rules refuse them before.
    """
    if is_plain(value):
        return value.upper()
    spellings = map(_spelling, _composed(value))
    return " ".join("".join(" " if spelled is None else spelled for spelled in spellings).split())


def is_plain(value: str) -> bool:
    """True if the text is sent as it is, in upper case. Almost every value is, so that no character is looked at."""
    return _PLAIN.fullmatch(value) is not None


def is_spellable(value: str) -> bool:
    """True if every character of the text has a spelling: an emoji or an unassigned character has none."""
    return is_plain(value) or all(_spelling(char) is not None for char in _composed(value))


def _composed(value: str) -> str:
    return unicodedata.normalize("NFC", without_invisibles(value))


@lru_cache(maxsize=4096)
def _spelling(char: str) -> str | None:
    """A character in data characters and blanks. "" for an accent that no composed letter has. None: no spelling."""
    spelled = anyascii(char.translate(_SPELLINGS))
    if _EMOJI.fullmatch(spelled):
        return None
    plain = "".join(sign if sign in DATA_CHARACTERS else " " for sign in spelled.upper().translate(_SPELLINGS))
    is_mark = unicodedata.category(char).startswith("M")
    if not plain.strip() and not char.isascii() and not char.isspace() and not is_mark:
        return None
    # 12½ must not become 121/2
    return f" {plain}" if unicodedata.category(char) == "No" else plain


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
    return _PUNCTUATION.sub("", value)


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
