"""From a change to the body of its single request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from app.core.errors import Problem, ValidationFailed, refuse
from app.core.http import invalid
from app.ems.elements import TARGET_BUILD, check_elements, load_dictionary
from app.ems.parts import ChartPart
from app.ems.sync.schemas import SyncChange, SyncOperation


class ReadBody(NamedTuple):
    """The body of the single request, and what is wrong with the fields that were left out of it."""

    body: Any
    problems: list[dict[str, str]]


def read_body(
    change: SyncChange, part: ChartPart[Any, Any], models: Mapping[SyncOperation, type[BaseModel]]
) -> ReadBody:
    """The body of a change; without wrong fields, if those of its kind stand by themselves and something is left.

    All that is left out is found before anything is written. So a change that is sent again has the same body, and is
    known again. Raises ValidationFailed with every problem, also for an operation that its kind does not have.
    """
    if (change.version is None) != (change.op is SyncOperation.CREATE):
        message = "Give the version of what is changed; a create has none."
        raise ValidationFailed.of("version", "version_of_a_change", message)
    if change.op not in models:
        raise ValidationFailed.of("op", "not_of_this_kind", f"This kind takes: {', '.join(models)}.")
    data: dict[str, Any] = change.data
    problems: list[dict[str, str]] = []
    while True:
        try:
            body = _read(change, models[change.op], data)
            if part.apart:
                refuse(_wrong_elements(part, body))
        except ValidationFailed as refusal:
            left = _without_wrong_fields(part, data, refusal)
            problems += refusal.details.get("problems", ())
            if left is None:
                raise with_problems(refusal, problems) from refusal
            data = left
        else:
            return ReadBody(body, problems)


def with_problems(refusal: ValidationFailed, problems: list[dict[str, str]]) -> ValidationFailed:
    """The same refusal, with these problems as its own."""
    return ValidationFailed(refusal.message, problems=[Problem(**problem) for problem in problems])


def _read(change: SyncChange, model: type[BaseModel], data: Mapping[str, Any]) -> Any:
    named = _named(change)
    for name in named.keys() & data.keys():
        raise ValidationFailed.of(name, "not_in_data", "Give this beside the data, not in it.")
    try:
        return model.model_validate({**data, **named})
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False), model) from error


def _named(change: SyncChange) -> dict[str, Any]:
    """What stands beside the data. A single deletion has its version in the address, not in a body."""
    match change.op:
        case SyncOperation.CREATE:
            return {"id": change.id}
        case SyncOperation.DELETE:
            return {}
        case _:
            return {"version": change.version}


def as_in_a_body(error: ValidationError) -> RequestValidationError:
    """A service's own refusal of a value, as if the body had shown it."""
    problems = error.errors(include_url=False, include_input=False)
    return RequestValidationError([{**problem, "loc": ("body", *problem["loc"])} for problem in problems])


def _wrong_elements(part: ChartPart[Any, Any], body: Any) -> list[Problem]:
    """Problems of single elements. The gate of the chart finds them, too, but only when the body is being written."""
    found = check_elements(
        {element_id: given for element_id, given in getattr(body, "elements", {}).items() if given is not None},
        dictionary=load_dictionary(TARGET_BUILD),
        owner=part.entity.element_owner,
        columns=frozenset(part.entity.element_columns.values()),
    )
    return [Problem(f"elements.{problem.path}", problem.code.value, problem.message) for problem in found]


def _without_wrong_fields(
    part: ChartPart[Any, Any], data: Mapping[str, Any], refusal: ValidationFailed
) -> dict[str, Any] | None:
    """The data without the fields that were refused; None if one does not stand by itself, or if nothing is left."""
    elements = data.get("elements")
    kept = dict(elements) if isinstance(elements, dict) else {}
    wrong: set[str] = set()
    for problem in refusal.details.get("problems", ()):
        field = str(problem["field"])
        together = next((group for group in part.apart if field in group), None)
        about = [element_id for element_id in kept if _is_about(field, f"elements.{element_id}")]
        if together is not None:
            wrong |= together
        elif about and part.apart:
            wrong |= {f"elements.{element_id}" for element_id in about}
        else:
            return None
    left = {name: value for name, value in data.items() if name not in wrong}
    if kept:
        left["elements"] = {name: value for name, value in kept.items() if f"elements.{name}" not in wrong}
    says_something = left.get("elements") or any(group & left.keys() for group in part.apart)
    return left if wrong and says_something else None


def _is_about(field: str, place: str) -> bool:
    return field == place or field.startswith((f"{place}.", f"{place}["))


def named_in(data: Any) -> Iterator[str]:
    """Every text in free JSON that may be an id. Goes level by level: a body may be nested deeper than the stack."""
    level: Iterable[Any] = [data]
    while level:
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, str):
                yield value.lower()
            elif isinstance(value, dict):
                deeper += value.values()
            elif isinstance(value, list):
                deeper += value
        level = deeper
