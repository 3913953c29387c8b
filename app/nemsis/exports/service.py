"""Exporting a chart: create, validate, export; the document is stored outside any transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from fastapi import Depends

from app.core.audit.access import Purpose
from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, UowFactory
from app.core.errors import NotFound, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.outbound.outside import call_outside
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.repository import require_version
from app.core.runtime import Runtime
from app.core.storage.gateway import object_key
from app.core.tenants.public import TenantRead, current_tenant
from app.ems.public import (
    TARGET_BUILD,
    IncidentStatus,
    PatientChart,
    freeze_chart,
    get_charts,
    list_custom_elements,
    service_date,
)
from app.nemsis.diagnoses import check_diagnoses
from app.nemsis.events import EXPORT_STATUS_CHANGED
from app.nemsis.exports.lifecycle import ExportFacts, ExportRequest, ExportStatus, ExportTransition, export_lifecycle
from app.nemsis.exports.models import NemsisExport
from app.nemsis.exports.repository import NemsisExportRepository
from app.nemsis.exports.schemas import (
    ChartValidation,
    ExportTransitionRequest,
    FindingRead,
    NemsisExportCreate,
    NemsisExportRead,
    PatientValidation,
)
from app.nemsis.findings import ValidationFinding
from app.nemsis.permissions import NEMSIS_EXPORT
from app.nemsis.schema_bundle import SchemaBundle
from app.nemsis.settings import NemsisSettings
from app.nemsis.validation import Agency, ValidatedDocument, validate_chart

CLOSED_STATES = frozenset({IncidentStatus.COMPLETED, IncidentStatus.LOCKED})


class NemsisExportAction(AuditAction):
    CREATED = "nemsis_export.created"
    DOWNLOADED = "nemsis_export.downloaded"


MEDIA_TYPE = "application/xml"
DOCUMENT = Disclosure(NemsisExportAction.DOWNLOADED, Means.DOWNLOAD, "nemsis_document", Purpose.PUBLIC_HEALTH)
"""The document of one patient, for the state's repository."""


@dataclass(frozen=True)
class Material:
    """Everything that goes into one document: of patient number `ordinal` of `count`, or of a call without one."""

    agency: Agency
    chart: PatientChart
    ordinal: int
    count: int


@dataclass(frozen=True)
class ValidatedChart:
    """One patient's chart and document."""

    material: Material
    document: ValidatedDocument

    @property
    def chart(self) -> PatientChart:
        return self.material.chart


@dataclass(frozen=True)
class Prepared:
    """An export that is about to happen, and the key of its document."""

    validated: ValidatedChart
    key: str


def present(export: NemsisExport, principal: Principal) -> NemsisExportRead:
    return NemsisExportRead.of(export, allowed_actions=export_lifecycle.allowed_actions(export, principal))


def _findings(findings: Sequence[ValidationFinding]) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


class NemsisExportReader:
    def __init__(self, uow: ReadUnitOfWork, runtime: Runtime) -> None:
        self._uow = uow
        self._runtime = runtime
        self._exports = NemsisExportRepository(uow)
        self._schema = SchemaBundle(runtime.settings.group(NemsisSettings).nemsis_schema_dir)

    async def validate(self, incident_id: uuid.UUID) -> ChartValidation:
        """The findings that now keep this chart from being sent to the state. Raises NotFound."""
        validated = await validate_incident(self._uow, incident_id, self._schema)
        patients = [
            PatientValidation(
                patient_id=one.chart.patient_id,
                valid=one.document.valid,
                findings=[FindingRead(**finding) for finding in _findings(one.document.findings)],
            )
            for one in validated
        ]
        return ChartValidation(
            incident_id=incident_id,
            schema_build=TARGET_BUILD,
            xsd_checked=self._schema.available(),
            valid=bool(patients) and all(patient.valid for patient in patients),
            patients=patients,
        )

    async def get(self, export_id: uuid.UUID) -> NemsisExportRead:
        """Raises NotFound."""
        return present(await self._exports.get(self._uow.tenant_id, export_id), self._uow.principal)

    async def list_page(self, paging: Paging, **filters: Any) -> Page[NemsisExportRead]:
        page = await self._exports.list_page(self._uow.tenant_id, paging, **filters)
        return Page(items=[present(item, self._uow.principal) for item in page.items], next_cursor=page.next_cursor)


async def validate_incident(uow: ReadUnitOfWork, incident_id: uuid.UUID, schema: SchemaBundle) -> list[ValidatedChart]:
    """Every patient's document, validated. Raises NotFound."""
    return await _validate(uow, await _materials(uow, incident_id), schema)


async def _materials(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> list[Material]:
    """The material of every document of the incident, in nine statements. Raises NotFound."""
    charts = (await get_charts(uow, incident_id)).documented
    agency = Agency(TenantRead.of(await current_tenant(uow)), await list_custom_elements(uow))
    return [Material(agency, chart, ordinal, len(charts)) for ordinal, chart in enumerate(charts, start=1)]


async def _material(uow: ReadUnitOfWork, export: NemsisExport) -> Material:
    """Raises NotFound when the patient was deleted meanwhile, or one was added to a call without a patient."""
    for material in await _materials(uow, export.incident_id):
        if material.chart.patient_id == export.patient_id:
            return material
    raise NotFound("The chart no longer has the patient of this export, or has one now.")


async def _validate(uow: ReadUnitOfWork, materials: Sequence[Material], schema: SchemaBundle) -> list[ValidatedChart]:
    """The documents of patients of one incident."""
    documents = [await validate_chart(each.agency, each.chart, each.ordinal, each.count, schema) for each in materials]
    served_on = service_date(materials[0].chart.incident, materials[0].agency.tenant.time_zone) if materials else None
    warnings = await check_diagnoses(uow, served_on, [document.diagnoses for document in documents])
    return [
        ValidatedChart(material, replace(document, findings=[*document.findings, *found]))
        for material, document, found in zip(materials, documents, warnings, strict=True)
    ]


class NemsisExportService:
    """No unit of work is open while a document is stored."""

    def __init__(self, factory: Callable[[], UnitOfWork], runtime: Runtime) -> None:
        self._factory = factory
        self._objects = runtime.objects
        self._schema = SchemaBundle(runtime.settings.group(NemsisSettings).nemsis_schema_dir)

    async def create(self, given: NemsisExportCreate, creation: Creation) -> NemsisExportRead:
        """Raises NotFound, ValidationFailed (which patient?)."""
        async with self._factory() as uow:
            reservation = await creation.reserve(uow, given)
            exports = NemsisExportRepository(uow)
            if reservation.repeated:
                return present(await exports.get(uow.tenant_id, reservation.entity_id), uow.principal)
            export = NemsisExport(
                id=reservation.entity_id,
                tenant_id=uow.tenant_id,
                incident_id=given.incident_id,
                patient_id=await _patient(uow, given),
                schema_build=TARGET_BUILD,
            )
            await uow.create(export, NemsisExportAction.CREATED, event=EXPORT_STATUS_CHANGED)
            return present(export, uow.principal)

    async def transition(self, export_id: uuid.UUID, given: ExportTransitionRequest) -> NemsisExportRead:
        """Raises Forbidden, InvalidTransition, Conflict (stale)."""
        if given.action is ExportRequest.VALIDATE:
            return await self._validate(export_id, given.version)
        return await self._export(export_id, given.version)

    async def _validate(self, export_id: uuid.UUID, version: int) -> NemsisExportRead:
        async with self._factory() as uow:
            export = await NemsisExportRepository(uow).get_for_update(uow.tenant_id, export_id)
            export_lifecycle.require_offered(export, ExportRequest.VALIDATE, uow.principal)
            require_version(export, version)
            if export.status is ExportStatus.VALIDATION_FAILED:
                await export_lifecycle.fire(uow, export, ExportTransition.REVALIDATE, ExportFacts())
            validated = await self._chart_of(uow, export)
            await export_lifecycle.fire(
                uow,
                export,
                ExportTransition.PASS_VALIDATION if validated.document.valid else ExportTransition.FAIL_VALIDATION,
                ExportFacts(),
                validation_errors_json=_findings(validated.document.findings),
                document_sha256=validated.document.sha256,
            )
            return present(export, uow.principal)

    async def _export(self, export_id: uuid.UUID, version: int) -> NemsisExportRead:
        """Store the document, then record it. If the record is refused, the stored document stays.

        Its key belongs to the export, and another request may have recorded it.
        """

        async def read(uow: UnitOfWork) -> Prepared:
            return await self._prepare(uow, export_id, version)

        async def store(prepared: Prepared) -> None:
            await self._objects.put(prepared.key, prepared.validated.document.content, MEDIA_TYPE)

        async def record(uow: UnitOfWork, prepared: Prepared, _: None) -> NemsisExportRead:
            validated = prepared.validated
            incident = await freeze_chart(uow, validated.chart.incident.id)  # it may have been amended meanwhile
            export = await NemsisExportRepository(uow).get_for_update(uow.tenant_id, export_id)
            require_version(export, version)
            facts = ExportFacts(
                closed=incident.status in CLOSED_STATES, unchanged=await self._is_still(uow, export, validated)
            )
            await export_lifecycle.fire(uow, export, ExportTransition.EXPORT, facts, s3_key=prepared.key)
            return present(export, uow.principal)

        return await call_outside(self._factory, read, store, record)

    async def artifact(self, export_id: uuid.UUID) -> bytes:
        """The stored document; its disclosure is recorded once it is at hand.

        Raises Forbidden, NotFound for an export without a document, ServiceUnavailable (object store).
        """

        async def read(uow: UnitOfWork) -> NemsisExport:
            uow.principal.require(NEMSIS_EXPORT)
            export = await NemsisExportRepository(uow).get(uow.tenant_id, export_id)
            if export.s3_key is None:
                raise NotFound("This export has no document yet.")
            return export

        async def fetch(export: NemsisExport) -> bytes:
            return await self._objects.get(str(export.s3_key))

        async def record(uow: UnitOfWork, export: NemsisExport, content: bytes) -> bytes:
            await disclose(
                uow,
                DOCUMENT,
                entity_type=export.entity_type,
                entity_id=export.id,
                incident_ids=[export.incident_id],
                metadata={"patient_id": export.patient_id},
            )
            return content

        return await call_outside(self._factory, read, fetch, record)

    async def _prepare(self, uow: UnitOfWork, export_id: uuid.UUID, version: int) -> Prepared:
        """Checks the export's state, and that the chart is still the validated one, before anything is stored."""
        uow.principal.require(NEMSIS_EXPORT)
        export = await NemsisExportRepository(uow).get(uow.tenant_id, export_id)
        export_lifecycle.require_offered(export, ExportRequest.EXPORT, uow.principal)
        require_version(export, version)
        validated = await self._chart_of(uow, export)
        facts = ExportFacts(
            closed=validated.chart.incident.status in CLOSED_STATES,
            unchanged=validated.document.sha256 == export.document_sha256 and validated.document.valid,
        )
        export_lifecycle.require(export, ExportTransition.EXPORT, uow.principal, facts)
        of_call = str(export.incident_id), str(export.patient_id or "call")
        return Prepared(validated, object_key(uow.tenant_id, "nemsis", *of_call, f"{export.id}.xml"))

    async def _chart_of(self, uow: UnitOfWork, export: NemsisExport) -> ValidatedChart:
        """Raises NotFound when the patient was deleted meanwhile."""
        [validated] = await _validate(uow, [await _material(uow, export)], self._schema)
        return validated

    async def _is_still(self, uow: UnitOfWork, export: NemsisExport, validated: ValidatedChart) -> bool:
        """True if the document would be the same now. A change that it does not show (the lock) does not count."""
        material = await _material(uow, export)
        if material == validated.material:
            return True
        [again] = await _validate(uow, [material], SchemaBundle(None))
        return again.document.sha256 == validated.document.sha256


async def _patient(uow: UnitOfWork, given: NemsisExportCreate) -> uuid.UUID | None:
    """Whose document it is. None: that of a call without a patient. Raises NotFound (incident), ValidationFailed."""
    documents = [chart.patient_id for chart in (await get_charts(uow, given.incident_id)).documented]
    if given.patient_id is None:
        if len(documents) == 1:
            return documents[0]
        raise ValidationFailed.of("patient_id", "missing", "Say which patient: the incident has none or several.")
    if given.patient_id not in documents:
        raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
    return given.patient_id


async def export_service(factory: UowFactory, runtime: RuntimeDependency) -> NemsisExportService:
    return NemsisExportService(factory, runtime)


async def export_reader(uow: ReadUow, runtime: RuntimeDependency) -> NemsisExportReader:
    return NemsisExportReader(uow, runtime)


NemsisExports = Annotated[NemsisExportService, Depends(export_service)]
NemsisExportReads = Annotated[NemsisExportReader, Depends(export_reader)]
