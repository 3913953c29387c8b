"""Judges an EMSDataSet by the project's own dictionary. So a chart is validated also without the official files.

Its verdict (source SCHEMA) equals libxml2's on the official XSD, and tests compare the two. It adds the national rules
of severity ERROR (source NATIONAL) and checks of the document's names (source REFERENCES). Its messages say in plain
words which field is wrong.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from lxml import etree

from app.ems.public import (
    AttributeDefinition,
    Definition,
    Dictionary,
    ElementDefinition,
    GroupDefinition,
    Occurrence,
    broken_rules,
    definition_name,
    expectation,
)
from app.nemsis.findings import FindingSource, Severity, ValidationFinding, known_name, locate
from app.nemsis.references import reference_findings
from app.nemsis.tree import XML_SPACE, XSI, XSI_NIL, attributes, nil_value, texts

_XSI_TYPE = f"{{{XSI}}}type"
_SCHEMA_HINTS = frozenset({f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation"})


class FindingCode(StrEnum):
    """Codes of SCHEMA findings; a value that breaks its type has the code of the Violation."""

    WRONG_ROOT = "wrong_root"
    UNEXPECTED_ELEMENT = "unexpected_element"
    OUT_OF_ORDER = "out_of_order"
    MISSING = "missing"
    TOO_MANY = "too_many"
    UNEXPECTED_TEXT = "unexpected_text"
    UNEXPECTED_ATTRIBUTE = "unexpected_attribute"
    MISSING_ATTRIBUTE = "missing_attribute"
    INVALID_ATTRIBUTE = "invalid_attribute"
    NOT_VALUE_NOT_PERMITTED = "not_value_not_permitted"
    PERTINENT_NEGATIVE_NOT_PERMITTED = "pertinent_negative_not_permitted"
    NIL_NOT_PERMITTED = "nil_not_permitted"
    NIL_WITH_CONTENT = "nil_with_content"
    WRONG_TYPE = "wrong_type"


def validate_tree(root: etree._Element, dictionary: Dictionary) -> list[ValidationFinding]:
    """Every finding of a parsed document; `root` is its EMSDataSet element."""
    return _Validation(dictionary).run(root)


@dataclass(frozen=True, slots=True)
class _ChildPlan:
    position: int
    definition: Definition


@cache
def _plan(group: GroupDefinition, namespace: str) -> dict[str, _ChildPlan]:
    return {
        f"{{{namespace}}}{definition_name(child)}": _ChildPlan(position, child)
        for position, child in enumerate(group.children)
    }


class _Validation:
    """One run over one document."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._namespace = dictionary.namespace
        self._findings: list[ValidationFinding] = []

    def run(self, root: etree._Element) -> list[ValidationFinding]:
        if root.tag == f"{{{self._namespace}}}{self._dictionary.root.name}":
            self._group(root, self._dictionary.root)
            self._findings += reference_findings(root, self._dictionary)
        else:
            self._add(root, FindingCode.WRONG_ROOT, "This is not a NEMSIS EMS data set.")
        return self._findings

    def _group(self, node: etree._Element, group: GroupDefinition) -> None:
        self._group_attributes(node, group)
        if any(text.strip(XML_SPACE) for text in texts(node)):
            self._add(node, FindingCode.UNEXPECTED_TEXT, f"{group.name} holds text outside its elements.")
        counts = [0] * len(group.children)
        reached = 0
        for child in node.iterchildren("*"):
            plan = _plan(group, self._namespace).get(child.tag)
            if plan is None:
                message = f"{group.name} holds an element that does not belong there."
                self._add(child, FindingCode.UNEXPECTED_ELEMENT, message)
                continue
            counts[plan.position] += 1
            self._occurrence(child, plan, reached, counts[plan.position])
            reached = max(reached, plan.position)
            if isinstance(plan.definition, GroupDefinition):
                self._group(child, plan.definition)
            else:
                self._element(child, plan.definition)
        for definition, count in zip(group.children, counts, strict=True):
            if count < definition.min_occurs:
                self._missing(node, definition)

    def _occurrence(self, child: etree._Element, plan: _ChildPlan, reached: int, count: int) -> None:
        definition = plan.definition
        if plan.position < reached:
            self._add(child, FindingCode.OUT_OF_ORDER, f"{_label(definition)} is out of order.")
        if definition.max_occurs is not None and count == definition.max_occurs + 1:
            self._add(child, FindingCode.TOO_MANY, f"{_label(definition)} is repeated too often.")

    def _missing(self, parent: etree._Element, definition: Definition) -> None:
        path = f"{locate(parent, self._dictionary)}/{definition_name(definition)}"
        ending = ""
        if isinstance(definition, ElementDefinition) and definition.not_values:
            ending = f": record it, or mark it {' or '.join(definition.not_values.values())}"
        message = f"{_label(definition)} is missing{ending}."
        self._findings.append(
            ValidationFinding(
                definition_name(definition), path, Severity.ERROR, FindingCode.MISSING, message, FindingSource.SCHEMA
            )
        )

    def _group_attributes(self, node: etree._Element, group: GroupDefinition) -> None:
        for name, value in attributes(node):
            if name == XSI_NIL:
                self._add(node, FindingCode.NIL_NOT_PERMITTED, f"{group.name} cannot be nil.")
            elif not self._is_meta(node, name, value, group.xsi_type):
                self._attribute(node, group.name, group.attributes.get(name), value)
        for attribute in group.attributes.values():
            if attribute.required and attribute.name not in node.attrib:
                self._add(node, FindingCode.MISSING_ATTRIBUTE, f"{group.name} needs its {attribute.name}.")

    def _element(self, node: etree._Element, definition: ElementDefinition) -> None:
        nil = False
        for name, value in attributes(node):
            if name == XSI_NIL:
                nil = self._nil(node, definition, value)
            elif name == "NV" and definition.not_values:
                if value not in definition.not_values:
                    message = f"{definition.name} may only be marked {' or '.join(definition.not_values.values())}."
                    self._add(node, FindingCode.NOT_VALUE_NOT_PERMITTED, message)
            elif name == "PN" and definition.pertinent_negatives:
                if value not in definition.pertinent_negatives:
                    message = f"{definition.name} does not take this pertinent negative."
                    self._add(node, FindingCode.PERTINENT_NEGATIVE_NOT_PERMITTED, message)
            elif not self._is_meta(node, name, value, definition.xsi_type):
                self._attribute(node, definition.name, definition.attributes.get(name), value)
        self._content(node, definition, nil)
        for rule in broken_rules(_occurrence(node, definition)):
            self._add(node, rule.id, f"{definition.name} {rule.says}", FindingSource.NATIONAL)

    def _content(self, node: etree._Element, definition: ElementDefinition, nil: bool) -> None:
        if next(node.iterchildren("*"), None) is not None:
            message = f"{definition.name} holds an element where a value belongs."
            self._add(node, FindingCode.UNEXPECTED_ELEMENT, message)
            return
        text = "".join(texts(node))
        if nil:
            if text:
                message = f"{definition.name} is marked as empty, yet it holds something."
                self._add(node, FindingCode.NIL_WITH_CONTENT, message)
        elif violation := definition.type.violation(text):
            self._add(node, violation, f"{definition.name} must be {expectation(definition.type)}.")

    def _nil(self, node: etree._Element, definition: ElementDefinition, value: str) -> bool:
        """True if xsi:nil makes the element empty. On an element that cannot be nil even "false" is refused."""
        nil = nil_value(value)
        if nil is None or not definition.nillable:
            self._add(node, FindingCode.NIL_NOT_PERMITTED, f"{definition.name} needs a value; it cannot be left empty.")
        return bool(nil and definition.nillable)

    def _is_meta(self, node: etree._Element, name: str, value: str, xsi_type: str | None) -> bool:
        """True if the attribute is one of XML Schema's own, which every element may carry."""
        if name != _XSI_TYPE:
            return name in _SCHEMA_HINTS
        prefix, _, local = value.rpartition(":")
        # No type of the data set derives from another, so xsi:type can only repeat the type that is declared.
        if local != xsi_type or node.nsmap.get(prefix or None) != self._namespace:
            self._add(node, FindingCode.WRONG_TYPE, f"{known_name(node, self._dictionary)} claims another type.")
        return True

    def _attribute(self, node: etree._Element, label: str, attribute: AttributeDefinition | None, value: str) -> None:
        if attribute is None:
            self._add(node, FindingCode.UNEXPECTED_ATTRIBUTE, f"{label} has an attribute that does not belong there.")
        elif attribute.type.violation(value):
            message = f"{label} ({attribute.name}) must be {expectation(attribute.type)}."
            self._add(node, FindingCode.INVALID_ATTRIBUTE, message)

    def _add(self, node: etree._Element, code: str, message: str, source: FindingSource = FindingSource.SCHEMA) -> None:
        name = known_name(node, self._dictionary)
        path = locate(node, self._dictionary)
        self._findings.append(ValidationFinding(name, path, Severity.ERROR, str(code), message, source))


def _occurrence(node: etree._Element, definition: ElementDefinition) -> Occurrence:
    return Occurrence(
        element_id=definition.id,
        group_path=definition.group_path,
        value="".join(texts(node)),
        empty=node.get(XSI_NIL) == "true",
        not_value=node.get("NV"),
        pertinent_negative=node.get("PN"),
        code_type=node.get("CodeType"),
    )


def _label(definition: Definition) -> str:
    return definition_name(definition) if isinstance(definition, GroupDefinition) else definition.name
