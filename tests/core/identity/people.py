"""Signing in, and reading the links that e-mails would carry."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from app.core.account_tokens.sealing import token_text
from app.core.runtime import Runtime
from tests.core.http.contract import expect_refusal
from tests.support.actors import Actor, Agency

STRONG = "violet-Tangent-91-harbor"
ANOTHER = "quartz-Meadow-38-lantern"


def email_of(agency: Agency, name: str) -> str:
    return f"{name}@{agency.slug}.example"


def from_address(app: FastAPI, address: str) -> httpx.AsyncClient:
    """A client whose requests come from `address`."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def credentials(agency: Agency, name: str, password: str | None = None) -> dict[str, str]:
    """What the login asks for; the provisioned password unless another is given."""
    email = email_of(agency, name)
    return {"tenant_slug": agency.slug, "email": email, "password": password or agency.passwords[email]}


async def log_in(
    client: httpx.AsyncClient, agency: Agency, name: str, password: str | None = None, **more: Any
) -> httpx.Response:
    return await client.post("/api/v1/auth/login", json=credentials(agency, name, password) | more)


@dataclass
class SignedIn(Actor):
    """An actor with a session of its own and its present refresh token."""

    refresh_token: str = ""
    device_token: str = ""

    async def refresh(self, token: str | None = None, key: str | None = None) -> httpx.Response:
        """Sends `token` (the present one by default); remembers nothing."""
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"refresh_token": token or self.refresh_token}
        return await self.client.post("/api/v1/auth/refresh", json=body, headers=headers)

    async def renew(self) -> None:
        """Refresh and go on with the new pair."""
        answer = await self.refresh()
        assert answer.status_code == 200, answer.text
        self.token, self.refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]

    async def expect_out(self) -> None:
        """Neither token opens anything any more."""
        expect_refusal(await self.get("auth/me"), 401, "UNAUTHENTICATED")
        expect_refusal(await self.refresh(), 401, "UNAUTHENTICATED")


async def signed_in(
    client: httpx.AsyncClient, agency: Agency, name: str = "medic", password: str | None = None, **more: Any
) -> SignedIn:
    answer = await log_in(client, agency, name, password, **more)
    assert answer.status_code == 200, answer.text
    given = answer.json()
    return SignedIn(
        client, given["access_token"], refresh_token=given["refresh_token"], device_token=given["device_token"]
    )


async def id_of(agency: Agency, name: str) -> str:
    page = await agency.admin.expect(200, "GET", "users", params={"email": email_of(agency, name)})
    [user] = page["items"]
    return str(user["id"])


async def act_on(agency: Agency, user_id: str, action: str, **more: Any) -> dict[str, Any]:
    """A transition by the administrator, in the user's present version."""
    user = await agency.admin.expect(200, "GET", f"users/{user_id}")
    body = {"action": action, "version": user["version"], **more}
    changed: dict[str, Any] = await agency.admin.expect(200, "POST", f"users/{user_id}/transitions", json=body)
    return changed


async def invite(agency: Agency, name: str = "novice", **more: Any) -> dict[str, Any]:
    body = {"email": email_of(agency, name), "display_name": name.title(), "role": "ems", **more}
    invited: dict[str, Any] = await agency.admin.expect(201, "POST", "users", json=body)
    return invited


async def links_of(connection: asyncpg.Connection, runtime: Runtime, user_id: str | uuid.UUID) -> list[str]:
    """The texts of all links ever made for a user, oldest first: what only their e-mails held."""
    rows = await connection.fetch(
        "SELECT id, tenant_id FROM account_tokens WHERE user_id = $1 ORDER BY id", uuid.UUID(str(user_id))
    )
    return [token_text(runtime.keys, row["tenant_id"], row["id"]) for row in rows]


async def reset(client: httpx.AsyncClient, link: str, password: str = STRONG) -> httpx.Response:
    return await client.post("/api/v1/auth/password/reset", json={"token": link, "new_password": password})


async def ask_for_link(client: httpx.AsyncClient, slug: str, email: str) -> httpx.Response:
    return await client.post("/api/v1/auth/password/forgot", json={"tenant_slug": slug, "email": email})
