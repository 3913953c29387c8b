"""xs:dateTime and xs:date as libxml2 reads them, because a state's validator gives the verdict of libxml2.

Where libxml2 departs from XML Schema Part 2, this module follows libxml2 and says so.
"""

import math
import re
from calendar import monthrange
from datetime import date
from typing import NamedTuple

_OFFSET = r"(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?"
_DAY = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_DATE = re.compile(_DAY + _OFFSET)
_DATE_TIME = re.compile(
    _DAY + r"T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?" + _OFFSET
)
_MAX_OFFSET_MINUTES = 14 * 60


class Moment(NamedTuple):
    """A point on the time line: proleptic day number and seconds of that day, in UTC when the offset is known."""

    day: int
    second: float
    has_offset: bool


def parse_date(text: str) -> Moment | None:
    """None when `text` is no xs:date with a four-digit year (NEMSIS bounds every date to 1890 to 2050)."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day = _day_number(match)
    offset = _offset_minutes(match["offset"])
    if day is None or offset is None:
        return None
    return _in_utc(day, 0, 0, 0.0, offset, match["offset"] is not None)


def parse_date_time(text: str) -> Moment | None:
    """None when `text` is no xs:dateTime with a four-digit year. 24:00:00 is allowed, a leap second (:60) is not."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    day = _day_number(match)
    offset = _offset_minutes(match["offset"])
    hour, minute = int(match["hour"]), int(match["minute"])
    second = _seconds(match["second"], match["fraction"] or "")
    end_of_day = (hour, minute, second) == (24, 0, 0.0)
    if day is None or offset is None or not (end_of_day or (hour < 24 and minute < 60 and second < 60)):
        return None
    return _in_utc(day, hour, minute, second, offset, match["offset"] is not None)


def compare(value: Moment, bound: Moment) -> int | None:
    """-1, 0 or 1; None when only one of the two has an offset and they fall on the same instant.

    XML Schema calls the two incomparable within 14 hours of each other, libxml2 only at the same instant.
    """
    ours, theirs = value[:2], bound[:2]
    if ours == theirs:
        return 0 if value.has_offset == bound.has_offset else None
    return -1 if ours < theirs else 1


def _day_number(match: re.Match[str]) -> int | None:
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return date(year, month, day).toordinal()


def _seconds(whole: str, fraction: str) -> float:
    """libxml2 sums the fraction's digits in double precision, so 59.99999999999999999 becomes 60 and is refused."""
    total, weight = float(whole), 1.0
    for digit in fraction:
        weight /= 10
        total += int(digit) * weight
    return total


def _offset_minutes(text: str | None) -> int | None:
    if text is None or text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if minutes > 59 or hours * 60 + minutes > _MAX_OFFSET_MINUTES:
        return None
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def _in_utc(day: int, hour: int, minute: int, second: float, offset: int, has_offset: bool) -> Moment:
    """The instant in UTC. libxml2 does not shift a zero offset: 24:00:00+00:00 stays before the next midnight."""
    if offset == 0:
        return Moment(day, hour * 3600 + minute * 60 + second, has_offset)
    shifted = second - offset * 60
    # libxml2 carries minutes from truncated seconds, so 00:59:59.5+01:00 comes out one minute late.
    minutes = hour * 60 + minute + math.trunc(shifted) // 60
    return Moment(day + minutes // 1440, minutes % 1440 * 60 + shifted % 60, has_offset)
