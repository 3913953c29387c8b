"""The OpenAPI document as an importable value: tests are made of its operations while they are collected."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import schemathesis
from pydantic import SecretStr

from app.core.config import Environment
from app.core.permissions import Permission, Principal, Role
from app.main import create_app
from app.registry import ServiceSettings
from tests.architecture.routes import operations
from tests.support.actors import ROLES

CI_EXAMPLES = 15
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", CI_EXAMPLES))
DEEP = EXAMPLES > CI_EXAMPLES
_NOWHERE = SecretStr("postgresql://nobody@localhost/nothing")


@dataclass(frozen=True)
class Described:
    """One operation: its part of the document, and somebody of ROLES who may call it (None: it is public)."""

    method: str
    path: str
    part: dict[str, Any]
    actor: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> Any:
        """The schema of the request body, or None."""
        return self.part.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")

    def parameters(self, place: str) -> list[str]:
        return [parameter["name"] for parameter in self.part.get("parameters", ()) if parameter["in"] == place]


def _permitted(permission: Permission) -> str:
    """The admin where possible: more of a handler is open to that role than to any other."""
    for name, flags in ROLES.items():
        reviewer = bool(flags.get("is_reviewer"))
        if permission.held_by(Principal(_ANY_TENANT, Role(flags["role"]), is_reviewer=reviewer)):
            return name
    raise AssertionError(f"nobody holds {permission.name}")


_ANY_TENANT: Any = None  # permissions depend on the role alone


def _describe() -> tuple[dict[str, Any], list[Described]]:
    """From an app that is never started."""
    with tempfile.TemporaryDirectory() as directory:
        settings = ServiceSettings(
            environment=Environment.TEST, database_url=_NOWHERE, system_database_url=_NOWHERE, data_dir=Path(directory)
        )
        app = create_app(settings)
        document = app.openapi()
    found = [
        Described(
            route.method,
            route.path,
            document["paths"][route.path][route.method.lower()],
            _permitted(route.permissions[0]) if route.permissions else None,
        )
        for route in operations(app)
        if route.method != "HEAD"  # tests/architecture/test_routes.py: only those that the document leaves out
    ]
    return document, found


DOCUMENT, OPERATIONS = _describe()
BY_NAME = {str(operation): operation for operation in OPERATIONS}


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follows a `$ref` within the document."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema itself, or everything that its anyOf, oneOf and allOf name."""
    schema = resolve(schema)
    branches = [branch for kind in ("anyOf", "oneOf", "allOf") for branch in schema.get(kind, ())]
    if not branches:
        yield schema
    for branch in branches:
        yield from alternatives(branch)


def _schemathesis() -> Any:
    config = schemathesis.Config.from_dict(
        {
            "base-url": "http://test",
            "generation": {
                "deterministic": not DEEP,
                "with-security-parameters": False,
                "allow-extra-parameters": False,  # unknown query parameters are ignored, as everywhere on the web
            },
            "phases": {"coverage": {"unexpected-methods": ["put", "trace", "query"]}},
        }
    )
    return schemathesis.openapi.from_dict(DOCUMENT, config=config)


SCHEMA = _schemathesis()
