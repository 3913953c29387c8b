"""Writes the neutral content as an EMSDataSet of the target build, every element where the dictionary puts it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from lxml import etree

from app.ems.public import Dictionary, ElementDefinition, ElementValue, GroupDefinition, has_illegal_character
from app.nemsis.blanks import not_value_for
from app.nemsis.content import DocumentContent, DocumentContentError, Elements, GroupInstance, ReportContent
from app.nemsis.places import HEADER, REPORT, check_places, names_within
from app.nemsis.tree import XSI, XSI_NIL

_SCHEMA_LOCATION = "https://nemsis.org/media/nemsis_v3/{build}/XSDs/NEMSIS_XSDs/EMSDataSet_v3.xsd"


def build_document(content: DocumentContent, dictionary: Dictionary) -> etree._Element:
    """The EMSDataSet element of `content`.

    A blank Required element becomes nil with a NOT value. A blank Mandatory element is left out, and the validator
    reports it. Raises DocumentContentError for content without a place, a UUID that NEMSIS refuses (such as version
    7), or text that XML cannot carry.
    """
    return _Builder(dictionary).document(content)


def serialize(root: etree._Element) -> bytes:
    """The document as UTF-8 with declaration, the same bytes for the same tree."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def nemsis_datetime(moment: datetime, zone: tzinfo) -> str:
    """The moment in the agency's zone in the form of NEMSIS DateTimeType: a numeric offset, never Z.

    Raises ValueError for a naive datetime.
    """
    if moment.tzinfo is None:
        raise ValueError("a NEMSIS date and time needs an offset")
    return moment.astimezone(zone).isoformat()


@dataclass(frozen=True, slots=True)
class _Scope:
    """The data for writing one instance. `outer` is the scope of the instance around it."""

    elements: Elements
    instances: Mapping[str, Sequence[GroupInstance]]
    outer: "_Scope | None" = None

    def recorded(self, element_id: str) -> frozenset[str]:
        entries = self.elements.get(element_id, ())
        marks = (mark for entry in entries for mark in (entry.value, entry.pertinent_negative))
        here = frozenset(mark for mark in marks if mark is not None)
        return here if self.outer is None else here | self.outer.recorded(element_id)


def _scope(elements: Elements, groups: Sequence[GroupInstance], outer: _Scope | None = None) -> _Scope:
    instances: dict[str, list[GroupInstance]] = defaultdict(list)
    for instance in groups:
        instances[instance.name].append(instance)
    return _Scope(elements, instances, outer)


def _says_something(entry: ElementValue) -> bool:
    return not (entry.value is None and entry.not_value is None and entry.pertinent_negative is None)


class _Builder:
    """One document in the making."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary

    def document(self, content: DocumentContent) -> etree._Element:
        namespace = self._dictionary.namespace
        nsmap: Mapping[str | None, str] = {None: namespace, "xsi": XSI}
        root = etree.Element(self._tag(self._dictionary.root.name), nsmap=nsmap)  # type: ignore[arg-type]
        location = _SCHEMA_LOCATION.format(build=self._dictionary.build)
        root.set(f"{{{XSI}}}schemaLocation", f"{namespace} {location}")
        demographic = {name: [ElementValue(value=value)] for name, value in content.demographic.items()}
        check_places(demographic, content.custom_configuration, HEADER, self._dictionary)
        header = etree.SubElement(root, self._tag(HEADER))
        self._children(header, self._dictionary.groups[HEADER], _scope(demographic, content.custom_configuration))
        for report in content.reports:
            self._report(header, report)
        return root

    def _report(self, header: etree._Element, report: ReportContent) -> None:
        definition = self._dictionary.groups[REPORT]
        if definition.attributes["UUID"].type.violation(str(report.uuid)) is not None:
            raise DocumentContentError("the UUID of a PatientCareReport must be of version 1 to 5")
        check_places(report.elements, report.groups, REPORT, self._dictionary)
        node = etree.SubElement(header, self._tag(REPORT), UUID=str(report.uuid))
        self._children(node, definition, _scope(report.elements, report.groups))

    def _children(self, node: etree._Element, group: GroupDefinition, scope: _Scope) -> None:
        for child in group.children:
            if isinstance(child, ElementDefinition):
                self._element(node, child, scope)
            elif child.repeats:
                if child.name != REPORT:
                    self._instances(node, child, scope)
            elif child.min_occurs or self._is_filled(child, scope):
                self._children(etree.SubElement(node, self._tag(child.name)), child, scope)

    def _is_filled(self, group: GroupDefinition, scope: _Scope) -> bool:
        return any(
            scope.instances.get(name) or any(map(_says_something, scope.elements.get(name, ())))
            for name in names_within(group)
        )

    def _instances(self, node: etree._Element, group: GroupDefinition, scope: _Scope) -> None:
        instances = scope.instances.get(group.name, ())
        missing = group.min_occurs - len(instances)
        for instance in [*instances, *(GroupInstance(group.name) for _ in range(missing))]:
            attributes = dict(instance.attributes)
            if instance.correlation_id is not None:
                attributes["CorrelationID"] = instance.correlation_id
            child = etree.SubElement(node, self._tag(group.name))
            self._set_attributes(child, group, attributes)
            self._children(child, group, _scope(instance.elements, instance.children, scope))

    def _element(self, node: etree._Element, definition: ElementDefinition, scope: _Scope) -> None:
        entries = [entry for entry in scope.elements.get(definition.id, ()) if _says_something(entry)]
        for entry in entries:
            self._entry(node, definition, entry)
        if len(entries) < definition.min_occurs:
            not_value = not_value_for(definition, scope.recorded)
            if not_value is not None:
                self._entry(node, definition, ElementValue(not_value=not_value))

    def _entry(self, node: etree._Element, definition: ElementDefinition, entry: ElementValue) -> None:
        element = etree.SubElement(node, self._tag(definition.id))
        if entry.value is not None:
            element.text = self._carried(entry.value, definition.id)
        elif definition.nillable:
            element.set(XSI_NIL, "true")
        for name, code in (("NV", entry.not_value), ("PN", entry.pertinent_negative)):
            if code is not None:
                element.set(name, self._carried(code, definition.id))
        attributes = dict(entry.attributes or {})
        if entry.correlation_id is not None:
            attributes["CorrelationID"] = entry.correlation_id
        self._set_attributes(element, definition, attributes)

    def _set_attributes(
        self, node: etree._Element, definition: ElementDefinition | GroupDefinition, attributes: Mapping[str, str]
    ) -> None:
        name = definition.id if isinstance(definition, ElementDefinition) else definition.name
        if not attributes.keys() <= definition.attributes.keys():
            raise DocumentContentError(f"{name} has an attribute that is not in the dictionary")
        for attribute in definition.attributes:
            if attribute in attributes:
                node.set(attribute, self._carried(attributes[attribute], name))

    def _carried(self, text: str, name: str) -> str:
        if has_illegal_character(text):
            raise DocumentContentError(f"{name} holds a character that XML cannot carry")
        return text

    def _tag(self, name: str) -> str:
        return f"{{{self._dictionary.namespace}}}{name}"
