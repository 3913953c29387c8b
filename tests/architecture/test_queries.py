"""A request costs a known number of statements; a list over HTTP costs the same for one row as for many."""

from __future__ import annotations

from fastapi import FastAPI

from app.core.pagination import Page
from app.core.runtime import Runtime
from tests.architecture.queries import counted
from tests.architecture.routes import operations
from tests.support.actors import Agency


async def test_lists_over_http_cost_the_same_for_many_rows_as_for_one(
    app: FastAPI, runtime: Runtime, agency: Agency
) -> None:
    """Every list without an id in its path, as the administrator of an agency with its six users."""
    for operation in operations(app):
        response = operation.response
        listing = isinstance(response, type) and issubclass(response, Page) and operation.method == "GET"
        if not listing or "{" in operation.path or operation.public:
            continue
        sent = []
        await agency.admin.get(operation.path)  # the driver asks a fresh connection about types it has not met
        for limit in (1, 200):
            async with counted(runtime.database) as statements:
                answer = await agency.admin.get(operation.path, params={"limit": limit})
            if answer.status_code == 422:  # it has required filters: its own domain's tests count
                break
            sent.append(len(statements))
        assert len(set(sent)) <= 1, f"{operation}: {sent} statements for 1 and for 200 rows"


async def test_requests_of_the_identity_cost_three_statements(runtime: Runtime, agency: Agency) -> None:
    for path in ("auth/me", "tenants/current"):
        async with counted(runtime.database) as statements:
            await agency.medic.expect(200, "GET", path)
        assert len(statements) == 3, path
