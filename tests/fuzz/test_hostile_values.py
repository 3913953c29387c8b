"""Hostile values in every field, parameter and header of every operation: no 5xx, and no error outside the contract.

A run in CI gives every place a few of the values, in turn; a deep one gives every place all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TypeVar

import httpx
import pytest

from tests.fuzz.bodies import acceptable
from tests.fuzz.contract import check_answer
from tests.fuzz.document import DEEP, OPERATIONS, Described
from tests.fuzz.hostile import (
    BODIES,
    CANARY,
    HEADER_VALUES,
    HEADERS,
    JSON_VALUES,
    QUERY_TEXTS,
    places,
    with_key_twice,
    with_value,
)
from tests.fuzz.service import Service
from tests.fuzz.world import UNREACHED, World, uses_up

STRIDE = 1 if DEEP else 6
JSON = (b"content-type", b"application/json")
T = TypeVar("T")
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]


def in_turn(values: Mapping[str, T], number: int) -> Iterator[tuple[str, T]]:
    """Every STRIDE-th value, beginning elsewhere for each place."""
    return ((name, value) for index, (name, value) in enumerate(values.items()) if (index + number) % STRIDE == 0)


def address(operation: Described, world: World, **replaced: str) -> str:
    """The path with ids of open records, or of final ones where nothing is open."""
    values = world.final.of(operation.path) | world.open.of(operation.path) | replaced
    return operation.path.format(**values)


def expect_contract(
    service: Service,
    world: World,
    operation: Described,
    target: str,
    *headers: tuple[bytes, bytes],
    content: bytes | None = None,
) -> httpx.Response:
    own = [] if any(name == b"authorization" for name, _ in headers) else service.authorization(operation.actor)
    answer = service.send(operation.method, target, [*own, *headers], content)
    check_answer(answer, operation, [CANARY])
    if uses_up(operation.method, operation.path, answer.status_code):
        world.renew()
    return answer


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_fields(service: Service, world: World, operation: Described) -> None:
    fields = [(), *dict.fromkeys(places(operation.body))]
    assert len(fields) > 1
    version: int | None = None
    for number, place in enumerate(fields):
        for _, fragment in in_turn(JSON_VALUES, number):
            target = address(operation, world)
            version = version or world.version(operation.actor, target)
            body = acceptable(operation, world.open, version)
            answer = expect_contract(service, world, operation, target, JSON, content=with_value(body, place, fragment))
            if answer.status_code < 300 or answer.status_code == 409:
                version = None


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_the_unspoilt_body_is_read(service: Service, world: World, operation: Described) -> None:
    """Otherwise the fields would be spoilt in a body that is refused for another reason."""
    if operation.part["operationId"] == "create_paper_remittance":
        world.renew()  # a payer decides about every line, and other tests change them
    target = address(operation, world)
    body = acceptable(operation, world.open, world.version(operation.actor, target))
    answer = expect_contract(service, world, operation, target, JSON, content=json.dumps(body).encode())
    judged = "password_wrong" in answer.text  # what the sample says was read, and is not the actor's password
    judged = judged or operation.part["operationId"] in UNREACHED
    assert judged or answer.status_code not in (404, 422), answer.text


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_bodies(service: Service, world: World, operation: Described) -> None:
    number = WITH_BODY.index(operation)
    for _, content in in_turn(BODIES, number):
        answer = expect_contract(service, world, operation, address(operation, world), JSON, content=content)
        assert answer.status_code in (400, 409, 413, 422), answer.text
    body = acceptable(operation, world.open, None)
    for name in body:
        expect_contract(service, world, operation, address(operation, world), JSON, content=with_key_twice(body, name))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_parameters(service: Service, world: World, operation: Described) -> None:
    start = OPERATIONS.index(operation)
    body = None if operation.body is None else with_value(acceptable(operation, world.open, None), ("version",), "1")
    headers = () if body is None else (JSON,)
    for number, name in enumerate(operation.parameters("path"), start):
        for _, text in in_turn(QUERY_TEXTS, number):
            if text:
                expect_contract(
                    service, world, operation, address(operation, world, **{name: text}), *headers, content=body
                )
    for number, name in enumerate((*operation.parameters("query"), "unknown"), start):
        for _, text in in_turn(QUERY_TEXTS, number):
            query = f"{name}={text}&{name}={text}" if number % 2 else f"{name}={text}"
            expect_contract(service, world, operation, f"{address(operation, world)}?{query}", *headers, content=body)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_headers(service: Service, world: World, operation: Described) -> None:
    start = OPERATIONS.index(operation)
    for number, name in enumerate(HEADERS, start):
        for _, value in in_turn(HEADER_VALUES, number):
            body = None if operation.body is None else with_value(acceptable(operation, world.open, None), (), "{}")
            given = (name.encode(), value)
            headers = [given] if body is None or name == "content-type" else [JSON, given]
            expect_contract(service, world, operation, address(operation, world), *headers, content=body)
