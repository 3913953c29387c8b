"""The example of every body is sent as it stands, with the ids, versions and tokens of records that exist."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from app.ems.parts import PART_OF
from app.examples import EXAMPLES
from tests.fuzz.contract import check_answer
from tests.fuzz.document import OPERATIONS, Described
from tests.fuzz.service import Service
from tests.fuzz.world import UNREACHED, World, uses_up

WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
JUDGED = {"login": 401, "refresh": 401, "reset_password": 401}
"""The credentials of an example are nobody's."""


def _sent(operation: Described, world: World, version: int | None) -> dict[str, Any]:
    body = copy.deepcopy(EXAMPLES[operation.part["operationId"]])
    for entry in body.get("entries", ()):
        entry["id"] = world.open.ids[PART_OF[entry["entity"]].collection]
    for decided in body.get("claims", ()):
        decided["claim_id"] = world.open.ids["claim_id"]
        for line, name in zip(decided["lines"], ("line_id", "mileage_line_id"), strict=True):
            line["line_id"] = world.open.ids[name]
    for holder in (body, *body.get("changes", ())):
        if "version" in holder:
            holder["version"] = version or 1
        for name in holder:
            referred = world.open.named(name, operation.path)
            if name != "version" and referred is not None:
                holder[name] = [referred] if name == "claim_ids" else referred
    return body


def test_every_body_has_an_example() -> None:
    assert set(EXAMPLES) == {operation.part["operationId"] for operation in WITH_BODY}
    for operation in WITH_BODY:
        content = operation.part["requestBody"]["content"]["application/json"]
        assert content["example"] == EXAMPLES[operation.part["operationId"]]


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_the_example_is_accepted(service: Service, world: World, operation: Described) -> None:
    if operation.part["operationId"] == "create_paper_remittance":
        world.renew()  # a payer decides about every line, and other examples change them
    values = world.final.of(operation.path) | world.open.of(operation.path)
    target = operation.path.format(**values)
    body = _sent(operation, world, world.version(operation.actor, target))
    headers = [*service.authorization(operation.actor), (b"content-type", b"application/json")]
    answer = service.send(operation.method, target, headers, json.dumps(body).encode())
    if uses_up(operation.method, operation.path, answer.status_code):
        world.renew()
    check_answer(answer, operation)
    name = operation.part["operationId"]
    if name in JUDGED:
        assert answer.status_code == JUDGED[name], answer.text
        return
    if name in UNREACHED:
        assert answer.status_code == 404 or "unknown_secret" in answer.text, answer.text
        return
    if name == "change_password":
        assert "password_wrong" in answer.text
        return
    example = operation.part["responses"].get(str(answer.status_code), {}).get("content", {}).get("application/json")
    if answer.status_code < 300 and example is not None:
        assert answer.json().keys() == example["example"].keys()
    # 409: the state of the record does not allow it, or an earlier test made the same
    assert answer.status_code < 300 or answer.status_code == 409, answer.text
