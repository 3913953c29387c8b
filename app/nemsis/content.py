"""The content of a document without XML: the neutral form between the chart and the EMSDataSet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.ems.public import ElementValue

Elements = Mapping[str, Sequence[ElementValue]]


class DocumentContentError(ValueError):
    """The content cannot be written as, or read from, an EMSDataSet. Messages name elements and never hold values."""


@dataclass(frozen=True, slots=True)
class GroupInstance:
    """One instance of a repeating group, such as one eVitals.VitalGroup.

    `elements` holds what lies below it up to the next repeating group, so `eVitals.06` stands in the VitalGroup
    although the XML puts a BloodPressureGroup between them. `children` are instances of nested repeating groups.
    `attributes` are the group's own XML attributes other than CorrelationID.
    """

    name: str
    elements: Elements = field(default_factory=dict)
    correlation_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: Sequence["GroupInstance"] = ()


@dataclass(frozen=True, slots=True)
class ReportContent:
    """One PatientCareReport: the elements outside repeating groups, and the instances of the outermost ones."""

    uuid: UUID
    elements: Elements = field(default_factory=dict)
    groups: Sequence[GroupInstance] = ()


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """One EMSDataSet with a single header. `demographic` holds dAgency.01, .02 and .04."""

    demographic: Mapping[str, str]
    reports: Sequence[ReportContent]
    custom_configuration: Sequence[GroupInstance] = ()
