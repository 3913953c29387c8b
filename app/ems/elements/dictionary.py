"""The NEMSIS EMSDataSet as typed, frozen definitions: what exists, where, how often, and with which values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Union

from app.ems.elements.national_rules import PertinentNegativeMode
from app.ems.elements.phi import PhiClass
from app.ems.elements.simple_types import SimpleType

NOT_APPLICABLE = "7701001"
NOT_RECORDED = "7701003"


class Usage(StrEnum):
    """How strongly NEMSIS wants an element; Required ones may be nil with a NOT value, Mandatory ones may not."""

    MANDATORY = "Mandatory"
    REQUIRED = "Required"
    RECOMMENDED = "Recommended"
    OPTIONAL = "Optional"


@dataclass(frozen=True, slots=True)
class AttributeDefinition:
    """An XML attribute other than NV and PN."""

    name: str
    type: SimpleType
    required: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ElementDefinition:
    """A leaf of the data set. `max_occurs` None means unbounded; `group_path` runs from EMSDataSet to the parent."""

    id: str
    name: str
    group_path: tuple[str, ...]
    order: int
    national: bool
    state: bool
    usage: Usage
    deprecated: bool
    min_occurs: int
    max_occurs: int | None
    nillable: bool
    not_values: Mapping[str, str]
    pertinent_negatives: Mapping[str, PertinentNegativeMode]
    attributes: Mapping[str, AttributeDefinition]
    type: SimpleType
    xsi_type: str | None
    phi: PhiClass

    @property
    def section(self) -> str:
        """`eVitals` of `eVitals.06`."""
        return self.id.partition(".")[0]

    @property
    def accepts_correlation_id(self) -> bool:
        return "CorrelationID" in self.attributes

    def pertinent_negative_needs_value(self, code: str) -> bool:
        """True if `code` needs a value beside it, by the national rules or because the element cannot be nil."""
        mode = self.pertinent_negatives[code]
        return mode is PertinentNegativeMode.VALUE or (mode is PertinentNegativeMode.EITHER and not self.nillable)


@dataclass(frozen=True, slots=True, eq=False)
class GroupDefinition:
    """A container element with its children in document order; `path` ends with the group's own name."""

    name: str
    path: tuple[str, ...]
    min_occurs: int
    max_occurs: int | None
    attributes: Mapping[str, AttributeDefinition]
    children: tuple[Union["GroupDefinition", ElementDefinition], ...]
    xsi_type: str | None

    @property
    def repeats(self) -> bool:
        return self.max_occurs != 1

    def walk(self) -> Iterator[Union["GroupDefinition", ElementDefinition]]:
        """This group and everything below it, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, GroupDefinition):
                yield from child.walk()
            else:
                yield child


Definition = GroupDefinition | ElementDefinition


def definition_name(definition: Definition) -> str:
    """The XML element name of a group or an element."""
    return definition.id if isinstance(definition, ElementDefinition) else definition.name


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """One build of the standard. `elements` and `groups` are in document order; `not_values` and
    `pertinent_negatives` map every code of the standard to its label."""

    build: str
    namespace: str
    root: GroupDefinition
    elements: Mapping[str, ElementDefinition]
    groups: Mapping[str, GroupDefinition]
    types: Mapping[str, SimpleType]
    not_values: Mapping[str, str]
    pertinent_negatives: Mapping[str, str]
