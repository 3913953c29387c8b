"""Agencies and the people in them, signed in for real."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.core.config import Settings
from app.core.ids import TenantId
from scripts.provision_tenant import provision

ROLES: dict[str, dict[str, Any]] = {
    "admin": {"role": "admin"},
    "medic": {"role": "ems"},
    "partner": {"role": "ems"},
    "supervisor": {"role": "ems", "is_reviewer": True},
    "biller": {"role": "billing"},
    "founder": {"role": "founder"},
}


def profile(slug: str) -> dict[str, Any]:
    """A complete tenant profile with fictional identifiers."""
    return {
        "slug": slug,
        "legal_name": "Prairie Test Ambulance",
        "state": "IL",
        "time_zone": "America/Chicago",
        "agency_state_id": "IL-TEST-01",
        "agency_number": "TEST-01",
        "npi": "1467890129",
        "ein": "371234567",
        "taxonomy": "3416L0300X",
        "street": "1 Station Road",
        "city": "Springfield",
        "zip": "62701-1000",
        "phone": "2175550100",
        "billing_contact_name": "Billing Office",
        "submitter_id": "371234567",
        "receiver_name": "OFFICE ALLY",
        "receiver_id": "330897513",
    }


@dataclass
class Actor:
    """Sends requests with its own token."""

    client: httpx.AsyncClient
    token: str | None = None

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", None) or {})
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        url = path if path.startswith("/") else f"/api/v1/{path}"
        return await self.client.request(method, url, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("POST", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)

    async def expect(self, status: int, method: str, path: str, **options: Any) -> Any:
        """The JSON body of an answer that must have `status`."""
        response = await self.request(method, path, **options)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None


@dataclass
class Agency:
    """One tenant and its signed-in users by role name (see ROLES)."""

    tenant_id: TenantId
    slug: str
    passwords: dict[str, str]
    actors: dict[str, Actor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Actor:
        try:
            return self.actors[name]
        except KeyError as error:
            raise AttributeError(name) from error


async def found_agency(client: httpx.AsyncClient, settings: Settings) -> Agency:
    """Provision a fresh tenant and sign everybody in over HTTP."""
    slug = f"t-{uuid.uuid4().hex[:16]}"
    users = [{"email": f"{name}@{slug}.example", "display_name": name.title(), **role} for name, role in ROLES.items()]
    tenant_id, passwords = await provision(settings, profile(slug), users)
    agency = Agency(tenant_id, slug, passwords)
    for name in ROLES:
        email = f"{name}@{slug}.example"
        answer = await client.post(
            "/api/v1/auth/login", json={"tenant_slug": slug, "email": email, "password": passwords[email]}
        )
        assert answer.status_code == 200, answer.text
        agency.actors[name] = Actor(client, answer.json()["access_token"])
    return agency
