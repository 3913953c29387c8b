"""A parameter of the query that an operation does not have, or has once and is given twice, is refused by name."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import Enum
from typing import Any, get_args, get_origin

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from app.core.filters import MOST_VALUES
from app.core.pagination import Page
from tests.architecture.routes import operations
from tests.core.http.contract import expect_refusal
from tests.support.actors import Actor, Agency


async def test_every_operation_refuses_what_it_does_not_have(app: FastAPI, anonymous: Actor) -> None:
    for operation in (one for one in operations(app) if one.path.startswith("/api/v1/")):
        answer = await anonymous.request(operation.method, operation.address(), params={"nonsense_of_ours": "1"})
        details = expect_refusal(answer, 422, "VALIDATION_FAILED")
        assert [(one["field"], one["code"]) for one in details["problems"]] == [
            ("nonsense_of_ours", "unknown_parameter")
        ], str(operation)


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ("limit=1&limit=2", [("limit", "repeated_parameter")]),
        ("cursor=a&cursor=b", [("cursor", "repeated_parameter")]),
        ("sort=created_at&sort=-created_at", [("sort", "repeated_parameter")]),
        ("include_deleted=false&include_deleted=true", [("include_deleted", "repeated_parameter")]),
        ("limit=1&limit=200&statsu=draft", [("statsu", "unknown_parameter"), ("limit", "repeated_parameter")]),
        ("Quackenbush%2C%20Ana=1", [("?", "unknown_parameter")]),
        ("=1", [("?", "unknown_parameter")]),
    ],
)
async def test_what_would_be_ignored_is_named(agency: Agency, query: str, problems: list[tuple[str, str]]) -> None:
    answer = await agency.medic.get(f"ems/incidents?{query}")
    details = expect_refusal(answer, 422, "VALIDATION_FAILED")
    assert [(one["field"], one["code"]) for one in details["problems"]] == problems
    assert "Quackenbush" not in answer.text


async def test_what_is_declared_is_taken(agency: Agency) -> None:
    for query in (
        "limit=1&sort=created_at",
        "status=draft",
        "status=draft&status=in_progress",
        "include_deleted=false",
        "",
    ):
        assert (await agency.medic.expect(200, "GET", f"ems/incidents?{query}"))["items"] == []


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_a_probe_may_append_what_it_likes(anonymous: Actor, path: str) -> None:
    assert (await anonymous.request("GET", path, params={"probe": "1"})).status_code == 200


def offered(dependant: Any) -> dict[str, Any]:
    """The parameters of a route's query with their types. A parameter that is a model stands for its fields."""
    found: dict[str, Any] = {}
    for below in dependant.dependencies:
        found |= offered(below)
    for parameter in dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found |= {name: field.annotation for name, field in annotation.model_fields.items()}
        else:
            found[parameter.alias] = annotation
    return found


def chooses_once(annotation: Any) -> bool:
    """True if a parameter takes one id or one member of an enumeration, and not several."""
    if get_origin(annotation) is list:
        return False
    if isinstance(annotation, type):
        return issubclass(annotation, (Enum, uuid.UUID))
    return any(map(chooses_once, get_args(annotation)))


# A log is asked about one chart: its entries are found chart by chart. Trips are open or exempt: they are two lists.
ONE_VALUE = {("list_audit_events", "incident_id"), ("list_access_log", "incident_id"), ("list_trips", "state")}


def test_every_filter_by_an_id_or_a_choice_can_be_repeated(app: FastAPI) -> None:
    lists = [
        route
        for context in iter_route_contexts(app.routes)
        if isinstance(route := context.original_route, APIRoute)
        and "GET" in (context.methods or ())
        and isinstance(route.response_model, type)
        and issubclass(route.response_model, Page)
    ]
    assert len(lists) > 20
    once = {
        (route.name, name) for route in lists for name, kind in offered(route.dependant).items() if chooses_once(kind)
    }
    assert once == ONE_VALUE


def is_of_days(kind: Any) -> bool:
    """True if a parameter takes a day, and not an instant."""
    return kind is dt.date or any(map(is_of_days, get_args(kind)))


def examples_of(kind: Any) -> list[str]:
    """Values of a filter that can be repeated: members of an enumeration, or ids that nothing has."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [member.value for member in kind][:MOST_VALUES]
    if kind is uuid.UUID:
        return [str(uuid.uuid4()), str(uuid.uuid4())]
    return [found for part in get_args(kind) for found in examples_of(part)]


async def test_every_list_answers_what_it_offers(app: FastAPI, agency: Agency) -> None:
    """Each filter with several values, each bound of a range, and each order; alone, and several at once."""
    head = await agency.medic.expect(201, "POST", "ems/incidents", json={"incident_number": "26-000001"})
    asked = 0
    for context in iter_route_contexts(app.routes):
        route: Any = context.original_route
        path = str(context.path).replace("{incident_id}", head["id"])
        listing = isinstance(route, APIRoute) and isinstance(route.response_model, type)
        if not listing or "GET" not in (context.methods or ()) or "{" in path:
            continue
        if not issubclass(route.response_model, Page):
            continue
        queries: dict[str, Any] = {}
        for name, kind in offered(route.dependant).items():
            if name.endswith(("_from", "_to")):
                queries[name] = "2026-03-01" if is_of_days(kind) else "2026-03-01T10:00:00-06:00"
            elif name == "sort":
                for sort in get_args(kind):
                    assert (await agency.admin.get(path, params={"sort": sort})).status_code == 200, (path, sort)
            elif values := examples_of(kind):
                queries[name] = values[:1] if (route.name, name) in ONE_VALUE else values
        for name, value in queries.items():
            answer = await agency.admin.get(path, params={name: value})
            assert answer.status_code == 200, (path, name, answer.text)
            asked += 1
        assert (await agency.admin.get(path, params=queries)).status_code == 200, path
    assert asked > 40


async def test_the_document_shows_filters_as_repeated(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    parameters = {one["name"]: one for one in paths["/api/v1/ems/incidents"]["get"]["parameters"]}
    assert (parameters["status"]["style"], parameters["status"]["explode"]) == ("form", True)
    assert parameters["status"]["schema"]["anyOf"][0]["type"] == "array"
    assert "explode" not in parameters["limit"]
