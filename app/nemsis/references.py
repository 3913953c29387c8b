"""Checks names inside a document that must be unique or must exist. No official file checks them.

A CorrelationID is unique in a PatientCareReport. eCustomResults.02 names a custom element that the header declares.
"""

from collections import defaultdict
from collections.abc import Iterator

from lxml import etree

from app.ems.public import CUSTOM_CONFIGURATION_GROUP, Dictionary
from app.nemsis.findings import FindingSource, Severity, ValidationFinding, known_name, locate
from app.nemsis.places import HEADER, REPORT
from app.nemsis.tree import texts

CORRELATION_ID_REPEATED = "correlation_id_repeated"
CUSTOM_ELEMENT_UNKNOWN = "unknown_custom_element"
_RESULT_OF = "eCustomResults.02"
_REPEATED = "has a CorrelationID that stands elsewhere in the report: give it another one, or none."
_UNKNOWN = "names a custom element that the agency has not defined."


def reference_findings(root: etree._Element, dictionary: Dictionary) -> Iterator[ValidationFinding]:
    """Every name of the document that is used twice or names nothing."""
    for header in root.iterchildren(_tag(HEADER, dictionary)):
        configured = header.iter(_tag(CUSTOM_CONFIGURATION_GROUP, dictionary))
        defined = {group.get("CustomElementID") for group in configured}
        for report in header.iterchildren(_tag(REPORT, dictionary)):
            for node in _repeated(report):
                yield _finding(node, dictionary, CORRELATION_ID_REPEATED, _REPEATED)
            for node in report.iter(_tag(_RESULT_OF, dictionary)):
                if "".join(texts(node)) not in defined:
                    yield _finding(node, dictionary, CUSTOM_ELEMENT_UNKNOWN, _UNKNOWN)


def _repeated(report: etree._Element) -> Iterator[etree._Element]:
    """Every place that shares its CorrelationID with another. All are reported: any of them may be wrong."""
    places: dict[str, list[etree._Element]] = defaultdict(list)
    for node in report.iter("*"):
        correlation_id = node.get("CorrelationID")
        if correlation_id is not None:
            places[correlation_id].append(node)
    for sharing in places.values():
        if len(sharing) > 1:
            yield from sharing


def _finding(node: etree._Element, dictionary: Dictionary, code: str, predicate: str) -> ValidationFinding:
    name = known_name(node, dictionary)
    definition = dictionary.elements.get(name)
    message = f"{definition.name if definition else name} {predicate}"
    where = locate(node, dictionary)
    return ValidationFinding(name, where, Severity.ERROR, code, message, FindingSource.REFERENCES)


def _tag(name: str, dictionary: Dictionary) -> str:
    return f"{{{dictionary.namespace}}}{name}"
