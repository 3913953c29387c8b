"""Request values that an 837P can carry. Each obeys the rule that the x12 record declares beside its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args, get_type_hints

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.billing.edits.book import edit_of
from app.billing.x12.field_rules import Each, Fault, FieldRule, Identifier, Number, OneOf, Pattern, Whole
from app.billing.x12.field_rules import Text as FreeText
from app.billing.x12.parties import Payer, Subscriber
from app.billing.x12.professional_claim import Accident, Certification, Claim, ServiceLine, Transport

_PLACES: Mapping[type, str] = {
    Accident: "accident.{}",
    Certification: "certifications",
    Claim: "{}",
    Payer: "payer_{}",
    ServiceLine: "lines.{}",
    Subscriber: "{}",
    Transport: "{}",
}
"""The names of a record's fields in the API of claims. A name may be anybody's."""
_RENAMED = {"reason_code": "transport_reason"}


@dataclass(frozen=True)
class Sendable:
    """`Annotated[Text, Sendable(Payer, "name")]`; on a list, the rule for the list and the one for its items.

    `or_none`: the list may be empty. Then nothing is sent. A refusal names the claim edit.
    """

    record: type
    field: str
    or_none: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = _described(handler(schema), self._rule)
        return {**described, "minItems": 0} if self.or_none else described

    def _check(self, value: Any) -> Any:
        if self.or_none and not value:
            return value
        for fault in _faults(self._rule, value):
            code = fault.code.lower()
            raise PydanticCustomError(code, f"The value {fault.says}{self._edit(code)}")
        return value

    def _edit(self, code: str) -> str:
        """The claim edit in brackets, if the record is part of a claim only."""
        place = _PLACES.get(self.record)
        if place is None:
            return ""
        return f" ({edit_of(place.format(_RENAMED.get(self.field, self.field)), code).id})"

    @cached_property
    def _rule(self) -> FieldRule:
        rule: FieldRule = get_args(get_type_hints(self.record, include_extras=True)[self.field])[1]
        return rule


def _faults(rule: FieldRule, value: Any) -> Iterator[Fault]:
    if not isinstance(rule, Each):
        yield from rule.faults(value)
        return
    yield from rule.faults(tuple(value))
    if rule.rule is not None:
        for item in value:
            yield from rule.rule.faults(item)


def _described(schema: dict[str, Any], rule: FieldRule) -> dict[str, Any]:
    """The JSON schema with the rule's lengths, codes and shape."""
    match rule:
        case OneOf():
            return {**schema, "enum": sorted(rule.codes)}
        case Pattern():
            return {**schema, "pattern": f"^(?:{rule.shape})$"}
        case FreeText() | Identifier():
            return {**schema, "minLength": rule.shortest, "maxLength": rule.longest}
        case Number():
            shape = rf"^\d{{1,{len(str(int(rule.most)))}}}(\.\d{{1,{rule.places}}})?$"
            named = {name: text for name, text in schema.items() if name != "anyOf"}
            number = {"type": "number", "minimum": float(rule.least), "maximum": float(rule.most)}
            return {**named, "anyOf": [number, {"type": "string", "pattern": shape}]}
        case Whole():
            return {**schema, "minimum": rule.least, "maximum": rule.most}
        case Each():
            items = schema.get("items", {})
            described = items if rule.rule is None else _described(items, rule.rule)
            bounds = {"minItems": rule.at_least, "maxItems": rule.at_most, "uniqueItems": True}
            return {**schema, **bounds, "items": described}
        case _:
            return schema
