"""The days on which prices are in force, and whether two of them share one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.billing.fee_schedules.models import FeeSchedule
from app.core.errors import Problem


class Dated(Protocol):
    """A price of one service, stored or not."""

    @property
    def hcpcs(self) -> str: ...

    @property
    def effective_from(self) -> dt.date | None: ...

    @property
    def effective_to(self) -> dt.date | None: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A price and the place that a problem with it names; None for one that is stored already."""

    item: Dated
    place: str | None = None
    line: int | None = None


def period_problems(schedule: FeeSchedule, items: Sequence[Placed]) -> Iterator[Problem]:
    """Prices that are never in force within their schedule, and prices of one code that share a day.

    Of two prices, the problem is with the later one of the file, never with one that is stored.
    """
    by_code: dict[str, list[Placed]] = {}
    for placed in items:
        if placed.place is not None:
            yield from _outside(schedule, placed)
        by_code.setdefault(placed.item.hcpcs, []).append(placed)
    for same in by_code.values():
        yield from _shared_days(same)


def _outside(schedule: FeeSchedule, placed: Placed) -> Iterator[Problem]:
    first, last = placed.item.effective_from, placed.item.effective_to
    if first is not None and last is not None and last < first:
        yield Problem(f"{placed.place}effective_to", "before_its_beginning", "The last day is before the first one.")
    elif first is not None and schedule.effective_to is not None and first > schedule.effective_to:
        yield Problem(f"{placed.place}effective_from", "outside_schedule", "The schedule has ended by then.")
    elif last is not None and last < schedule.effective_from:
        yield Problem(f"{placed.place}effective_to", "outside_schedule", "The schedule has not begun by then.")


def _shared_days(same: Iterable[Placed]) -> Iterator[Problem]:
    seen: list[Placed] = []
    for placed in sorted(same, key=lambda one: one.line or 0):
        other = next((one for one in seen if _overlap(one.item, placed.item)), None)
        seen.append(placed)
        if other is not None:
            where = "those of a price that is there already" if other.line is None else f"those of line {other.line}"
            yield Problem(
                f"{placed.place}effective_from",
                "overlapping_dates",
                f"The dates of {placed.item.hcpcs} overlap {where}.",
            )


def _overlap(one: Dated, other: Dated) -> bool:
    return not (_ends_before(one, other) or _ends_before(other, one))


def _ends_before(one: Dated, other: Dated) -> bool:
    return one.effective_to is not None and other.effective_from is not None and one.effective_to < other.effective_from
