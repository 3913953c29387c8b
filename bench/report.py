"""Turns the figures of the rounds into one line per variant."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

BASE = "hand-written"


@dataclass
class Cost:
    """What one variant costs: the round trips of one request, and lists with a value per round.

    `python` and `postgres` are CPU µs per request, `p50` and `p99` ms, `per_second` requests.
    """

    round_trips: float
    python: list[float] = field(default_factory=list)
    postgres: list[float] = field(default_factory=list)  # empty where it cannot be read
    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


Summary = dict[str, dict[str, float | None]]


def summarize(costs: dict[str, Cost]) -> Summary:
    """The medians over the rounds. `ratio` is the Python CPU by that of the hand-written route in the same round.

    Other load on the machine falls on both alike, so that their quotient varies less than either.
    """
    base = costs[BASE].python
    return {
        variant: {
            "round trips": round(cost.round_trips, 2),
            "Python µs": _median(cost.python, 0),
            "ratio": _median([mine / other for mine, other in zip(cost.python, base, strict=True)], 2),
            "PostgreSQL µs": _median(cost.postgres, 0),
            "requests/s": _median(cost.per_second, 0),
            "p50 ms": _median(cost.p50, 1),
            "p99 ms": _median(cost.p99, 1),
        }
        for variant, cost in costs.items()
    }


def _median(values: list[float], digits: int) -> float | None:
    return round(statistics.median(values), digits) if values else None


def table(summary: Summary) -> str:
    heads = ("", *next(iter(summary.values())))
    lines = [heads, *((variant, *map(_cell, measures.values())) for variant, measures in summary.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
    )


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
