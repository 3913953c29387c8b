"""The judge of the trials finds what may be wrong with a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scripts.realtime_client import Event
from tests.realtime.processes.trial import expect_log

STORED = [{"id": f"event-{number}", "aggregate_id": f"chart-{number % 2}"} for number in range(6)]


def told(number: int, sequence: int | None = None) -> Event:
    chart = f"chart-{number % 2}"
    place = 10 + number if sequence is None else sequence
    return Event("channel", f"event-{number}", "incident.updated", "chart.read", place, "incident", chart, {})


def whole() -> list[Event]:
    return [told(number) for number in range(6)]


def test_a_whole_log_is_accepted() -> None:
    log = whole()
    expect_log(log, STORED)
    charts_beside_each_other = [told(number, 10 + place) for place, number in enumerate((1, 0, 3, 2, 4, 5))]
    expect_log(charts_beside_each_other, STORED)
    assert log == whole()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda log: log.pop(),
        lambda log: log.pop(2),
        lambda log: log.append(log[-1]),
        lambda log: log.append(told(6)),
        lambda log: log.__setitem__(3, told(3, 12)),
        lambda log: log.__setitem__(slice(0, 3), [told(2, 10), told(1, 11), told(0, 12)]),
        lambda log: log.clear(),
    ],
    ids=["end missing", "gap", "twice", "foreign", "sequence twice", "order of a chart", "nothing"],
)
def test_a_spoiled_log_is_refused(spoil: Callable[[list[Event]], Any]) -> None:
    log = whole()
    spoil(log)
    with pytest.raises(AssertionError):
        expect_log(log, STORED)
