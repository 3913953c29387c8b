"""A parameter of the query that an operation does not have, or has once and is given twice, is refused by name."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

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
        ("status=draft&status=in_progress", [("status", "repeated_parameter")]),
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
    for query in ("limit=1&sort=created_at", "status=draft", "include_deleted=false", ""):
        assert (await agency.medic.expect(200, "GET", f"ems/incidents?{query}"))["items"] == []


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_a_probe_may_append_what_it_likes(anonymous: Actor, path: str) -> None:
    assert (await anonymous.request("GET", path, params={"probe": "1"})).status_code == 200
