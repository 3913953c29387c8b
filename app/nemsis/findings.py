"""The findings of validators: one shape for our own dictionary, the official XSD, the national rules and code sets."""

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from app.ems.public import Dictionary

_UNNAMED = "unknown"


class Severity(StrEnum):
    """An error blocks the export; a warning is for the medic to judge."""

    ERROR = "error"
    WARNING = "warning"


class FindingSource(StrEnum):
    """SCHEMA: our dictionary, equal to the XSD's verdict. NATIONAL: the Schematron's rules of severity ERROR. XSD: the
    official schema. REFERENCES: names inside the document that stand twice or lead nowhere.

    CODE_SET: the codes that are loaded; they warn, and never block.
    """

    SCHEMA = "schema"
    NATIONAL = "national"
    XSD = "xsd"
    REFERENCES = "references"
    CODE_SET = "code_set"


@dataclass(frozen=True, slots=True)
class ValidationFinding:
    """One fault of a document. Neither `path` nor `message` holds a value of the document.

    `path` is relative to the header, counting from 1: `PatientCareReport[1]/eVitals/eVitals.VitalGroup[2]/…`.
    `internal_path` is the place in the chart where the medic can mend it. The chart mapping fills it.
    """

    element_id: str
    path: str
    severity: Severity
    code: str
    message: str
    source: FindingSource
    internal_path: str | None = None


def known_name(node: etree._Element, dictionary: Dictionary) -> str:
    """The element's name if the standard knows it. A foreign name is not repeated, because it may hold anything."""
    name = etree.QName(node)
    known = name.localname in dictionary.elements or name.localname in dictionary.groups
    return str(name.localname) if known and name.namespace == dictionary.namespace else _UNNAMED


def locate(node: etree._Element, dictionary: Dictionary) -> str:
    """The `path` of a finding on `node`. A name has a number where the standard lets it repeat."""
    steps = []
    current: etree._Element | None = node
    while current is not None:
        steps.append(_step(current, dictionary))
        current = current.getparent()
    steps.reverse()
    below = steps[2:] if len(steps) > 2 and steps[0] == "EMSDataSet" else steps
    several_headers = len(steps) > 2 and len(node.getroottree().getroot()) > 1
    return "/".join(steps[1:] if several_headers else below)


def _step(node: etree._Element, dictionary: Dictionary) -> str:
    name = known_name(node, dictionary)
    definition = dictionary.elements.get(name) or dictionary.groups.get(name)
    if definition is None or definition.max_occurs == 1 or node.getparent() is None:
        return name
    return f"{name}[{sum(1 for _ in node.itersiblings(node.tag, preceding=True)) + 1}]"
