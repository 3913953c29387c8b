"""Every route says who may call it, what it is for and what it answers; the document says the same."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from app import registry
from app.core.errors import registered_errors
from app.core.pagination import Page
from app.core.paths import API_PREFIX
from app.core.schemas import CreateModel, ReadModel, RequestModel, VersionedPatch
from tests.architecture.routes import Operation, bare_routes, operations
from tests.architecture.scratch import mapped_classes

# Operations that need no access token, each for its reason.
PUBLIC = {
    "GET /health/live": "load balancers",
    "GET /health/ready": "load balancers",
    "HEAD /health/live": "load balancers",
    "HEAD /health/ready": "load balancers",
    "GET /metrics": "the scraper inside the network",
    "POST /api/v1/auth/login": "that is where tokens come from",
    "POST /api/v1/auth/refresh": "the refresh token is the credential",
    "POST /api/v1/auth/password/forgot": "who forgot the password has no token",
    "POST /api/v1/auth/password/reset": "the mailed token is the credential",
    "POST /api/v1/portal/invoices/lookup": "patients have no accounts",
    "POST /api/v1/portal/checkout-sessions": "the portal token is the credential",
    "POST /api/v1/webhooks/stripe": "the signature is the credential",
    "POST /api/v1/webhooks/telnyx": "the signature is the credential",
    "POST /api/v1/webhooks/ses": "the signature is the credential",
    "POST /api/v1/objects/uploads/{token}": "the signed link is the credential",
    "GET /api/v1/objects/downloads/{token}": "the signed link is the credential",
    "GET /portal": "a page for patients",
    "GET /founder": "a page; its data need a token",
}
# GET without its body: the document describes GET.
UNDESCRIBED = {"HEAD /health/live", "HEAD /health/ready"}
# Lists that come whole, each for its reason.
UNPAGED = {"GET /api/v1/nemsis/dictionary": "the elements of one section of a published standard"}
# Deletions that ask for no version, each for its reason.
UNVERSIONED = {
    "DELETE /api/v1/auth/sessions/{session_id}": "the end of a session never loses to a refresh",
    "DELETE /api/v1/sessions/{session_id}": "the end of a session never loses to a refresh",
}
DOCUMENT = {
    "/openapi.json",
    "/docs",
    *(f"/docs/{name}" for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")),
}


@pytest.fixture
def routes(app: FastAPI) -> list[Operation]:
    found = operations(app)
    assert {"POST /api/v1/auth/login", "PATCH /api/v1/tenants/current"} <= {str(operation) for operation in found}
    return found


def test_every_route_declares_exactly_one_permission_or_is_public(routes: list[Operation]) -> None:
    undecided = [str(route) for route in routes if len(route.permissions) + route.public != 1]
    assert undecided == []


def test_public_routes_are_known(routes: list[Operation]) -> None:
    assert {str(route) for route in routes if route.public} <= set(PUBLIC)


def test_everything_else_is_the_document_or_a_websocket(app: FastAPI) -> None:
    assert bare_routes(app) == DOCUMENT | set(registry.WEBSOCKETS)


def test_required_permissions_are_listed(routes: list[Operation]) -> None:
    registered = set(registry.PERMISSIONS)
    assert {permission for route in routes for permission in route.permissions} <= registered


def test_paths_are_under_the_prefix_and_in_kebab_case(routes: list[Operation]) -> None:
    for route in routes:
        assert route.path.startswith(f"{API_PREFIX}/") or route.public, str(route)
        for segment in route.path.strip("/").split("/"):
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?|\{[a-z0-9_]+\}", segment), str(route)
        assert not route.path.endswith("/"), str(route)


def test_tenant_is_never_taken_from_the_request(routes: list[Operation]) -> None:
    """It comes from the token and from nowhere else (directive 1.3)."""
    for route in routes:
        assert "{tenant" not in route.path and "tenant_id" not in route.query, str(route)
        if route.body is not None:
            assert "tenant_id" not in route.body.model_fields, str(route)


def test_every_route_is_described(routes: list[Operation]) -> None:
    declared = {tag.name for tag in registry.TAGS}
    for route in routes:
        assert route.description.split(".")[0].count(" ") >= 1 and "." in route.description, str(route)
        assert len(route.tags) == 1 and route.tags[0] in declared, str(route)


def test_operation_ids_are_unique_and_readable(routes: list[Operation]) -> None:
    assert [name for name, count in Counter(route.name for route in routes).items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", route.name) for route in routes)


def test_answers_are_typed(routes: list[Operation]) -> None:
    """A declared return type gives the fast serialisation path, and keeps what is not declared inside."""
    for route in routes:
        if route.response is None and (route.status == 204 or route.media - {"application/json"}):
            continue  # an answer without a body, or a document
        assert route.response is not None, str(route)
        for model in _models(route.response):
            assert issubclass(model, ReadModel), f"{route}: {model.__name__} is no ReadModel"


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def test_request_bodies_are_closed(routes: list[Operation]) -> None:
    for route in routes:
        if route.body is None:
            continue
        assert issubclass(route.body, RequestModel), str(route)
        assert route.body.model_config["extra"] == "forbid", str(route)


def test_patches_carry_a_version_and_deletes_too(routes: list[Operation]) -> None:
    for route in routes:
        if route.method in ("PATCH", "PUT"):
            assert route.body is not None and issubclass(route.body, VersionedPatch), str(route)
        if route.method == "DELETE":
            assert ("version" in route.query) is (str(route) not in UNVERSIONED) and route.status == 204, str(route)


def test_lists_are_paged(routes: list[Operation]) -> None:
    for route in routes:
        response = route.response
        if isinstance(response, type) and issubclass(response, Page):
            asked = route.query if route.method == "GET" else route.body.model_fields.keys()
            assert {"limit", "cursor"} <= asked, str(route)
        unbounded = getattr(response, "__origin__", None) is list and str(route) not in UNPAGED
        assert not unbounded, f"{route} answers without bounds"


def test_document_and_routes_agree(app: FastAPI, routes: list[Operation]) -> None:
    document = app.openapi()
    described = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert {str(route) for route in routes} - described == UNDESCRIBED
    described_routes = [route for route in routes if str(route) in described]
    assert {str(route) for route in described_routes} == described
    for route in described_routes:
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["summary"] and operation["description"], str(route)
        assert operation["security"] == ([] if route.public else [{"bearer": []}]), str(route)
        if route.permissions:
            assert f"`{route.permissions[0].name}`" in operation["description"], str(route)
        for status, answer in operation["responses"].items():
            if status >= "400":
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorEnvelope"}, f"{route} {status}"
        assert [code for code in operation["responses"] if code.startswith("2")], str(route)


def test_a_creation_that_can_be_repeated_says_so(app: FastAPI, routes: list[Operation]) -> None:
    """The same client-made id and body answer 200 with what the first request answered 201 with."""
    document = app.openapi()
    creations = [route for route in routes if route.body is not None and issubclass(route.body, CreateModel)]
    assert creations
    for route in creations:
        answers = document["paths"][route.path][route.method.lower()]["responses"]
        assert answers["200"]["content"] == answers["201"]["content"], str(route)


def test_document_names_every_status_that_an_error_has(app: FastAPI) -> None:
    """But 405, the answer to a method that is no operation, and what the web server refuses before there is one."""
    operations = [operation for path in app.openapi()["paths"].values() for operation in path.values()]
    named = {status for operation in operations for status in operation["responses"]}
    assert {str(error.status) for error in registered_errors()} - named == {"405", "408", "431"}


def test_secrets_are_in_no_answer(app: FastAPI) -> None:
    secrets = {
        column.key
        for mapped in mapped_classes()
        for column in mapped.__table__.columns
        if column.info.get("sensitivity") == "secret"
    }
    assert "password_hash" in secrets
    for name, schema in app.openapi()["components"]["schemas"].items():
        assert not secrets & set(schema.get("properties", {})), name
