"""Messages about a wrong value in a request, for the person who filled the field in.

A message says what the field takes, from the field's own schema: "heart_rate must be a whole number from 0 to 500."
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core.core_schema import ErrorType

from app.core.schemas import BLANK

Schema = Mapping[str, Any]
MOST_LISTED = 12
_FORMATS = {
    "uuid": "a UUID",
    "date-time": "a date and time with its offset from UTC, such as 2026-03-09T14:05:00-05:00",
    "date": "a date, such as 1984-06-30",
    "email": "an e-mail address",
}
_BUILT_IN = frozenset(get_args(ErrorType))
_INEXACT = frozenset({"iso_text", "decimal_text", "decimal_places"})
"""Our own kinds whose message does not know the field."""
_PATTERNED = "text of the required form"
_MEMBER, _QUOTED = re.compile(r"<[^<>]*: ('[^']*')>"), r"\1"  # pydantic names the members of a Literal by their repr
_KINDS = {
    "bool": "true or false",
    "datetime": _FORMATS["date-time"],
    "date": _FORMATS["date"],
    "decimal": "a decimal number",
    "dict": "an object",
    "float": "a number",
    "int": "a whole number",
    "iso_text": "a date or time in ISO 8601",
    "list": "a list",
    "model": "an object",
    "string": "text",
    "timezone": "a date and time with its offset from UTC",
    "uuid": "a UUID",
}
"""What a value must be, by the beginning of the kind of error: where the schema of its field is not known."""


def describe(problem: Mapping[str, Any], field: str, model: type[BaseModel] | None) -> str | None:
    """The message about a problem that pydantic found in `field` of `model`, or None if pydantic's own is as good.

    `problem` is an item of pydantic's `errors()`. Nothing of the value itself is in the message.
    """
    kind = str(problem["type"])
    if kind not in _BUILT_IN | _INEXACT or kind in ("json_invalid", "value_error", "assertion_error"):
        return None
    if kind == "extra_forbidden":
        return "There is no such field here."
    schema = _place(model, problem["loc"]) if model is not None else None
    wanted = _wanted(schema, _schema(model)) if schema is not None and model is not None else None
    if wanted is None or wanted == _PATTERNED or (kind == "string_pattern_mismatch" and wanted == "text"):
        wanted = _by_kind(kind, problem.get("ctx", {})) or wanted
    if kind == "missing":
        return f"{field} is required: {wanted}." if wanted else f"{field} is required."
    return f"{field} must be {wanted}." if wanted else None


@cache
def _schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _place(model: type[BaseModel], location: Sequence[Any]) -> Schema | None:
    """The schema at a problem's location in the body, or None if the location is no place of the schema."""
    root = _schema(model)
    found: Schema | None = root
    for part in location[1:] if location[:1] == ("body",) else location:
        found = next(iter(_below(found, part, root)), None) if found is not None else None
    return found


def _below(schema: Schema, part: Any, root: Schema) -> list[Schema]:
    found = []
    for branch in _branches(schema, root):
        if isinstance(part, int):
            found += [branch["items"]] if "items" in branch else []
        elif part in branch.get("properties", {}):
            found.append(branch["properties"][part])
        elif isinstance(branch.get("additionalProperties"), dict):
            found.append(branch["additionalProperties"])
    return found


def _branches(schema: Schema, root: Schema) -> list[Schema]:
    """The alternatives of a schema without null. Each also has the keywords that stand beside the choice."""
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        return _branches({**target, **beside}, root)
    if "anyOf" not in schema:
        return [] if schema.get("type") == "null" else [schema]
    beside = {name: value for name, value in schema.items() if name in ("examples", "ge", "le", "decimal_places")}
    return [{**beside, **branch} for choice in schema["anyOf"] for branch in _branches(choice, root)]


def _wanted(schema: Schema, root: Schema) -> str | None:
    branches = [branch for branch in _branches(schema, root) if branch.get("pattern") != BLANK["pattern"]]
    texts = [branch for branch in branches if branch.get("type") == "string"]
    if len(texts) == 1 and any(branch.get("type") in ("integer", "number") for branch in branches):
        return _with_example(f"a decimal number{_decimal_bounds(texts[0])}", texts[0])
    words = dict.fromkeys(word for branch in branches if (word := _one(branch)))
    return " or ".join(words) or None


def _decimal_bounds(schema: Schema) -> str:
    places = schema.get("decimal_places")
    return _range(schema, "ge", "le") + ("" if places is None else f" with at most {_some(places, 'decimal place')}")


def _one(schema: Schema) -> str:
    """The words for the values that one alternative accepts."""
    if "enum" in schema or "const" in schema:
        listed = [str(value) for value in schema.get("enum", [schema.get("const")])]
        return f"one of {', '.join(listed)}" if len(listed) <= MOST_LISTED else "one of the listed values"
    match schema.get("type"):
        case "string" if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        case "string" if "pattern" in schema:
            return _with_example(_PATTERNED, schema)
        case "string":
            return _with_example("text" + _count(schema.get("minLength"), schema.get("maxLength"), "character"), schema)
        case "integer":
            return _with_example("a whole number" + _range(schema, "minimum", "maximum"), schema)
        case "number":
            return _with_example("a number" + _range(schema, "minimum", "maximum"), schema)
        case "boolean":
            return "true or false"
        case "array":
            return "a list" + _count(schema.get("minItems"), schema.get("maxItems"), "item")
        case "object":
            return "an object"
    return ""


def _range(schema: Schema, lowest: str, highest: str) -> str:
    if lowest in schema and highest in schema:
        return f" from {schema[lowest]} to {schema[highest]}"
    if lowest in schema:
        return f" of at least {schema[lowest]}"
    return f" of at most {schema[highest]}" if highest in schema else ""


def _count(least: int | None, most: int | None, what: str) -> str:
    if least is not None and most is not None:
        return f" of {least} to {_some(most, what)}" if least < most else f" of exactly {_some(most, what)}"
    if most is not None:
        return f" of at most {_some(most, what)}"
    return f" of at least {_some(least, what)}" if least else ""


def _some(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _with_example(words: str, schema: Schema) -> str:
    examples = [example for example in schema.get("examples", ()) if isinstance(example, str | int)]
    return f"{words}, such as {examples[0]}" if examples else words


def _by_kind(kind: str, limits: Mapping[str, Any]) -> str | None:
    """The words for the accepted values, from the error alone."""
    match kind:
        case "greater_than_equal":
            return f"at least {limits['ge']}"
        case "less_than_equal":
            return f"at most {limits['le']}"
        case "string_too_short":
            return "text" + _count(limits["min_length"], None, "character")
        case "string_too_long":
            return "text" + _count(None, limits["max_length"], "character")
        case "too_short" | "too_long":
            bounds = limits.get("min_length"), limits.get("max_length")
            # pydantic calls a validated text "Value"; a list keeps its type's name.
            return (
                "text" + _count(*bounds, "character")
                if limits["field_type"] == "Value"
                else ("a list" + _count(*bounds, "item"))
            )
        case "enum" | "literal_error":
            return f"one of {_MEMBER.sub(_QUOTED, str(limits['expected']))}"
        case "string_pattern_mismatch":
            return _PATTERNED
        case "decimal_max_places" | "decimal_places":
            return f"a number with at most {_some(limits['decimal_places'], 'decimal place')}"
        case "missing":
            return None
    return next((words for beginning, words in _KINDS.items() if kind.startswith(beginning)), None)
