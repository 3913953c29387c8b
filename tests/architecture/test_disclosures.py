"""Nothing leaves undeclared: every route that can answer with a stored object or a link names its disclosure."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Response
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel

import app as application
from app import registry
from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means
from app.core.context import RequestContext, bind_context
from app.core.dependencies import Discloses, discloses, public_route
from app.core.extensions.schemas import IntegrationRead
from app.core.http import install_error_contract
from app.core.ids import new_random_uuid
from app.core.storage.schemas import UploadRead
from app.email.catalogue import TEMPLATES
from tests.architecture.routes import Operation, operations

SOURCES = Path(application.__file__).parent
# Documents that disclose nothing, each for its reason.
HARMLESS = {
    "GET /metrics": "figures of the process",
    "GET /api/v1/objects/downloads/{token}": "who was given the link is recorded when it is made, as with S3",
}
# Answers with an address that is no link to anything that the service holds.
ADDRESSES = {UploadRead: "a link to send something to", IntegrationRead: "where an outside system is"}
# The stores themselves, and the end of the links of one of them.
STORAGE = "core/storage/"


class ProbeAction(AuditAction):
    GIVEN = "probe.given"


class Linked(BaseModel):
    url: str


class Links(BaseModel):
    items: list[Linked]


PROBE = Disclosure(ProbeAction.GIVEN, Means.DOWNLOAD, "probe")


@pytest.fixture
def routes(app: FastAPI) -> list[Operation]:
    return operations(app)


def leading_out(annotation: Any) -> bool:
    """True if an answer has a field that is a link."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in ADDRESSES:
            return False
        fields = annotation.model_fields.items()
        return any(
            name in ("url", "link") or name.endswith(("_url", "_link")) or leading_out(field.annotation)
            for name, field in fields
        )
    return any(leading_out(part) for part in getattr(annotation, "__args__", ()))


def answers_with_an_object(route: Operation) -> bool:
    return bool(route.media - {"application/json"}) or leading_out(route.response)


def undeclared(routes: list[Operation]) -> list[str]:
    leaving = [route for route in routes if answers_with_an_object(route) and str(route) not in HARMLESS]
    return [str(route) for route in leaving if len(route.disclosures) != 1]


def test_every_document_and_every_link_is_a_declared_disclosure(routes: list[Operation]) -> None:
    assert undeclared(routes) == []


def test_harmless_documents_are_routes_that_exist(routes: list[Operation]) -> None:
    assert set(HARMLESS) <= {str(route) for route in routes if answers_with_an_object(route)}


def test_every_listed_disclosure_has_a_route_or_an_outbound_kind_and_no_other_has(routes: list[Operation]) -> None:
    named = {disclosure for route in routes for disclosure in route.disclosures}
    sent = {kind.disclosure for kind in registry.OUTBOUND if kind.disclosure is not None}
    assert named | sent == set(registry.DISCLOSURES)
    assert named & sent == set()


def test_disclosures_have_actions_of_their_own_from_the_closed_vocabulary() -> None:
    actions = [disclosure.action for disclosure in registry.DISCLOSURES]
    assert len(set(actions)) == len(actions)
    assert {type(action) for action in actions} <= set(registry.AUDIT_ACTIONS)


def test_a_document_and_a_link_without_a_disclosure_are_found() -> None:
    router = APIRouter(prefix="/probe")

    @router.get("/file", response_class=Response, responses={200: {"content": {"application/pdf": {}}}})
    async def get_file() -> Response:
        return Response()

    @router.get("/links")
    async def list_links() -> Links:
        return Links(items=[])

    @router.get("/declared", dependencies=[discloses(PROBE)])
    async def get_declared() -> Linked:
        return Linked(url="x")

    probe = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    probe.include_router(router)
    assert undeclared(operations(probe)) == ["GET /probe/file", "GET /probe/links"]


def test_mail_is_about_accounts_and_of_no_patient() -> None:
    """The first template that says more declares a disclosure, which its sending records."""
    said = {name for template in TEMPLATES for name in template.context.model_fields}
    assert said == {"agency", "name", "token_id", "expires_at", "slug"}


def reads_objects(tree: ast.AST) -> bool:
    """True if a module gets content out of the object store, or makes a link to it."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [function for function in calls if isinstance(function, ast.Attribute)]
    return any(
        function.attr == "sign_download"
        or (function.attr == "get" and ast.unparse(function.value).rpartition(".")[2] in ("objects", "_objects"))
        for function in named
    )


def test_whoever_takes_objects_out_of_the_store_discloses_them() -> None:
    """Also a module whose route hides what it answers with, such as base64 inside of JSON."""
    taking, silent = [], []
    for file in sorted(SOURCES.rglob("*.py")):
        place = file.relative_to(SOURCES).as_posix()
        tree = ast.parse(file.read_text())
        if place.startswith(STORAGE) or not reads_objects(tree):
            continue
        taking.append(place)
        if "disclose" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
            silent.append(place)
    assert len(taking) >= 3 and silent == []


async def test_a_route_that_forgets_to_record_answers_nothing() -> None:
    probe = FastAPI()
    install_error_contract(probe)

    @probe.get("/file", dependencies=[Depends(public_route), discloses(PROBE)])
    async def get_file() -> Response:
        return Response("Rivers, Ana")

    async with AsyncClient(transport=ASGITransport(probe, raise_app_exceptions=False), base_url="http://test") as http:
        answer = await http.get("/file")
    assert answer.status_code == 500 and "Rivers" not in answer.text


async def test_a_route_that_recorded_something_else_answers_nothing() -> None:
    context = RequestContext(request_id=new_random_uuid())
    bind_context(context)
    context.disclosed.add("probe.other")
    guard = Discloses(PROBE)()
    await anext(guard)
    with pytest.raises(AssertionError, match=r"probe\.given was not recorded"):
        await anext(guard)
    context.disclosed.add(PROBE.action)
    guard = Discloses(PROBE)()
    await anext(guard)
    with pytest.raises(StopAsyncIteration):
        await anext(guard)
