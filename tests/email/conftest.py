"""Fixtures of the email tests: a runtime whose mail goes to an SES of our own, and the app with an SNS topic."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.core.config import Settings
from app.core.db.pool import ConnectionSource, create_engine
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.tenants.models import Tenant
from app.core.tenants.service import TenantAction
from app.email.notices.gateway import SNS, SnsGateway
from app.main import create_app
from tests.email.support.ses_server import CONFIGURATION_SET, SesServer
from tests.email.support.topic import ARN, Topic
from tests.support.actors import Actor, profile


@pytest.fixture(scope="session")
def ses_server() -> Iterator[SesServer]:
    with SesServer().running() as server:
        yield server


@pytest.fixture
def ses(ses_server: SesServer, monkeypatch: pytest.MonkeyPatch) -> SesServer:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    ses_server.reset()
    return ses_server


@pytest.fixture
def ses_settings(settings: Settings, ses: SesServer) -> Settings:
    return settings.model_copy(
        update={
            "ses_region": "us-east-1",
            "ses_endpoint_url": ses.url,
            "ses_configuration_set": CONFIGURATION_SET,
            "email_from": "FusionEMS <no-reply@fusionems.example>",
            "app_url": "https://app.fusionems.example",
        }
    )


@pytest.fixture
def ses_runtime(runtime: Runtime, ses_settings: Settings) -> Runtime:
    """The service's runtime, whose mail goes to `ses`."""
    return dataclasses.replace(runtime, settings=ses_settings)


@pytest.fixture(scope="session")
async def owner(settings: Settings) -> AsyncIterator[ConnectionSource]:
    """The owner role's connections: only it creates tenants."""
    assert settings.migration_database_url is not None
    source = ConnectionSource(
        create_engine(settings.migration_database_url.get_secret_value(), pool_size=2, application_name="test-owner")
    )
    yield source
    await source.dispose()


@pytest.fixture
def new_tenant(owner: ConnectionSource, runtime: Runtime) -> Callable[[], Awaitable[TenantId]]:
    """A factory of agencies without people: mail is sent by the system."""

    async def make() -> TenantId:
        tenant_id = TenantId(new_id())
        async with UnitOfWork(owner, Principal.system(tenant_id), runtime.keys) as uow:
            slug = f"m-{uuid.uuid4().hex[:16]}"
            await uow.create(Tenant(id=tenant_id, tenant_id=tenant_id, **profile(slug)), TenantAction.PROVISIONED)
        return tenant_id

    return make


@pytest.fixture
async def tenant_id(new_tenant: Callable[[], Awaitable[TenantId]]) -> TenantId:
    return await new_tenant()


@pytest.fixture
def mail_dir(settings: Settings) -> Path:
    return settings.data_dir / "mail"


@pytest.fixture(scope="session")
def topic() -> Topic:
    return Topic()


@pytest.fixture(scope="session")
async def subscribed_client(settings: Settings, topic: Topic) -> AsyncIterator[httpx.AsyncClient]:
    """The service with SNS_TOPIC_ARN set. What it fetches from SNS, `topic` answers."""
    application = create_app(settings.model_copy(update={"sns_topic_arn": ARN}))
    runtime: Runtime = application.state.runtime
    with runtime.gateways.replace(SNS, SnsGateway(topic.transport)):
        async with application.router.lifespan_context(application):
            transport = httpx.ASGITransport(application, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
                yield http


@pytest.fixture
def sns(subscribed_client: httpx.AsyncClient, topic: Topic) -> Actor:
    """Whoever posts to the webhook; it has no token."""
    topic.visited.clear()
    topic.away = False
    return Actor(subscribed_client)
