"""Every refusal has one form, whatever refuses; every answer has its headers and its request id."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.core.ids import new_id
from app.core.permissions import Principal
from tests.core.charts import Chart
from tests.core.http.contract import assert_headers, expect_refusal
from tests.core.principals import principal_of
from tests.support.actors import Actor

CHARTS = "/api/v1/probe/charts"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api", "/api/v1", "/api/v1/nothing/at/all", "/api/v1/tenants/current/", "/health/live/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW"])
async def test_unknown_path_is_404(chart_client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await chart_client.request(method, path)
    if method == "HEAD":
        assert answer.status_code == 404
        assert_headers(answer)
    else:
        expect_refusal(answer, 404, "NOT_FOUND")


async def test_missing_object_is_404(medic: Actor) -> None:
    assert expect_refusal(await medic.get(f"{CHARTS}/{new_id()}"), 404, "NOT_FOUND") == {}


async def test_foreign_object_answers_exactly_like_a_missing_one(chart: Chart, another: Actor) -> None:
    body = {"version": 1, "number": "x"}
    for method, options in (("GET", {}), ("PATCH", {"json": body})):
        foreign = await another.request(method, f"{CHARTS}/{chart.id}", **options)
        missing = await another.request(method, f"{CHARTS}/{new_id()}", **options)
        expect_refusal(foreign, 404, "NOT_FOUND")
        assert _but_for_the_trace(foreign) == _but_for_the_trace(missing)


@pytest.fixture
async def another(new_tenant: Any, sign_in: Any) -> Actor:
    """Somebody of another tenant."""
    actor: Actor = sign_in(principal_of(await new_tenant()))
    return actor


def _but_for_the_trace(answer: httpx.Response) -> Any:
    body = answer.json()
    body["error"].pop("trace_id")
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, body, headers


def test_every_path_of_the_app_is_tried_below(chart_app: FastAPI) -> None:
    assert len(_methods_by_path(chart_app)) > 10


def _methods_by_path(app: FastAPI) -> dict[str, set[str]]:
    """Also those of routes whose parameter takes what another path spells out: `…/{incident_id}` and `…/search`."""
    methods: dict[str, set[str]] = {}
    for route in iter_route_contexts(app.routes):
        if route.methods:  # a websocket has none
            methods.setdefault(str(route.path), set()).update(route.methods)
    return {path: set[str]().union(*(own for other, own in methods.items() if _takes(other, path))) for path in methods}


def _takes(path: str, other: str) -> bool:
    pattern = re.sub(r"\\{[^{}]*\\}", "[^/]+", re.escape(path))
    return re.fullmatch(pattern, other) is not None


async def test_wrong_method_is_405_with_every_allowed_method(chart_app: FastAPI, medic: Actor) -> None:
    """Of all routes of that path: Starlette would name those of the first."""
    for path, allowed in _methods_by_path(chart_app).items():
        address = path.replace("{chart_id}", str(uuid.uuid4())).replace("{number}", "1").replace("{failure}", "x")
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} - allowed:
            answer = await medic.request(method, address)
            expect_refusal(answer, 405, "METHOD_NOT_ALLOWED")
            assert set(answer.headers["allow"].split(", ")) == allowed, f"{method} {address}"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer\tx", "Bearer  x", "Token x", "x" * 9000],
)
async def test_no_usable_token_is_401(chart_client: httpx.AsyncClient, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    expect_refusal(await chart_client.get("/api/v1/auth/me", headers=headers), 401, "UNAUTHENTICATED")


async def test_missing_permission_is_403(medic: Actor) -> None:
    expect_refusal(await medic.patch("tenants/current", json={"version": 1, "trade_name": "x"}), 403, "FORBIDDEN")


async def test_token_comes_before_the_body_and_permission_too(chart_client: httpx.AsyncClient, medic: Actor) -> None:
    """Who may not call learns nothing about what the body should be."""
    expect_refusal(await chart_client.post(CHARTS, json={"nonsense": 1}), 401, "UNAUTHENTICATED")
    expect_refusal(await medic.patch("tenants/current", json={"nonsense": 1}), 403, "FORBIDDEN")


async def test_stale_version_is_409_with_the_servers_version(medic: Actor, chart: Chart) -> None:
    details = expect_refusal(
        await medic.patch(f"{CHARTS}/{chart.id}", json={"version": 9, "number": "x"}), 409, "CONFLICT"
    )
    assert details == {"server_version": 1, "updated_at": chart.updated_at.isoformat()}


async def test_duplicate_is_409_with_the_field(medic: Actor, chart: Chart) -> None:
    body = {"incident_id": str(new_id()), "number": chart.number}
    assert expect_refusal(await medic.post(CHARTS, json=body), 409, "ALREADY_EXISTS") == {"field": "number"}


async def test_invalid_body_is_422_with_every_problem(medic: Actor) -> None:
    details = expect_refusal(await medic.post(CHARTS, json={"number": 5, "charge": "x"}), 422, "VALIDATION_FAILED")
    assert {(problem["field"], problem["code"]) for problem in details["problems"]} >= {
        ("incident_id", "missing"),
        ("number", "string_type"),
    }
    assert all(set(problem) == {"field", "code", "message"} for problem in details["problems"])


async def test_many_problems_are_cut_off(medic: Actor) -> None:
    body = {f"field_{number}": number for number in range(5000)}
    details = expect_refusal(await medic.post(CHARTS, json=body), 422, "VALIDATION_FAILED")
    assert (len(details["problems"]), details["problems_omitted"]) == (100, 4902)


@pytest.mark.parametrize("path", ["/health/live", "/openapi.json", "/metrics"])
async def test_success_has_the_headers_too(chart_client: httpx.AsyncClient, path: str) -> None:
    answer = await chart_client.get(path)
    assert answer.status_code == 200
    assert_headers(answer)


@pytest.mark.parametrize("path", ["/health/live", "/nothing", "/api/v1/auth/me", "/api/v1/probe/fail"])
async def test_request_id_that_is_a_uuid_is_echoed(chart_client: httpx.AsyncClient, path: str) -> None:
    given = str(uuid.uuid4())
    answer = await chart_client.get(path, headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == given
    if answer.status_code >= 400:
        assert answer.json()["error"]["trace_id"] == given


@pytest.mark.parametrize(
    "given", ["", "1", "not-a-uuid", "x" * 5000, "é", "00000000-0000-0000-0000-00000000000g", "\x7f"]
)
async def test_request_id_that_is_no_uuid_is_replaced(chart_client: httpx.AsyncClient, given: str) -> None:
    answer = await chart_client.get("/nothing", headers={b"x-request-id": given.encode()})
    made = answer.headers["x-request-id"]
    assert uuid.UUID(made) and made != given
    expect_refusal(answer, 404, "NOT_FOUND")


async def test_request_id_is_written_in_one_form(chart_client: httpx.AsyncClient) -> None:
    """uuid.UUID reads several spellings; what goes out and into the audit log is one."""
    given = uuid.uuid4()
    for spelling in (given.hex, str(given).upper(), f"{{{given}}}", given.urn):
        answer = await chart_client.get("/nothing", headers={"X-Request-ID": spelling})
        assert answer.headers["x-request-id"] == str(given)


async def test_two_requests_have_two_ids(chart_client: httpx.AsyncClient) -> None:
    ids = {(await chart_client.get("/nothing")).json()["error"]["trace_id"] for _ in range(5)}
    assert len(ids) == 5


async def test_request_id_is_in_the_audit_event(medic: Actor, principal: Principal, admin_connection: Any) -> None:
    given = uuid.uuid4()
    made = await medic.expect(
        201,
        "POST",
        CHARTS,
        json={"incident_id": str(new_id()), "number": "audited"},
        headers={"X-Request-ID": str(given)},
    )
    stored = await admin_connection.fetchrow(
        "SELECT request_id, actor_user_id FROM audit_events WHERE entity_id = $1", uuid.UUID(made["id"])
    )
    assert tuple(stored) == (given, principal.user_id)
