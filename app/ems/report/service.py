"""The patient care report: read in one unit of work that records the disclosure, then typeset."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends

from app.coding.public import list_diagnosis_names, list_medication_names
from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.db.uow import UnitOfWork, refuse_open_transaction
from app.core.dependencies import RuntimeDependency, UowFactory
from app.core.errors import ValidationFailed
from app.core.pagination import Paging
from app.core.storage.gateway import ObjectStore
from app.core.tenants.public import TenantRead, current_tenant
from app.ems.attachments.lifecycle import AttachmentStatus
from app.ems.attachments.repository import AttachmentRepository
from app.ems.charting.service import present
from app.ems.entries.attachments import present_attachments
from app.ems.entries.signatures import present_signatures
from app.ems.exports import EXPORTS, ExportSource
from app.ems.history.schemas import AmendmentRead
from app.ems.history.service import HistoryReader
from app.ems.incidents.repository import IncidentRepository
from app.ems.parts import INCIDENT, PATIENT
from app.ems.patient_charts import Charts, PatientChart, read_charts
from app.ems.people.repository import PeopleRepository
from app.ems.report.content import content_of
from app.ems.report.material import Material, SignatureImage
from app.ems.report.typesetting import typeset
from app.ems.review.models import ChartReview
from app.ems.review.repository import ReviewRepository
from app.ems.signatures.models import Signature
from app.ems.signatures.repository import SignatureRepository

_PAGE_OF_AMENDMENTS = 200
_DIAGNOSIS = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
_MEDICATIONS = frozenset({"eMedications.03", "eHistory.06", "eHistory.12"})


class ReportAction(AuditAction):
    DISCLOSED = "patient.report_disclosed"


PATIENT_CARE_REPORT = Disclosure(ReportAction.DISCLOSED, Means.DOWNLOAD, "patient_care_report")


@dataclass(frozen=True)
class Report:
    """A typeset report. `chart_version` tells which chart it shows."""

    pdf: bytes
    file_name: str
    chart_version: str


class ReportService:
    def __init__(
        self, factory: Callable[[], UnitOfWork], objects: ObjectStore, sources: Sequence[ExportSource]
    ) -> None:
        self._factory = factory
        self._objects = objects
        self._sources = sources

    async def make(self, incident_id: uuid.UUID, patient_id: uuid.UUID | None) -> Report:
        """The report of one patient, or of a call without one. The disclosure is recorded before anything is typeset.

        No transaction is open while the object store is asked for the images of signatures, or while pages are made.
        Raises NotFound. Raises ValidationFailed if `patient_id` is missing but needed, or is not of the incident.
        """
        async with self._factory() as uow:
            material, stored = await self.read(uow, incident_id, patient_id)
            await disclose(
                uow,
                PATIENT_CARE_REPORT,
                entity_type=(INCIDENT if material.chart.of_call else PATIENT).entity_type,
                entity_id=material.chart.patient.id,
                incident_ids=[incident_id],
                metadata={"chart_version": material.chart_version(), "draft": material.is_draft},
            )
        pdf = await typeset(await self.content(material, stored))
        name = f"report-{material.chart.patient.pcr_uuid}.pdf"
        return Report(pdf, name, material.chart_version())

    async def content(self, material: Material, stored: Sequence[Signature]) -> dict[str, Any]:
        """What the template is given. The images of signatures are fetched, and no transaction may be open."""
        refuse_open_transaction()
        images = {
            signature.id: SignatureImage(signature.file_type, await self._objects.get(signature.signature_blob_ref))
            for signature in stored
            if signature.signature_blob_ref is not None
        }
        return content_of(replace(material, images=images))

    async def read(
        self, uow: UnitOfWork, incident_id: uuid.UUID, patient_id: uuid.UUID | None
    ) -> tuple[Material, list[Signature]]:
        """The material of a report without images, and the signatures to fetch images of. Raises as `make`."""
        tenant_id = uow.tenant_id
        incident = await IncidentRepository(uow).get(tenant_id, incident_id)
        charts = await read_charts(uow, present(incident, uow.principal))
        chart = _chosen(charts, patient_id)
        signatures = [
            signature
            for signature in await SignatureRepository(uow).list_all(tenant_id, incident_id=incident_id)
            if signature.patient_id in (None, chart.patient_id)
        ]
        attachments = [
            attachment
            for attachment in await AttachmentRepository(uow).list_all(tenant_id, incident_id=incident_id)
            if attachment.status is AttachmentStatus.STORED and attachment.patient_id in (None, chart.patient_id)
        ]
        amendments = await self._amendments(uow, chart, sole=len(charts.patients) < 2)
        review = await ReviewRepository(uow).find_latest(tenant_id, incident_id)
        return Material(
            tenant=TenantRead.of(await current_tenant(uow)),
            chart=chart,
            patients=len(charts.patients),
            signatures=await present_signatures(uow, incident, signatures),
            attachments=await present_attachments(uow, incident, attachments),
            amendments=amendments,
            review=review,
            people=await PeopleRepository(uow).list_names(tenant_id, _people(chart, amendments, review)),
            names=await _names(uow, chart),
        ), signatures

    async def _amendments(self, uow: UnitOfWork, chart: PatientChart, *, sole: bool) -> list[AmendmentRead]:
        """Amendments about this patient or about the whole call, the oldest first."""
        reader, found = HistoryReader(uow, self._sources), list[AmendmentRead]()
        cursor: str | None = None
        while True:
            paging = Paging(limit=_PAGE_OF_AMENDMENTS, cursor=cursor, sort="created_at")
            page = await reader.list_amendments(chart.incident.id, paging)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        if sole:
            return found
        shown = {entry.id for entry in chart.entries()} | {
            amendment.entity_id for amendment in found if _is_said_about(amendment, chart.patient.id)
        }
        return [amendment for amendment in found if amendment.entity_id in shown]


def _chosen(charts: Charts, patient_id: uuid.UUID | None) -> PatientChart:
    if patient_id is None:
        if len(charts.patients) > 1:
            raise ValidationFailed.of("query.patient_id", "missing", "Say which patient the report is about.")
        return charts.patients[0] if charts.patients else charts.call
    for chart in charts.patients:
        if chart.patient.id == patient_id:
            return chart
    raise ValidationFailed.of("query.patient_id", "unknown_patient", "This incident has no such patient.")


def _is_said_about(amendment: AmendmentRead, patient_id: uuid.UUID) -> bool:
    """True if the amendment made or deleted an entry of this patient. A deleted entry is no longer in the chart."""
    return any(
        change.field == "patient_id" and str(patient_id) in (change.before, change.after)
        for change in amendment.changes
    )


def _people(chart: PatientChart, amendments: Iterable[AmendmentRead], review: ChartReview | None) -> set[uuid.UUID]:
    people = {amendment.amended_by for amendment in amendments}
    people |= {member.personnel_id for member in chart.crew}
    return people | ({review.decided_by} if review is not None and review.decided_by is not None else set())


async def _names(uow: UnitOfWork, chart: PatientChart) -> dict[str, str]:
    """The names of the medications and diagnoses that the chart holds as codes."""
    medications, diagnoses = set[str](), set[str]()
    for element_id, value in _coded(chart):
        if element_id in _MEDICATIONS:
            medications.add(value)
        elif _DIAGNOSIS.fullmatch(value):
            diagnoses.add(value)
    return {
        **await list_medication_names(uow, sorted(medications)),
        **await list_diagnosis_names(uow, sorted(diagnoses)),
    }


def _coded(chart: PatientChart) -> Iterator[tuple[str, str]]:
    if chart.incident.primary_impression is not None:
        yield "eSituation.11", chart.incident.primary_impression
    yield from (("eMedications.03", one.rxcui) for one in chart.interventions if one.rxcui is not None)
    for entry in chart.entries():
        elements: dict[str, list[dict[str, Any]]] = getattr(entry, "elements", {})
        for element_id, values in elements.items():
            yield from ((element_id, value["value"]) for value in values if value.get("value"))


async def report_service(factory: UowFactory, runtime: RuntimeDependency) -> ReportService:
    return ReportService(factory, runtime.objects, runtime.composition.sources(EXPORTS))


Reports = Annotated[ReportService, Depends(report_service)]
