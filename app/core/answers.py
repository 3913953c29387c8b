"""Makes the example of every success answer from the examples of requests.

The example of a creation is the one declared call. The answer to it, and to every other operation on the resource,
says what that call sent. What no request says comes from a table of values, from the resource's lifecycle, or from the
schema. Lists and nested models are composed of the examples of their parts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.lifecycle import Lifecycle

Json = Any
_NO_VALUES = ("id", "version", "action")
_AT = "2026-03-01T16:30:00Z"


def example_id(noun: str) -> str:
    """The id that one kind of resource has in all examples: a UUIDv7."""
    return str(uuid.UUID("0190a5c4-7c1e-7d30-9f6a-" + hashlib.sha256(noun.encode()).hexdigest()[:12]))


class Answers:
    """`requests` are bodies by operation. `values` are told by `operation.field`, `Schema.field`, field or schema.

    `untold` collects texts that nothing tells, for a test.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        requests: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, Any],
        lifecycles: Iterable[Lifecycle[Any, Any]],
    ) -> None:
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]
        self._requests = requests
        self._values = values
        self._lifecycles = {frozenset(str(state) for state in each.states): each for each in lifecycles}
        self._created = dict(self._creations(document))
        self.untold: set[str] = set()

    def show(self, operation: dict[str, Any]) -> None:
        """Puts an example into each success answer of the operation."""
        for status, answer in operation["responses"].items():
            if status >= "300":
                continue
            for media_type, content in answer.get("content", {}).items():
                if media_type == "application/json":
                    content["example"] = self._answer(operation, content["schema"])
                elif f"{operation['operationId']} {media_type}" in self._values:
                    content["example"] = self._values[f"{operation['operationId']} {media_type}"]

    def _creations(self, document: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        for operations in document["paths"].values():
            for operation in operations.values():
                answer = operation["responses"].get("201", {}).get("content", {}).get("application/json", {})
                body = self._requests.get(operation["operationId"])
                if body is not None and "$ref" in answer.get("schema", {}):
                    yield _name(answer["schema"]), _without(body, _NO_VALUES)

    def _answer(self, operation: Mapping[str, Any], schema: Mapping[str, Any]) -> Json:
        name = _name(schema) if "$ref" in schema else None
        if name is None or "properties" not in self._schemas[name]:
            return self._value(schema, "", "")
        request = self._requests.get(operation["operationId"], {})
        sent = _merged(self._created.get(name, {}), _without(request, _NO_VALUES))
        if "version" in request and "version" in self._schemas[name]["properties"]:
            sent["version"] = request["version"] + 1
        told = operation["operationId"] + "."
        sent |= {key.removeprefix(told): value for key, value in self._values.items() if key.startswith(told)}
        return self._object(name, sent, request.get("action"))

    def _object(self, name: str, sent: Mapping[str, Any] | None = None, action: str | None = None) -> Json:
        if name in self._values:
            return self._values[name]
        given = self._created.get(name, {}) if sent is None else sent
        properties = self._schemas[name]["properties"]
        lifecycle = self._lifecycle(properties)
        if lifecycle is not None:
            state = _state(lifecycle, action)
            given = {**given, "status": str(state), "allowed_actions": _allowed(lifecycle, state)}
        return {field: self._field(name, field, schema, given) for field, schema in properties.items()}

    def _lifecycle(self, properties: Mapping[str, Any]) -> Lifecycle[Any, Any] | None:
        status = properties.get("status", {})
        values = self._schemas[_name(status)].get("enum", ()) if "$ref" in status else ()
        return self._lifecycles.get(frozenset(values))

    def _field(self, owner: str, field: str, schema: Mapping[str, Any], given: Mapping[str, Any]) -> Json:
        if field in given:
            return self._echoed(schema, given[field])
        for key in (f"{owner}.{field}", field):
            if key in self._values:
                return self._values[key]
        return self._value(schema, owner, field)

    def _echoed(self, schema: Mapping[str, Any], value: Json) -> Json:
        """A value of the request as the answer shows it: times in UTC, nested objects whole."""
        branches = [branch for branch in schema.get("anyOf", (schema,)) if branch.get("type") != "null"]
        one = branches[0]
        if isinstance(value, dict) and "$ref" in one:
            return self._object(_name(one), value)
        if isinstance(value, list) and "$ref" in one.get("items", {}) and all(isinstance(item, dict) for item in value):
            return [
                self._object(_name(one["items"]), {**_numbered(_name(one["items"]), number), **item})
                for number, item in enumerate(value, 1)
            ]
        if one.get("format") == "date-time":
            return dt.datetime.fromisoformat(value).astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        return value

    def _value(self, schema: Mapping[str, Any], owner: str, field: str) -> Json:
        if "$ref" in schema:
            name = _name(schema)
            resolved = self._schemas[name]
            return self._object(name) if "properties" in resolved else self._value(resolved, owner, field)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            if key in schema:
                return schema[key][0]
        if "anyOf" in schema or "oneOf" in schema:
            branches = schema.get("anyOf") or schema["oneOf"]
            nullable = any(branch.get("type") == "null" for branch in branches)
            return None if nullable else self._value(branches[0], owner, field)
        match schema.get("type"):
            case "array":
                return [self._value(schema["items"], owner, field)]
            case "object":
                return {}
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return False
        return self._text(schema, owner, field)

    def _text(self, schema: Mapping[str, Any], owner: str, field: str) -> str:
        match schema.get("format"):
            case "uuid":
                return example_id(_noun(owner) if field == "id" else field.removesuffix("_id"))
            case "date-time":
                return _AT
            case "date":
                return _AT[:10]
        self.untold.add(f"{owner}.{field}")
        return field.replace("_", " ")


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[-1]


def _noun(schema: str) -> str:
    return schema.removesuffix("Read").lower()


def _numbered(name: str, number: int) -> dict[str, Any]:
    """The fields that tell the parts of one list apart."""
    return {"id": example_id(f"{_noun(name)} {number}"), "line_number": number}


def _without(body: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def _merged(created: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """The resource after the request. Elements are merged by id, as the service does."""
    elements = {**created.get("elements", {}), **sent.get("elements", {})}
    return {**created, **sent, **({"elements": elements} if elements else {})}


def _state(lifecycle: Lifecycle[Any, Any], action: str | None) -> Any:
    if action is None:
        return lifecycle.initial
    return next(each.target for each in lifecycle.transitions if action in (each.action, each.offered_as))


def _allowed(lifecycle: Lifecycle[Any, Any], state: Any) -> list[str]:
    """The actions that people may fire in this state."""
    offered = [
        str(each.offered_as or each.action)
        for each in lifecycle.transitions
        if state in each.sources
        and each.permission is not None
        and (each.offered_as is not None or each.action not in lifecycle.internal)
    ]
    return list(dict.fromkeys(offered))
