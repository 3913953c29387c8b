"""What refreshing the readiness costs: GET …/readiness beside GET …/chart of the same chart, in one run.

`make bench ARGS=readiness` prints three rows. `chart` is the chart's own read. `unchanged` asks for the readiness of
the same chart again. `after a save` asks after each autosave, so that nothing remembered helps. The autosave itself is
not counted.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.config import Settings
from app.core.paths import API_PREFIX
from bench.chart_read import Scale, fill, measured
from bench.report import Summary
from bench.scratch import found_agency
from bench.service import Service, running

_API = f"{API_PREFIX}/ems/incidents"
_BASE, _UNCHANGED, _SAVED = "chart", "unchanged", "after a save"
_ROUTES = {_BASE: "chart", _UNCHANGED: "readiness", _SAVED: "readiness"}


@dataclass
class Cost:
    python: list[float] = field(default_factory=list)  # CPU ms per read, a value per round
    took: list[float] = field(default_factory=list)  # ms, a value per read


async def measure(service: Service, incident: str, scale: Scale) -> dict[str, Cost]:
    """Each round measures every variant, and begins with another one than the round before."""
    costs = {name: Cost() for name in _ROUTES}
    turns = list(_ROUTES)
    for name in turns:
        await _read(service, incident, name)
    for _ in range(scale.rounds):
        for name in turns:
            await service.collect_garbage()
            spent = 0.0
            for _ in range(scale.reads):
                python, took = await _read(service, incident, name)
                spent += python
                costs[name].took.append(took)
            costs[name].python.append(spent / scale.reads)
        turns.append(turns.pop(0))
    return costs


async def _read(service: Service, incident: str, name: str) -> tuple[float, float]:
    """The milliseconds of Python's CPU and of waiting that one read takes."""
    if name == _SAVED:
        await _save(service, incident)
    python, started = await service.cpu_seconds(), time.perf_counter()
    await service.expect(200, "GET", f"{_API}/{incident}/{_ROUTES[name]}")
    took = time.perf_counter() - started
    return (await service.cpu_seconds() - python) * 1e3, took * 1e3


async def _save(service: Service, incident: str) -> None:
    head = await service.expect(200, "GET", f"{_API}/{incident}")
    body = {"version": head["version"], "location_unit": f"{head['version']}"}
    await service.expect(200, "PATCH", f"{_API}/{incident}", body)


def summarize(costs: dict[str, Cost]) -> Summary:
    """The medians over the rounds. `ratio` is the Python CPU by that of the chart's own read in the same round."""
    base = costs[_BASE].python
    return {
        name: {
            "Python ms": round(statistics.median(cost.python), 2),
            "ratio": round(statistics.median([mine / other for mine, other in zip(cost.python, base, strict=True)]), 2),
            "p50 ms": round(statistics.median(cost.took), 2),
        }
        for name, cost in costs.items()
    }


async def _run(environment: Mapping[str, str], scale: Scale) -> Summary:
    medic = await found_agency(Settings.model_validate({name.lower(): value for name, value in environment.items()}))
    async with running(environment) as service:
        await service.sign_in(medic)
        return summarize(await measure(service, await fill(service, scale), scale))


def main(arguments: list[str]) -> int:
    return measured("bench.readiness", __doc__ or "", _run, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
