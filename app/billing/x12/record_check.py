"""Checks a tree of claim records against the rules of its fields, and words each fault for a biller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, NamedTuple, get_args, get_origin, get_type_hints

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
    for name, (rule, required) in _declared(type(record)).items():
        value, at = getattr(record, name), f"{path}.{name}"
        if required and isinstance(value, str) and not value.strip():
            yield problem(at, MISSING)
            continue
        if value is None or value == "":
            continue
        if rule is not None:
            yield from (problem(at, fault) for fault in rule.faults(value))
        for item_path, item in _inside(value, at):
            if is_dataclass(item) and not isinstance(item, type):
                yield from field_problems(item, item_path)
            elif isinstance(rule, Each) and rule.rule is not None:
                yield from (problem(item_path, fault) for fault in rule.rule.faults(item))


def problem(path: str, fault: Fault) -> ContentProblem:
    """The fault of one field as a sentence that begins with the field's own words."""
    return ContentProblem(fault.code, path, f"{_label(path)} {fault.says}.")


def _inside(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, tuple):
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))
    else:
        yield path, value


@cache
def _declared(record: type[DataclassInstance]) -> dict[str, tuple[FieldRule | None, bool]]:
    hints = get_type_hints(record, include_extras=True)
    declared: dict[str, tuple[FieldRule | None, bool]] = {}
    for item in fields(record):
        hint, rule = hints[item.name], None
        if get_origin(hint) is Annotated:
            hint, rule = get_args(hint)
        declared[item.name] = (rule, type(None) not in get_args(hint))
    return declared


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
