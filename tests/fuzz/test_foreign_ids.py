"""Another agency's id in a path, a query or a body answers as an id that nothing has, but for the trace id."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from tests.core.evidence import checksum
from tests.fuzz.bodies import acceptable
from tests.fuzz.document import OPERATIONS, Described
from tests.fuzz.service import Service
from tests.fuzz.world import World
from tests.support.actors import Actor, Agency
from tests.support.database import TestDatabase

JSON = (b"content-type", b"application/json")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def request_of(operation: Described, world: World) -> tuple[str, str | None]:
    """Target and body, with an id of the seeded agency wherever an id may stand."""
    target = operation.path.format(**(world.final.of(operation.path) | world.open.of(operation.path)))
    named = {name: world.open.named(name, operation.path) for name in operation.parameters("query")}
    query = {name: value for name, value in named.items() if value is not None}
    if "version" in operation.parameters("query"):
        query["version"] = "1"
    if query:
        target += "?" + "&".join(f"{name}={value}" for name, value in query.items())
    return target, None if operation.body is None else json.dumps(acceptable(operation, world.open, 1))


def strangers(text: str) -> str:
    """The same text with ids that nothing has, equal ones staying equal."""
    made: dict[str, str] = {}
    return _ID.sub(lambda found: made.setdefault(found[0], str(uuid.uuid4())), text)


@pytest.fixture(scope="module")
def stranger(service: Service) -> Agency:
    return service.wait_for(service.found_another)


@pytest.fixture(scope="module")
def asked(world: World) -> list[tuple[Described, str, str | None]]:
    """Every operation that takes an id of somebody's record."""
    found = []
    for operation in OPERATIONS:
        target, body = request_of(operation, world)
        if operation.actor is not None and _ID.search(target + (body or "")):
            found.append((operation, target, body))
    return found


def without_trace(answer: httpx.Response) -> Any:
    content = answer.content
    return re.sub(rb'"trace_id":"[^"]*"', b"", content), answer.status_code


def send(service: Service, actor: Actor, method: str, target: str, body: str | None) -> httpx.Response:
    headers = [(b"authorization", f"Bearer {actor.token}".encode()), *([] if body is None else [JSON])]
    return service.send(method, target, headers, None if body is None else body.encode())


async def rows_of(database: TestDatabase, agency: Agency) -> Any:
    connection = await asyncpg.connect(database.admin)
    try:
        return await checksum(connection, agency.tenant_id)
    finally:
        await connection.close()


def differing(
    service: Service, stranger: Agency, asked: list[tuple[Described, str, str | None]]
) -> Iterator[tuple[str, int, int]]:
    for operation, target, body in asked:
        assert operation.actor is not None
        actor = stranger.actors[operation.actor]
        ours = send(service, actor, operation.method, target, body)
        nobody = send(service, actor, operation.method, strangers(target), None if body is None else strangers(body))
        assert "{" not in operation.path or ours.status_code in (404, 422), f"{operation}: {ours.status_code}"
        if without_trace(ours) != without_trace(nobody):
            yield str(operation), ours.status_code, nobody.status_code


def test_foreign_id_is_no_id_and_nothing_happens(
    service: Service,
    database: TestDatabase,
    stranger: Agency,
    asked: list[tuple[Described, str, str | None]],
) -> None:
    assert len(asked) > 60
    before = service.wait_for(rows_of, database, service.agency)
    assert list(differing(service, stranger, asked)) == []
    assert service.wait_for(rows_of, database, service.agency) == before
