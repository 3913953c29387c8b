"""Measures whether the time of an answer tells who has an account.

Refused sign-ins: unknown users beside wrong passwords. Forgotten passwords: unknown users beside users who get a link.
`make bench ARGS=login_timing` runs the service in its own process, with production's bcrypt cost. It runs without the
limits, which would answer before any work is done. The two kinds take turns, so that what else the machine does falls
on both. Their medians and the ratios of these are printed.
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

from app.core.account_tokens import service as account_tokens
from app.core.auth.throttle import Counted, Throttle
from app.core.paths import API_PREFIX
from app.main import create_app
from app.registry import ServiceSettings
from bench.scratch import Medic, found_agency, scratch_database

WARM_UP = 5
AT_ONCE = 20
"""Pairs of forgotten passwords under way: each answer takes FORGOT_PASSWORD_MILLISECONDS at least."""


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
    forgot_unknown_ms: float
    forgot_known_ms: float

    @property
    def ratio(self) -> float:
        return self.unknown_user_ms / self.wrong_password_ms

    @property
    def forgot_ratio(self) -> float:
        return self.forgot_unknown_ms / self.forgot_known_ms


async def time_logins(client: httpx.AsyncClient, medic: Medic, logins: int) -> tuple[float, float]:
    """The medians of `logins` sign-ins of each kind: unknown, known. Raises RuntimeError when one is not refused."""
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
    return medians[False], medians[True]


async def time_forgotten(client: httpx.AsyncClient, medic: Medic, pairs: int) -> tuple[float, float]:
    """The medians of requests for a link: unknown, known. Raises RuntimeError when one is not accepted."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    emails = {True: medic.email, False: f"nobody@{medic.tenant_slug}.example"}
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(known: bool) -> None:
        started = time.perf_counter()
        body = {"tenant_slug": medic.tenant_slug, "email": emails[known]}
        answer = await client.post(f"{API_PREFIX}/auth/password/forgot", json=body)
        taken[known].append((time.perf_counter() - started) * 1000)
        if answer.status_code != 202:
            raise RuntimeError(f"a forgotten password was answered {answer.status_code}")

    async def pair(first: bool) -> None:
        async with turns:
            await ask(first)
            await ask(not first)

    await asyncio.gather(*(pair(bool(number % 2)) for number in range(pairs)))
    return statistics.median(taken[False]), statistics.median(taken[True])


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
        account_tokens.RESETS_PER_HOUR = sys.maxsize
        runtime.throttle = Unlimited(None, runtime.keys, address_failures=settings.address_failures)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
                refused = await time_logins(client, medic, logins)
                return Timing(logins, *refused, *await time_forgotten(client, medic, logins))


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
        told = {**vars(timing), "ratio": timing.ratio, "forgot_ratio": timing.forgot_ratio}
        print(orjson.dumps(told).decode())
        return 0
    print(f"refused sign-ins, medians of {timing.logins} each at bcrypt cost {given.rounds}")
    print(f"  unknown user    {timing.unknown_user_ms:8.2f} ms")
    print(f"  wrong password  {timing.wrong_password_ms:8.2f} ms")
    print(f"  ratio           {timing.ratio:8.4f}")
    print(f"forgotten passwords, medians of {timing.logins} each")
    print(f"  unknown user    {timing.forgot_unknown_ms:8.2f} ms")
    print(f"  known user      {timing.forgot_known_ms:8.2f} ms")
    print(f"  ratio           {timing.forgot_ratio:8.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
