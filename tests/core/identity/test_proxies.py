"""Addresses behind proxies: only configured ones are believed, and a peer that is not shows in log and readiness."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.core.auth import proxies as module
from app.core.auth.proxies import TrustedProxies, read_networks
from app.core.auth.settings import AuthSettings
from app.core.config import Settings
from tests.core.http.contract import expect_refusal
from tests.core.identity.conftest import another_app

BALANCERS = "10.0.0.0/16, 127.0.0.1"


def behind(app: FastAPI, trusted: str, peer: str) -> httpx.AsyncClient:
    """The service as uvicorn serves it with --forwarded-allow-ips, asked by `peer`."""
    served: Any = ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type]  # Starlette's own types
    transport = httpx.ASGITransport(served, raise_app_exceptions=False, client=(peer, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def guess(http: httpx.AsyncClient, forwarded: str) -> int:
    headers = {"X-Forwarded-For": forwarded}
    return (await http.post("/api/v1/auth/refresh", json={"refresh_token": "x"}, headers=headers)).status_code


async def test_clients_of_a_trusted_balancer_count_apart_and_those_of_another_together(settings: Settings) -> None:
    few = settings.model_copy(update={"address_failures": 5, "forwarded_allow_ips": BALANCERS, "redis_url": None})
    async with another_app(few) as (app, _):
        async with behind(app, BALANCERS, "10.0.3.4") as http:
            statuses = [await guess(http, f"198.51.100.{number}") for number in range(8)]
            assert statuses == [401] * 8
            assert (await http.get("/health/ready")).json()["proxies"] == "ok"
        async with behind(app, BALANCERS, "203.0.113.9") as http:
            statuses = [await guess(http, f"198.51.100.{number}") for number in range(3)]
            assert statuses == [401, 401, 429], "half of five, in one process: the header is not believed"
            assert (await http.get("/health/ready")).json()["proxies"] == "untrusted"
            expect_refusal(await http.post("/api/v1/auth/refresh", json={"refresh_token": "x"}), 429, "RATE_LIMITED")


@pytest.mark.parametrize(
    ("client", "forwarded", "untrusted"),
    [
        ("198.51.100.7", "198.51.100.7", False),
        ("198.51.100.7", "192.0.2.66, 198.51.100.7, 10.0.1.1", False),
        ("198.51.100.7", "198.51.100.7:4711", False),
        ("2001:db8::7", "[2001:db8::7]:4711, 10.0.1.1", False),
        ("10.0.1.1", "10.0.1.1, 10.0.1.2", False),
        ("198.51.100.7", "", False),
        ("198.51.100.7", None, False),
        ("203.0.113.9", "198.51.100.7", True),
        ("203.0.113.9", "unknown", True),
    ],
)
def test_peer_that_is_not_trusted_is_noticed(client: str, forwarded: str | None, untrusted: bool) -> None:
    proxies = TrustedProxies(BALANCERS)
    proxies.notice(client, forwarded)
    assert proxies.sees_untrusted is untrusted


def test_notice_is_forgotten_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5000.0

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now

    monkeypatch.setattr(module, "time", Clock)
    proxies = TrustedProxies(BALANCERS)
    proxies.notice("203.0.113.9", "198.51.100.7")
    now += 3599
    assert proxies.sees_untrusted
    now += 2
    assert not proxies.sees_untrusted


@pytest.mark.parametrize("setting", ["*", "", "balancer.internal", "10.0.0.0/8,*", "10.0.0.1/8"])
def test_setting_that_names_no_address_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_networks(setting)
    with pytest.raises(ValidationError, match="forwarded_allow_ips"):
        AuthSettings(forwarded_allow_ips=setting)
