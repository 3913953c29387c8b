"""The service on an event loop of its own, so that Hypothesis, which is synchronous, can call it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from app.core.auth.throttle import Account, Origin
from app.core.config import Settings
from app.core.runtime import Runtime
from app.main import create_app
from tests.support.actors import Agency, found_agency

T = TypeVar("T")


class Service:
    """`send` puts exactly the given bytes on the (imaginary) wire."""

    def __init__(self, portal: BlockingPortal, client: httpx.AsyncClient, runtime: Runtime, agency: Agency) -> None:
        self._portal = portal
        self._client = client
        self.runtime = runtime
        self.agency = agency

    async def found_another(self) -> Agency:
        return await found_agency(self._client, self.runtime.settings)

    def wait_for(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return self._portal.call(function, *arguments)

    def send(
        self, method: str, target: str, headers: list[tuple[bytes, bytes]], content: bytes | None = None
    ) -> httpx.Response:
        """`target` is a path with its query, percent-encoded."""
        request = self._client.build_request(method, f"http://test{target}", headers=headers, content=content)
        answer = self.wait_for(self._client.send, request)
        if request.url.path.endswith("/auth/logout") and answer.status_code == 204:
            self._sign_in_again(request.headers["authorization"].removeprefix("Bearer "))
        return answer

    def _sign_in_again(self, token: str) -> None:
        """Whose session a request has ended, for the requests that follow: the guesses of the fuzz do not count."""
        for name, actor in self.agency.actors.items():
            if actor.token == token:
                email = f"{name}@{self.agency.slug}.example"
                login = {"tenant_slug": self.agency.slug, "email": email, "password": self.agency.passwords[email]}
                account = Account(self.agency.slug, email)
                self.wait_for(self.runtime.throttle.remember, account, Origin("127.0.0.1"), "")
                answer = self.wait_for(partial(self._client.post, "/api/v1/auth/login", json=login))
                actor.token = answer.json()["access_token"]

    def authorization(self, actor: str | None) -> list[tuple[bytes, bytes]]:
        if actor is None:
            return []
        return [(b"authorization", f"Bearer {self.agency.actors[actor].token}".encode())]


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Service]:
    with start_blocking_portal() as portal:
        app = create_app(settings)
        with portal.wrap_async_context_manager(app.router.lifespan_context(app)):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://test")
            with portal.wrap_async_context_manager(client):
                yield Service(portal, client, app.state.runtime, portal.call(found_agency, client, settings))
