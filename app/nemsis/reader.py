"""Reads an EMSDataSet back into the neutral content. It may be another system's or an earlier one of our own."""

from collections import defaultdict
from uuid import UUID

from lxml import etree

from app.ems.public import Dictionary, ElementDefinition, ElementValue, GroupDefinition
from app.nemsis.content import DocumentContent, DocumentContentError, GroupInstance, ReportContent
from app.nemsis.places import HEADER, REPORT
from app.nemsis.tree import XML_SPACE, XSI, XSI_NIL, attributes, nil_value, texts


def read_document(root: etree._Element, dictionary: Dictionary) -> DocumentContent:
    """The content of a parsed document with one header.

    An element that the document leaves out is absent, not blank. Raises DocumentContentError for content that has no
    place in the dictionary. `validate_tree` says more about such a document.
    """
    return _Reader(dictionary).document(root)


class _Collected:
    """The elements and groups found so far below one repeating instance."""

    def __init__(self) -> None:
        self.elements: dict[str, list[ElementValue]] = defaultdict(list)
        self.groups: list[GroupInstance] = []


class _Reader:
    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary

    def document(self, root: etree._Element) -> DocumentContent:
        headers = list(root.iterchildren(self._tag(HEADER)))
        if root.tag != self._tag(self._dictionary.root.name) or len(headers) != 1:
            raise DocumentContentError("the document is no EMSDataSet with exactly one Header")
        collected = _Collected()
        self._collect(headers[0], self._dictionary.groups[HEADER], collected)
        return DocumentContent(
            demographic={name: entry.value or "" for name, (entry, *_) in collected.elements.items()},
            reports=tuple(self._report(node) for node in headers[0].iterchildren(self._tag(REPORT))),
            custom_configuration=tuple(collected.groups),
        )

    def _report(self, node: etree._Element) -> ReportContent:
        try:
            uuid = UUID(node.get("UUID"))
        except (TypeError, ValueError):
            raise DocumentContentError("a PatientCareReport has no UUID") from None
        collected = _Collected()
        self._collect(node, self._dictionary.groups[REPORT], collected)
        return ReportContent(uuid, dict(collected.elements), tuple(collected.groups))

    def _collect(self, node: etree._Element, group: GroupDefinition, collected: _Collected) -> None:
        children = {
            self._tag(child.id if isinstance(child, ElementDefinition) else child.name): child
            for child in group.children
        }
        if any(text.strip(XML_SPACE) for text in texts(node)):
            raise DocumentContentError(f"{group.name} holds text outside its elements")
        for child in node.iterchildren("*"):
            definition = children.get(child.tag)
            if definition is None:
                raise DocumentContentError(f"{group.name} holds an element that does not belong there")
            if isinstance(definition, ElementDefinition):
                collected.elements[definition.id].append(self._entry(child, definition))
            elif not definition.repeats:
                self._collect(child, definition, collected)
            elif definition.name != REPORT:
                collected.groups.append(self._instance(child, definition))

    def _instance(self, node: etree._Element, definition: GroupDefinition) -> GroupInstance:
        collected = _Collected()
        self._collect(node, definition, collected)
        found = self._attributes(node, definition)
        correlation_id = found.pop("CorrelationID", None)
        return GroupInstance(definition.name, dict(collected.elements), correlation_id, found, tuple(collected.groups))

    def _entry(self, node: etree._Element, definition: ElementDefinition) -> ElementValue:
        text = "".join(texts(node))
        nil = nil_value(node.get(XSI_NIL))
        if (nil and text) or next(node.iterchildren("*"), None) is not None:
            raise DocumentContentError(f"{definition.id} holds something that is no value")
        found = self._attributes(node, definition)
        correlation_id = found.pop("CorrelationID", None)
        not_value, pertinent_negative = node.get("NV"), node.get("PN")
        replaced = not text and (not_value is not None or pertinent_negative is not None)
        return ElementValue(
            value=None if nil or replaced else text,
            not_value=not_value,
            pertinent_negative=pertinent_negative,
            attributes=found or None,
            correlation_id=correlation_id,
        )

    def _attributes(self, node: etree._Element, definition: ElementDefinition | GroupDefinition) -> dict[str, str]:
        coded = {"NV", "PN"} if isinstance(definition, ElementDefinition) else set()
        found = {}
        for name, value in attributes(node):
            if name.startswith(f"{{{XSI}}}") or name in coded:
                continue
            if name not in definition.attributes:
                raise DocumentContentError("an element has an attribute that is not in the dictionary")
            found[name] = value
        return found

    def _tag(self, name: str) -> str:
        return f"{{{self._dictionary.namespace}}}{name}"
