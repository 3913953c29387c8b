"""Gives every field of the API's document a description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.schemas import BLANK

Schemas = Mapping[str, dict[str, Any]]
_FORMS = ("TransitionRequest", "Created", "Create", "Patch", "Read", "Snapshot")


def describe_fields(schemas: Schemas, meanings: Mapping[str, str]) -> None:
    """Describes the fields that have no description of their own.

    A field takes the description of its type. Without one it takes `meanings["Schema.field"]`, what another schema of
    the same noun says of it, or `meanings["field"]`, in this order.
    """
    said: dict[tuple[str, str], str] = {}
    open_fields = []
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            own = _own(described) or meanings.get(f"{name}.{field}")
            if own is None:
                open_fields.append((name, field, described))
            else:
                described["description"] = own
                said.setdefault((_noun(name), field), own)
    for name, field, described in open_fields:
        found = said.get((_noun(name), field)) or meanings.get(field)
        if found is not None:
            described["description"] = found


def describe_parameters(operation: Mapping[str, Any], meanings: Mapping[str, str]) -> None:
    """Describes the parameters of an operation that have no description of their own."""
    for parameter in operation.get("parameters", ()):
        described = parameter.get("description") or _own(parameter["schema"]) or meanings.get(parameter["name"])
        if described is not None:
            parameter["description"] = described


def _own(field: Mapping[str, Any]) -> str | None:
    """The description of the field, or of the one branch of its type that has any."""
    branches = [
        branch["description"] for branch in field.get("anyOf", ()) if "description" in branch and branch != BLANK
    ]
    found: str | None = field.get("description") or (branches[0] if len(branches) == 1 else None)
    return found


def _noun(schema: str) -> str:
    bare = schema.removeprefix("Listed")
    return next((bare.removesuffix(form) for form in _FORMS if bare.endswith(form)), bare)
