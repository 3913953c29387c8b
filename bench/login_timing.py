"""Measures whether the time of a refused sign-in tells who has an account: unknown users beside wrong passwords.

`make bench ARGS=login_timing` runs the service in its own process, with production's bcrypt cost. It runs without the
limits, which would answer before any work is done. The two kinds take turns, so that what else the machine does falls
on both. Their medians and the ratio of these are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
from pydantic import SecretStr

from app.core.auth.throttle import Counted, Throttle
from app.core.paths import API_PREFIX
from app.main import create_app
from app.registry import ServiceSettings
from bench.scratch import Medic, found_agency, scratch_database

WARM_UP = 5


class Unlimited(Throttle):
    """Lets everything pass, so that the work behind it is what is measured."""

    async def _take(self, counted: Counted) -> None:
        return


@dataclass(frozen=True)
class Timing:
    """Medians in milliseconds."""

    logins: int
    unknown_user_ms: float
    wrong_password_ms: float

    @property
    def ratio(self) -> float:
        return self.unknown_user_ms / self.wrong_password_ms


async def time_logins(client: httpx.AsyncClient, medic: Medic, logins: int) -> Timing:
    """Time `logins` sign-ins of each kind. Raises RuntimeError when one is not refused as expected."""
    wrong = {**vars(medic), "password": "not the password"}
    unknown = {**wrong, "email": f"nobody@{medic.tenant_slug}.example"}
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * (WARM_UP + logins)):
        known = bool(number % 2)
        started = time.perf_counter()
        answer = await client.post(f"{API_PREFIX}/auth/login", json=wrong if known else unknown)
        seconds = time.perf_counter() - started
        if answer.status_code != 401:
            raise RuntimeError(f"a login that must fail answered {answer.status_code}")
        taken[known].append(seconds * 1000)
    medians = {known: statistics.median(times[WARM_UP:]) for known, times in taken.items()}
    return Timing(logins, medians[False], medians[True])


async def measure(environment: Mapping[str, str], logins: int, rounds: int) -> Timing:
    with tempfile.TemporaryDirectory() as data:
        settings = ServiceSettings().model_copy(
            update={
                **{name.lower(): SecretStr(dsn) for name, dsn in environment.items()},
                "data_dir": Path(data),
                "redis_url": None,
                "run_jobs": False,
                "log_level": "ERROR",
                "password_rounds": rounds,
            }
        )
        medic = await found_agency(settings)
        app = create_app(settings)
        runtime = app.state.runtime
        runtime.throttle = Unlimited(None, runtime.keys, address_failures=settings.address_failures)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
                return await time_logins(client, medic, logins)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logins", type=int, default=500, help="of each kind")
    parser.add_argument("--rounds", type=int, default=12, help="bcrypt cost")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    os.environ.setdefault("ENVIRONMENT", "test")
    with scratch_database() as environment:
        timing = asyncio.run(measure(environment, given.logins, given.rounds))
    if given.json:
        print(orjson.dumps({**vars(timing), "ratio": timing.ratio}).decode())
        return 0
    print(f"refused sign-ins, medians of {timing.logins} each at bcrypt cost {given.rounds}")
    print(f"  unknown user    {timing.unknown_user_ms:8.2f} ms")
    print(f"  wrong password  {timing.wrong_password_ms:8.2f} ms")
    print(f"  ratio           {timing.ratio:8.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
