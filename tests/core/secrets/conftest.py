"""The service as if a domain took two secrets of an agency."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest

from app.core.config import Settings
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.secrets.public import SecretKind
from app.main import create_app
from app.registry import COMPOSITION
from tests.support.actors import Agency, found_agency


def _not_a_key(value: str) -> str | None:
    return None if value.startswith("key-") else "Give a value that starts with key-."


CLEARINGHOUSE = SecretKind("clearinghouse_login", "How files reach the clearinghouse.")
PROCESSOR = SecretKind("processor_key", "Lets the service act at the payment processor.", _not_a_key)


@pytest.fixture(scope="session")
async def secrets_client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    composition = dataclasses.replace(COMPOSITION, secret_kinds=(CLEARINGHOUSE, PROCESSOR))
    application = create_app(settings, composition)
    async with application.router.lifespan_context(application):
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield http


@pytest.fixture
def secrets_runtime(secrets_client: httpx.AsyncClient) -> Runtime:
    transport = secrets_client._transport
    assert isinstance(transport, httpx.ASGITransport)
    held: Runtime = transport.app.state.runtime  # type: ignore[attr-defined]  # a FastAPI application
    return held


@pytest.fixture
async def keepers(secrets_client: httpx.AsyncClient, settings: Settings) -> Agency:
    """An agency of that service."""
    return await found_agency(secrets_client, settings)


@pytest.fixture
async def others(secrets_client: httpx.AsyncClient, settings: Settings) -> Agency:
    return await found_agency(secrets_client, settings)


@pytest.fixture
def system(keepers: Agency) -> Principal:
    """The service itself, at work for that agency."""
    return Principal.system(keepers.tenant_id)
