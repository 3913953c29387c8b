"""Checks a tree of claim records against the rules of its fields, and words each fault for a biller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from app.billing.x12.field_rules import MISSING, Each, Fault, FieldRule

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class ContentProblem(NamedTuple):
    """A reason why content cannot be sent. `path` locates the field by names and indexes. No part holds a value."""

    code: str
    path: str
    message: str


def field_problems(record: DataclassInstance, path: str) -> Iterator[ContentProblem]:
    """Every fault of a dataclass's own fields and of the records inside it, in the order of declaration."""
    for name, rule, item_rule, required, holds_records in _declared(type(record)):
        value = getattr(record, name)
        if value is None or value == "":
            if required and value == "":
                yield problem(f"{path}.{name}", MISSING)
            continue
        if required and isinstance(value, str) and not value.strip():
            yield problem(f"{path}.{name}", MISSING)
            continue
        if rule is not None:
            for fault in rule.faults(value):
                yield problem(f"{path}.{name}", fault)
        if item_rule is not None:
            for index, item in enumerate(value):
                for fault in item_rule.faults(item):
                    yield problem(f"{path}.{name}[{index}]", fault)
        elif holds_records and isinstance(value, tuple):
            for index, item in enumerate(value):
                yield from field_problems(item, f"{path}.{name}[{index}]")
        elif holds_records:
            yield from field_problems(value, f"{path}.{name}")


def problem(path: str, fault: Fault) -> ContentProblem:
    """The fault of one field as a sentence that begins with the field's own words."""
    return ContentProblem(fault.code, path, f"{_label(path)} {fault.says}.")


class _Field(NamedTuple):
    """A field of a record: its rule, the rule of its items, whether it must be given, and whether records are in it."""

    name: str
    rule: FieldRule | None
    item_rule: FieldRule | None
    required: bool
    holds_records: bool


@cache
def _declared(record: type[DataclassInstance]) -> tuple[_Field, ...]:
    hints = get_type_hints(record, include_extras=True)
    declared = []
    for item in fields(record):
        hint, rule = hints[item.name], None
        if get_origin(hint) is Annotated:
            hint, rule = get_args(hint)
        declared.append(
            _Field(
                item.name,
                rule,
                rule.rule if isinstance(rule, Each) else None,
                required=type(None) not in get_args(hint),
                holds_records=any(map(is_dataclass, _kinds(hint))),
            )
        )
    return tuple(declared)


def _kinds(hint: Any) -> Iterator[Any]:
    """The types that a hint is made of."""
    arguments = get_args(hint)
    if not arguments:
        yield hint
    for argument in arguments:
        yield from _kinds(argument)


_WORDS = {
    "npi": "NPI",
    "ein": "tax id (EIN)",
    "etin": "ETIN",
    "hcpcs": "HCPCS code",
    "zip_code": "ZIP code",
}
_ONE_OF_SEVERAL = {
    "certifications": "certification",
    "codes": "code",
    "diagnoses": "diagnosis",
    "diagnosis_pointers": "diagnosis pointer",
    "lines": "service line",
    "modifiers": "modifier",
}


def _label(path: str) -> str:
    """The last two steps of a path in words: `batch[0].claim.lines[1].hcpcs` is "Service line 2 HCPCS code"."""
    words: list[str] = []
    for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", path)[-2:]:
        if index:
            words.append(f"{_ONE_OF_SEVERAL.get(name, name)} {int(index) + 1}")
        else:
            words.append(_WORDS.get(name, name.replace("_", " ")))
    label = " ".join(words)
    return label[0].upper() + label[1:]
