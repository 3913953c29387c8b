"""Schemathesis over every operation of the document: its examples, the borders of its schemas, and generated data."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import requests
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks as openapi_checks

from tests.fuzz.contract import check_answer
from tests.fuzz.document import BY_NAME, DEEP, DOCUMENT, EXAMPLES, SCHEMA, Described
from tests.fuzz.service import Service
from tests.fuzz.world import Records, World, uses_up

AnyCase = Case[Any]
load_all_checks()
_CONTENT_TYPE = openapi_checks.content_type_conformance
CHECKS = [
    openapi_checks.status_code_conformance,
    _CONTENT_TYPE,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.unsupported_method,
]
_LEFT_OUT = {
    "/objects/downloads/{token}": _CONTENT_TYPE,  # an object has the type that it was stored with
    "/ems/incidents/{incident_id}/sync": openapi_checks.negative_data_rejection,  # each change is refused by itself
}
_ADDRESS = {ParameterLocation.PATH, ParameterLocation.QUERY}
_KNOWN = json.dumps(DOCUMENT, ensure_ascii=False)
_TELLING = 12
"""Shorter texts than this occur in messages by chance."""
_PLAIN_NAME = re.compile(r"[\w.\[\]-]{0,64}")
"""What problems may name as the place of an unknown field."""


@SCHEMA.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=not DEEP, database=None, suppress_health_check=list(HealthCheck)
)
def test_every_answer_keeps_the_contract(case: AnyCase, service: Service, world: World) -> None:
    operation = BY_NAME[case.operation.label]
    records = _records_for(case, world)
    if records is not None:
        _refer(case, operation, records, world)
    answer = _send(case, operation, service)
    if records is world.open and uses_up(case.method, operation.path, answer.status_code):
        world.renew()
    check_answer(answer, operation, _texts(case))
    left_out = {_LEFT_OUT.get(operation.path.removeprefix("/api/v1"))}
    if _is_right_as_text(case, operation):
        left_out.add(openapi_checks.negative_data_rejection)
    case.validate_response(answer, checks=[check for check in CHECKS if check not in left_out])


def _is_right_as_text(case: AnyCase, operation: Described) -> bool:
    """True if nothing but the query was made wrong, and no URL shows it: `false` for a list of texts is a text."""
    if case.meta is None or not case.query:
        return False
    wrong = {part for part, made in case.meta.components.items() if made.mode.is_negative}
    texts = {
        parameter["name"]: variant
        for parameter in operation.part.get("parameters", ())
        for variant in parameter["schema"].get("anyOf", ())
        if parameter["in"] == "query" and variant.get("items", {}).get("type") == "string"
    }
    return wrong == {ParameterLocation.QUERY} and all(
        isinstance(value, bool | int | float)
        and name in texts
        and jsonschema_rs.is_valid(texts[name], [json.dumps(value)])
        for name, value in case.query.items()
    )


def _records_for(case: AnyCase, world: World) -> Records | None:
    """By the case's content, so that a failure can be repeated: a quarter keeps its generated ids.

    So does what is wrong in path or query: put right, it would be accepted rightly.
    """
    if case.meta is not None and any(
        case.meta.components[part].mode.is_negative for part in _ADDRESS & case.meta.components.keys()
    ):
        return None
    content = repr((case.path_parameters, case.query, case.body))
    choice = zlib.crc32(content.encode("utf-8", "surrogatepass")) % 4
    return (None, world.open, world.open, world.final)[choice]


def _refer(case: AnyCase, operation: Described, records: Records, world: World) -> None:
    """Let the case speak of records that exist, in their present version."""
    for name, present in records.of(operation.path).items():
        if case.path_parameters and name in case.path_parameters:
            case.path_parameters[name] = present
    for holder in (case.body, case.query):
        if not isinstance(holder, dict):
            continue
        for name in holder:
            if (value := records.named(name, operation.path)) is not None:
                holder[name] = [value] if name == "claim_ids" else value
        if isinstance(holder.get("version"), int):
            version = world.version(operation.actor, case.formatted_path)
            holder["version"] = version if version is not None else holder["version"]


def _send(case: AnyCase, operation: Described, service: Service) -> httpx.Response:
    request: Any = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
    headers = [(_octets(name), _octets(value)) for name, value in (request.headers or {}).items()]
    content = request.body.encode() if isinstance(request.body, str) else request.body
    return service.send(
        str(case.method), str(request.path_url), headers + service.authorization(operation.actor), content
    )


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def _texts(case: AnyCase) -> Iterator[str]:
    pending: list[Any] = [case.body, dict(case.query or {}), dict(case.path_parameters or {}), dict(case.headers or {})]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += [key for key in value if not _PLAIN_NAME.fullmatch(key)]
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str) and len(value) >= _TELLING and value not in _KNOWN and not _is_id(value):
            yield value


def _is_id(text: str) -> bool:
    """Errors name the records that they are about."""
    with contextlib.suppress(ValueError):
        return bool(uuid.UUID(text))
    return False
