"""What asking for pages costs: the time of each as a client sees it, by that of a first one in the same round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.report import Summary
from bench.service import Service, UnexpectedAnswer

Request = tuple[str, str, dict[str, Any] | None]
"""Method, path and body."""


@dataclass
class Cost:
    took: list[float] = field(default_factory=list)  # ms, a value per read
    median: list[float] = field(default_factory=list)  # of each round


async def measure(service: Service, requests: Mapping[str, Request], *, rounds: int, reads: int) -> dict[str, Cost]:
    """Each round asks for every page, and begins with another one than the round before."""
    costs = {name: Cost() for name in requests}
    turns = list(requests)
    for request in requests.values():
        await service.expect(200, *request)
    for _ in range(rounds):
        for name in turns:
            await service.collect_garbage()
            took = [await _read(service, *requests[name]) for _ in range(reads)]
            costs[name].took += took
            costs[name].median.append(statistics.median(took))
        turns.append(turns.pop(0))
    return costs


async def _read(service: Service, method: str, path: str, body: Any) -> float:
    started = time.perf_counter()
    answer = await service.expect(200, method, path, body)
    took = (time.perf_counter() - started) * 1e3
    if not answer["items"]:
        raise UnexpectedAnswer(f"{method} {path} finds nothing")
    return took


def summarize(costs: Mapping[str, Cost], base: str) -> Summary:
    """The medians. `ratio` is the time of a page by that of `base` in the same round."""
    first = costs[base].median
    return {
        name: {
            "p50 ms": round(statistics.median(cost.took), 1),
            "ratio": round(statistics.median([mine / one for mine, one in zip(cost.median, first, strict=True)]), 2),
        }
        for name, cost in costs.items()
    }
