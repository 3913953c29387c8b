"""Reads elements of received segments. Money is read strictly, everything else as far as it can be read."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from app.billing.x12.segments import Segment
from app.billing.x12.tokenizer import InterchangeReader

_AMOUNT = re.compile(r"-?(?:\d{1,10}(?:\.\d*)?|\.\d+)")
_CENT = Decimal("0.01")
_LONGEST_IDENTIFIER = 80


def amount(reader: InterchangeReader, segment: Segment, position: int) -> Decimal:
    """Dollars and cents. Raises InterchangeFormatError for anything else, an absent one included."""
    found = optional_amount(reader, segment, position)
    if found is None:
        raise reader.error(f"{segment.tag}{position:02} is missing.", segment)
    return found


def optional_amount(reader: InterchangeReader, segment: Segment, position: int) -> Decimal | None:
    """As `amount`; None where the element is absent."""
    text = segment.element(position).strip()
    if not text:
        return None
    found = Decimal(text) if _AMOUNT.fullmatch(text) else None
    if found is None or found != found.quantize(_CENT):
        raise reader.error(f"{segment.tag}{position:02} is no amount of money.", segment)
    return found.quantize(_CENT) + 0  # there is no -0 in the ledger


def identifier(reader: InterchangeReader, segment: Segment, position: int) -> str:
    """A number by which something is found. No payer gives a longer one. Raises InterchangeFormatError."""
    text = segment.element(position).strip()
    if len(text) > _LONGEST_IDENTIFIER:
        raise reader.error(f"{segment.tag}{position:02} is longer than {_LONGEST_IDENTIFIER} characters.", segment)
    return text


def quantity(segment: Segment, position: int) -> Decimal | None:
    """A count of units, or None where there is none that can be read."""
    text = segment.element(position).strip()
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def date_of(text: str) -> dt.date | None:
    """CCYYMMDD, or None where the text is no such day."""
    if len(text) != 8 or not (text.isascii() and text.isdecimal()):
        return None
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
