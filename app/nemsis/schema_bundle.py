"""Runs the official XSD where its files are installed (setting NEMSIS_SCHEMA_DIR); they are not part of the project.

Blocking and CPU-bound: async callers go through a pool (app/core/pools.py).
"""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

from app.ems.public import TARGET_BUILD, Dictionary, load_dictionary
from app.nemsis.findings import FindingSource, Severity, ValidationFinding, known_name, locate

_ENTRY_POINT = "EMSDataSet_v3.xsd"
_UNSPECIFIC = "invalid"
_INVALID_VALUE = "invalid_value"
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "SCHEMAV_ELEMENT_CONTENT": ("content", "lacks an element, or holds one that does not belong there"),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": ("content", "holds an element where a value belongs"),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": ("unexpected_text", "holds text outside its elements"),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": ("unexpected_attribute", "has an attribute that does not belong there"),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": ("unexpected_attribute", "has an attribute that does not belong there"),
    "SCHEMAV_CVC_COMPLEX_TYPE_4": ("missing_attribute", "lacks an attribute"),
    "SCHEMAV_CVC_TYPE_3_1_1": ("unexpected_attribute", "has an attribute that does not belong there"),
    "SCHEMAV_CVC_TYPE_3_1_2": ("content", "holds an element where a value belongs"),
    "SCHEMAV_CVC_ELT_1": ("wrong_root", "is no NEMSIS EMS data set"),
    "SCHEMAV_CVC_ELT_3_1": ("nil_not_permitted", "cannot be left empty"),
    "SCHEMAV_CVC_ELT_3_2_1": ("nil_with_content", "is marked as empty, yet it holds something"),
    "SCHEMAV_CVC_ELT_4_2": ("wrong_type", "claims another type"),
    "SCHEMAV_CVC_ELT_4_3": ("wrong_type", "claims another type"),
}


class SchemaUnavailableError(RuntimeError):
    """The bundle's directory has no schema files for the build."""


class SchemaBundle:
    """The official schemas below `directory`, one sub-directory per build. None stands for "not installed"."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def available(self, build: str = TARGET_BUILD) -> bool:
        path = self._entry_point(build)
        return path is not None and path.is_file()

    def validate(self, root: etree._Element, build: str = TARGET_BUILD) -> list[ValidationFinding]:
        """The schema's findings in words without the document's values. libxml2's own messages quote values.

        Safe to call from several threads. Raises SchemaUnavailableError.
        """
        path = self._entry_point(build)
        if path is None or not path.is_file():
            raise SchemaUnavailableError(f"no NEMSIS schema of build {build} is installed")
        return _compiled(path).validate(root, load_dictionary(build))

    def _entry_point(self, build: str) -> Path | None:
        return None if self._directory is None else self._directory.resolve() / build / _ENTRY_POINT


class _CompiledSchema:
    """A compiled schema with a lock: lxml keeps the log of the last validation on the schema object itself."""

    def __init__(self, path: Path) -> None:
        parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
        self._schema = etree.XMLSchema(etree.parse(str(path), parser))
        self._lock = Lock()

    def validate(self, root: etree._Element, dictionary: Dictionary) -> list[ValidationFinding]:
        tree = root.getroottree()
        with self._lock:
            if self._schema.validate(tree):
                return []
            log: Any = self._schema.error_log
            entries = [(str(entry.type_name), str(entry.path)) for entry in log]
        findings = [_finding(tree, type_name, path, dictionary) for type_name, path in entries]
        return list(dict.fromkeys(findings))  # libxml2 reports one bad value twice: for the facet and for the type


def _finding(tree: etree._ElementTree, type_name: str, path: str, dictionary: Dictionary) -> ValidationFinding:
    nodes = tree.xpath(path)
    node = nodes[0] if isinstance(nodes, list) and nodes and isinstance(nodes[0], etree._Element) else tree.getroot()
    fallback = (_INVALID_VALUE, "holds a value that the national schema refuses")
    code, predicate = _MEANINGS.get(type_name, fallback)
    name = known_name(node, dictionary)
    definition = dictionary.elements.get(name)
    message = f"{definition.name if definition else name} {predicate}."
    where = locate(node, dictionary)
    return ValidationFinding(name, where, Severity.ERROR, code, message, FindingSource.XSD)


_cache: dict[Path, _CompiledSchema] = {}
_cache_lock = Lock()


def _compiled(path: Path) -> _CompiledSchema:
    """The compiled schema. It is compiled once per process and build, for all bundles."""
    with _cache_lock:
        if path not in _cache:
            _cache[path] = _CompiledSchema(path)
        return _cache[path]
