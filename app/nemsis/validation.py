"""Builds a chart's document and judges it: our dictionary first, the official schema where it is installed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from app.core.pools import DOCUMENTS
from app.core.tenants.public import TenantRead
from app.ems.public import NOT_RECORDED, TARGET_BUILD, CustomElementRead, PatientChart, load_dictionary
from app.nemsis.content import DocumentContentError, ReportContent
from app.nemsis.diagnoses import Diagnosis, diagnosis_paths
from app.nemsis.document import build_document, serialize
from app.nemsis.findings import FindingSource, Severity, ValidationFinding
from app.nemsis.locations import chart_path, locate_in_chart
from app.nemsis.mapping import ChartMapper, MappedReport
from app.nemsis.places import HEADER, REPORT
from app.nemsis.schema_bundle import SchemaBundle
from app.nemsis.validator import validate_tree


@dataclass(frozen=True)
class ValidatedDocument:
    """`content` is the XML. It is empty when the chart could not be written at all.

    `blanks`: elements outside repeating groups that the chart leaves blank, so that the document says Not Recorded.
    Each has the field of the chart where its value belongs. `diagnoses`: the ICD-10-CM codes of the document, for the
    code set to judge.
    """

    content: bytes
    findings: list[ValidationFinding]
    blanks: Mapping[str, str | None] = field(default_factory=dict)
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def valid(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True)
class Agency:
    """The agency as a document names it: its profile, and the custom elements that it records beyond the standard."""

    tenant: TenantRead
    custom_elements: Sequence[CustomElementRead]


async def validate_chart(
    agency: Agency, chart: PatientChart, ordinal: int, count: int, schema: SchemaBundle
) -> ValidatedDocument:
    """The document of one patient of the chart, with everything that the standard finds wrong with it."""
    return await DOCUMENTS.run(_validate, agency, chart, ordinal, count, schema)


def _validate(agency: Agency, chart: PatientChart, ordinal: int, count: int, schema: SchemaBundle) -> ValidatedDocument:
    mapper = ChartMapper(agency.tenant, agency.custom_elements)
    mapped = mapper.report(chart, ordinal, count)
    try:
        root = build_document(mapper.document([mapped]), load_dictionary(TARGET_BUILD))
    except DocumentContentError as error:
        refused = ValidationFinding(
            "PatientCareReport", "PatientCareReport", Severity.ERROR, "not_writable", str(error), FindingSource.SCHEMA
        )
        return ValidatedDocument(b"", [refused])
    findings = [locate_in_chart(finding, chart, mapped.origins) for finding in _findings(root, schema)]
    blanks = {name: chart_path(name, "", chart, mapped.origins) for name in _blanks(root, mapped.content)}
    return ValidatedDocument(serialize(root), findings, blanks, tuple(_diagnoses(root, chart, mapped)))


def _diagnoses(root: etree._Element, chart: PatientChart, mapped: MappedReport) -> Iterator[Diagnosis]:
    for definition, path, code in diagnosis_paths(root, load_dictionary(TARGET_BUILD)):
        internal_path = chart_path(definition.id, path, chart, mapped.origins)
        yield Diagnosis(definition.id, definition.name, path, internal_path, code)


def _blanks(node: etree._Element, content: ReportContent) -> Iterator[str]:
    """The blank elements below `node`, without those inside repeating groups."""
    dictionary = load_dictionary(TARGET_BUILD)
    for child in node.iterchildren():
        name = etree.QName(child).localname
        group = dictionary.groups.get(name)
        if group is None:
            if child.get("NV") == NOT_RECORDED and name not in content.elements:
                yield name
        elif not group.repeats or name in (HEADER, REPORT):
            yield from _blanks(child, content)


def _findings(root: etree._Element, schema: SchemaBundle) -> list[ValidationFinding]:
    findings = validate_tree(root, load_dictionary(TARGET_BUILD))
    if not any(finding.source is FindingSource.SCHEMA for finding in findings) and schema.available():
        # Our dictionary gives the same verdict as the XSD. The XSD is asked only where ours found no fault.
        findings = [*findings, *schema.validate(root)]
    return findings
