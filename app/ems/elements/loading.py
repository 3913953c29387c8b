"""Reads the generated dictionary file into definitions, once per build and process."""

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.ems.elements.dictionary import (
    AttributeDefinition,
    Definition,
    Dictionary,
    ElementDefinition,
    GroupDefinition,
    Usage,
    definition_name,
)
from app.ems.elements.national_rules import pertinent_negative_mode
from app.ems.elements.phi import phi_class
from app.ems.elements.simple_types import Facets, SimpleType

TARGET_BUILD = "3.5.1.251001CP2"
DICTIONARY_FILE = Path(__file__).with_name("nemsis_ems.json")

_TEXT_FACETS = {"pattern": "pattern", "minInclusive": "min_inclusive", "maxInclusive": "max_inclusive"}
_COUNT_FACETS = {
    "length": "length",
    "minLength": "min_length",
    "maxLength": "max_length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
}
_Record = Mapping[str, Any]


@cache
def _file() -> _Record:
    content: _Record = json.loads(DICTIONARY_FILE.read_text(encoding="utf-8"))
    return content


BUILDS: tuple[str, ...] = tuple(_file()["builds"])


@cache
def load_dictionary(build: str = TARGET_BUILD) -> Dictionary:
    """The dictionary of one of BUILDS. Raises KeyError for another build."""
    return _Loader(_file(), build).dictionary()


class _Loader:
    def __init__(self, content: _Record, build: str) -> None:
        self._content = content
        self._build = build
        self._overrides: _Record = content["builds"][build]
        self._types = {name: _simple_type(name, record) for name, record in content["types"].items()}
        self._children: dict[str | None, list[_Record]] = defaultdict(list)
        self._order = {str(node["id"]): order for order, node in enumerate(self._leaves(), start=1)}
        for node in content["nodes"]:
            self._children[node.get("in")].append(node)

    def _leaves(self) -> list[_Record]:
        return [node for node in self._content["nodes"] if "id" in node]

    def dictionary(self) -> Dictionary:
        (top,) = self._children[None]
        root = self._group(top, ())
        everything: list[Definition] = list(root.walk())
        return Dictionary(
            build=self._build,
            namespace=self._content["namespace"],
            root=root,
            elements=MappingProxyType({d.id: d for d in everything if isinstance(d, ElementDefinition)}),
            groups=MappingProxyType({definition_name(d): d for d in everything if isinstance(d, GroupDefinition)}),
            types=MappingProxyType(self._types),
            not_values=MappingProxyType(self._content["nv"]),
            pertinent_negatives=MappingProxyType(self._content["pn"]),
        )

    def _group(self, node: _Record, above: tuple[str, ...]) -> GroupDefinition:
        path = (*above, str(node["group"]))
        record = {**node, **self._overrides.get(node["group"], {})}
        return GroupDefinition(
            name=record["group"],
            path=path,
            min_occurs=record.get("min", 1),
            max_occurs=record.get("max", 1),
            attributes=self._attributes(record),
            children=tuple(
                self._group(child, path) if "group" in child else self._element(child, path)
                for child in self._children[record["group"]]
            ),
            xsi_type=record.get("xsi_type"),
        )

    def _element(self, node: _Record, group_path: tuple[str, ...]) -> ElementDefinition:
        element_id = str(node["id"])
        record = {**node, **self._overrides.get(element_id, {})}
        labels = self._content["nv"]
        return ElementDefinition(
            id=element_id,
            name=record["name"],
            group_path=group_path,
            order=self._order[element_id],
            national=record.get("national", False),
            state=record.get("state", False),
            usage=Usage(record["usage"]),
            deprecated=record.get("deprecated", False),
            min_occurs=record.get("min", 1),
            max_occurs=record.get("max", 1),
            nillable=record.get("nillable", False),
            not_values=MappingProxyType({code: labels[code] for code in record.get("nv", ())}),
            pertinent_negatives=MappingProxyType(
                {code: pertinent_negative_mode(element_id, group_path, code) for code in record.get("pn", ())}
            ),
            attributes=self._attributes(record),
            type=self._type([record["type"]]),
            xsi_type=record.get("xsi_type"),
            phi=phi_class(element_id),
        )

    def _attributes(self, record: _Record) -> Mapping[str, AttributeDefinition]:
        required = record.get("required", ())
        return MappingProxyType(
            {
                name: AttributeDefinition(name, self._type(types), name in required)
                for name, types in record.get("attributes", {}).items()
            }
        )

    def _type(self, names: list[str]) -> SimpleType:
        if len(names) > 1:
            return SimpleType(" ".join(names), members=tuple(self._types[name] for name in names))
        return self._types.get(names[0]) or SimpleType(names[0])


def _simple_type(name: str, record: _Record) -> SimpleType:
    facets: dict[str, Any] = {ours: record[theirs] for theirs, ours in _TEXT_FACETS.items() if theirs in record}
    facets |= {ours: int(record[theirs]) for theirs, ours in _COUNT_FACETS.items() if theirs in record}
    return SimpleType(name, record["base"], Facets(**facets), MappingProxyType(record.get("codes", {})))
