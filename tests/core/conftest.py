"""Fresh tenants without people, the tables of `charts`, and principals to act as."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from app import registry
from app.core.config import Settings
from app.core.db.pool import ConnectionSource, create_engine
from app.core.db.uow import UnitOfWork
from app.core.ids import TenantId, new_id
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.tenants.models import Tenant
from app.core.tenants.service import TenantAction
from app.main import create_app
from tests.core import chart_api
from tests.core.charts import Chart, ChartAction, create_tables
from tests.core.principals import KEYS, principal_of
from tests.support.actors import Actor, profile
from tests.support.database import TestDatabase


@pytest.fixture(scope="session")
async def charts(database: TestDatabase) -> None:
    """The tables of tests.core.charts, in this worker's database."""
    await create_tables(database.owner)


@pytest.fixture(scope="session")
async def chart_app(charts: None, settings: Settings, runtime: Runtime) -> AsyncIterator[FastAPI]:
    """The service itself, composed as ever, with one more router; its own runtime, the same keys and database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ROUTERS", (*registry.ROUTERS, chart_api.router))
        application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="session")
async def chart_client(chart_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(chart_app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http


@pytest.fixture(scope="session")
def chart_runtime(chart_app: FastAPI) -> Runtime:
    held: Runtime = chart_app.state.runtime
    return held


@pytest.fixture
def sign_in(chart_client: httpx.AsyncClient, chart_runtime: Runtime) -> Callable[[Principal], Actor]:
    """An actor with a token for that principal, on the app that has charts."""

    def issue(principal: Principal) -> Actor:
        assert principal.user_id is not None
        token = chart_runtime.tokens.issue(
            user_id=principal.user_id,
            tenant_id=principal.tenant_id,
            role=principal.role,
            is_reviewer=False,
            session_id=new_id(),
        )
        return Actor(chart_client, token)

    return issue


@pytest.fixture
def medic(sign_in: Callable[[Principal], Actor], principal: Principal) -> Actor:
    """`principal`, signed in."""
    return sign_in(principal)


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
    """A factory of tenants that have no users."""

    async def make() -> TenantId:
        tenant_id = TenantId(new_id())
        async with UnitOfWork(owner, Principal.system(tenant_id), KEYS) as uow:
            slug = f"k-{uuid.uuid4().hex[:16]}"
            await uow.create(Tenant(id=tenant_id, tenant_id=tenant_id, **profile(slug)), TenantAction.PROVISIONED)
        return tenant_id

    return make


@pytest.fixture
async def tenant_id(new_tenant: Callable[[], Awaitable[TenantId]]) -> TenantId:
    return await new_tenant()


@pytest.fixture
def principal(tenant_id: TenantId) -> Principal:
    return principal_of(tenant_id)


@pytest.fixture
async def chart(charts: None, runtime: Runtime, principal: Principal) -> Chart:
    """A stored chart of `principal`'s tenant."""
    made = Chart(
        tenant_id=principal.tenant_id,
        incident_id=new_id(),
        number=f"C-{uuid.uuid4().hex[:8]}",
        patient_name="Canary Quill",
        vitals={"pulse": [80, 82]},
        findings={"airway": "clear", "skin": "pale"},
        narrative="Canary found the patient on the floor.",
        access_code="canary-code",
        tags=["trauma"],
    )
    async with runtime.unit_of_work(principal) as uow:
        await uow.create(made, ChartAction.OPENED)
    return made
