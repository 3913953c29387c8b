"""Derives app/ems/elements/nemsis_ems.json from the official NEMSIS XSDs, so that no element list is kept by hand.

Facts only: ids, names, occurrence, types, codes and their labels. Definitions and other prose stay behind.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
ENTRY_POINT = "EMSDataSet_v3.xsd"
CODED_ATTRIBUTES = {"NV": "nv", "PN": "pn"}  # kept as plain code lists, apart from the other attributes

Node = dict[str, Any]


class UnsupportedSchemaError(Exception):
    """The XSD uses a construct that the dictionary has no form for."""


class SchemaReader:
    """One build's EMSDataSet: its simple types and its groups and elements in document order."""

    def __init__(self, directory: Path) -> None:
        self._simple: dict[str, etree._Element] = {}
        self._complex: dict[str, etree._Element] = {}
        self._used_types: set[str] = set()
        root = self._read(directory, ENTRY_POINT, set())
        (element,) = root.findall(f"{XS}element")
        self.namespace = root.get("targetNamespace", "")
        self.nodes: list[Node] = []
        self._walk(element, parent=None)
        self.types = {name: self._simple_type(self._simple[name]) for name in sorted(self._used_types)}

    def _read(self, directory: Path, name: str, seen: set[str]) -> etree._Element:
        seen.add(name)
        root = etree.parse(str(directory / name)).getroot()
        for include in root.findall(f"{XS}include"):
            target = include.get("schemaLocation", "")
            if target not in seen:
                self._read(directory, target, seen)
        self._simple |= {str(node.get("name")): node for node in root.findall(f"{XS}simpleType")}
        self._complex |= {str(node.get("name")): node for node in root.findall(f"{XS}complexType")}
        return root

    def _walk(self, declaration: etree._Element, parent: str | None) -> None:
        type_name = declaration.get("type")
        body = self._complex.get(type_name) if type_name else declaration.find(f"{XS}complexType")
        occurrence = _occurrence(declaration, parent)
        sequence = body.find(f"{XS}sequence") if body is not None else None
        if body is None or sequence is None:
            self.nodes.append(self._leaf(declaration, occurrence, type_name, body))
            return
        name = str(declaration.get("name"))
        node: Node = {"group": name, **occurrence}
        if type_name:
            node["xsi_type"] = type_name
        attributes = self._attributes(body)
        if attributes:
            node["attributes"] = attributes
        required = [a.get("name") for a in body.findall(f"{XS}attribute") if a.get("use") == "required"]
        if required:
            node["required"] = required
        self.nodes.append(node)
        for child in sequence:
            if child.tag != f"{XS}element":
                raise UnsupportedSchemaError(f"{child.tag} in the sequence of {name}")
            self._walk(child, name)

    def _leaf(
        self, declaration: etree._Element, occurrence: Node, type_name: str | None, body: etree._Element | None
    ) -> Node:
        documentation = declaration.find(f"{XS}annotation/{XS}documentation/{{*}}nemsisTacDoc")
        if documentation is None:
            raise UnsupportedSchemaError(f"{declaration.get('name')} has no nemsisTacDoc")
        node: Node = {
            "id": declaration.get("name"),
            **occurrence,
            "name": _text(documentation, "name"),
            "usage": _text(documentation, "usage"),
        }
        for flag in ("national", "state", "deprecated"):
            if _text(documentation, flag) == "Yes":
                node[flag] = True
        if declaration.get("nillable") == "true":
            node["nillable"] = True
        if type_name:
            node |= {"type": self._use(type_name), "xsi_type": type_name}
        if body is not None:
            extension = body.find(f"{XS}simpleContent/{XS}extension")
            if extension is None:
                raise UnsupportedSchemaError(f"{node['id']} has no simple content")
            node["type"] = self._use(str(extension.get("base")))
            attributes = self._attributes(extension)
            for attribute, key in CODED_ATTRIBUTES.items():
                if attribute in attributes:
                    node[key] = [code for name in attributes.pop(attribute) for code in self._codes(name)]
            if attributes:
                node["attributes"] = attributes
        return node

    def _attributes(self, body: etree._Element) -> dict[str, list[str]]:
        """Attribute name → its type, or the member types of its union."""
        found = {}
        for attribute in body.findall(f"{XS}attribute"):
            union = attribute.find(f"{XS}simpleType/{XS}union")
            names = str(union.get("memberTypes")).split() if union is not None else [str(attribute.get("type"))]
            coded = attribute.get("name") in CODED_ATTRIBUTES
            found[str(attribute.get("name"))] = names if coded else [self._use(name) for name in names]
        return found

    def _codes(self, type_name: str) -> list[str]:
        return [str(node.get("value")) for node in self._simple[type_name].iter(f"{XS}enumeration")]

    def _use(self, type_name: str) -> str:
        if type_name == "xs:string":
            return "string"
        self._used_types.add(type_name)
        return type_name

    def _simple_type(self, declaration: etree._Element) -> Node:
        restriction = declaration.find(f"{XS}restriction")
        if restriction is None or not str(restriction.get("base")).startswith("xs:"):
            raise UnsupportedSchemaError(f"{declaration.get('name')} does not restrict a built-in type")
        node: Node = {"base": str(restriction.get("base")).removeprefix("xs:")}
        codes: dict[str, str] = {}
        for facet in restriction:
            if facet.tag == f"{XS}enumeration":
                codes[str(facet.get("value"))] = _text(facet, f"{XS}annotation/{XS}documentation")
                continue
            name = str(facet.tag).removeprefix(XS)
            if name in node:
                raise UnsupportedSchemaError(f"{declaration.get('name')} has two {name} facets")
            node[name] = facet.get("value")
        if codes:
            node["codes"] = codes
        return node

    def coded_labels(self) -> Node:
        return {key: self._simple_type(self._simple[name])["codes"] for name, key in CODED_ATTRIBUTES.items()}


def _occurrence(declaration: etree._Element, parent: str | None) -> Node:
    node: Node = {} if parent is None else {"in": parent}
    if declaration.get("minOccurs", "1") != "1":
        node["min"] = int(declaration.get("minOccurs", "1"))
    maximum = declaration.get("maxOccurs", "1")
    if maximum != "1":
        node["max"] = None if maximum == "unbounded" else int(maximum)
    return node


def _text(parent: etree._Element, path: str) -> str:
    found = parent.find(path if path.startswith("{") else f"{{*}}{path}")
    return " ".join("".join(str(part) for part in found.itertext()).split()) if found is not None else ""


def _differences(target: SchemaReader, other: SchemaReader) -> dict[str, Node]:
    """The differences that an older build has in the same nodes, by element id or group name."""
    if target.types != other.types or len(target.nodes) != len(other.nodes):
        raise UnsupportedSchemaError("the builds differ in more than the properties of elements")
    differences = {}
    for ours, theirs in zip(target.nodes, other.nodes, strict=True):
        name = str(ours.get("id") or ours.get("group"))
        if name != (theirs.get("id") or theirs.get("group")):
            raise UnsupportedSchemaError(f"the builds differ in order at {name}")
        if changed := {key: theirs.get(key) for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)}:
            differences[name] = changed
    return differences


def _lines(dictionary: Node) -> Iterator[str]:
    """The dictionary with one type or node a line. It loads fast, and a new build shows as a readable diff."""
    yield "{"
    for key, value in dictionary.items():
        last = key == list(dictionary)[-1]
        if isinstance(value, list):
            yield f"{json.dumps(key)}: ["
            yield ",\n".join(_compact(item) for item in value)
            yield "]" if last else "],"
        elif isinstance(value, dict):
            yield f"{json.dumps(key)}: {{"
            yield ",\n".join(f"{json.dumps(name)}: {_compact(item)}" for name, item in value.items())
            yield "}" if last else "},"
        else:
            yield f"{json.dumps(key)}: {_compact(value)}" + ("" if last else ",")
    yield "}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def generate(schema_dir: Path, target: str, older: list[str]) -> str:
    """The dictionary file's text.

    `schema_dir` holds one directory of XSDs per build. Raises UnsupportedSchemaError when a build leaves the forms
    that the dictionary knows.
    """
    reader = SchemaReader(schema_dir / target)
    builds: dict[str, dict[str, Node]] = {target: {}}
    builds |= {build: _differences(reader, SchemaReader(schema_dir / build)) for build in older}
    dictionary = {
        "namespace": reader.namespace,
        "builds": builds,
        **reader.coded_labels(),
        "types": reader.types,
        "nodes": reader.nodes,
    }
    return "\n".join(_lines(dictionary)) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schema-dir", type=Path, required=True, help="directory with one sub-directory per build")
    parser.add_argument("--target", default="3.5.1.251001CP2")
    parser.add_argument("--older", nargs="*", default=["3.5.1.250403CP1"])
    parser.add_argument("--out", type=Path, default=Path("app/ems/elements/nemsis_ems.json"))
    arguments = parser.parse_args()
    arguments.out.write_text(generate(arguments.schema_dir, arguments.target, arguments.older), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
