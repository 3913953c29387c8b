"""Exports approved claims in three steps: read and build, render and store, record and move. All claims move or none.

No transaction is open while the object store works. If the record is refused, the file is deleted again. A crash
between the steps leaves a file that nothing refers to, and claims that can be exported again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from fastapi import Depends

from app.billing.claims.background import read_backgrounds
from app.billing.claims.facts import CheckedClaim, HeldChart, check_claim, hold_claimed_charts
from app.billing.claims.lifecycle import (
    VOIDING,
    ClaimFacts,
    ClaimStatus,
    InternalTransition,
    claim_lifecycle,
    failed_for_void,
)
from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.claims.submission import Transmission, transmission
from app.billing.clearinghouses.models import Clearinghouse
from app.billing.clearinghouses.profile import chosen_clearinghouse, file_name, through
from app.billing.delivery.repository import DeliveryRepository
from app.billing.edits.background import Background
from app.billing.errors import ClaimsNotReady
from app.billing.evidence.repository import DerivationRepository
from app.billing.evidence.staleness import find_stale
from app.billing.exports.delivering import queue_delivery
from app.billing.exports.formats import FORMATS, FormatAdapter, adapter_problems, addressed
from app.billing.exports.models import ClaimFileFormat, Export, ExportFile
from app.billing.exports.repository import BilledPayers, ExportRepository, next_control_numbers
from app.billing.exports.schemas import DeliveryRead, ExportCreate, ExportFileRead, ExportRead
from app.billing.exports.splitting import FileOf, split
from app.billing.forms.reading import typeset_forms
from app.billing.payers.models import PayerRecord
from app.billing.permissions import CLAIM_EXPORT
from app.billing.x12.professional_claim import ClaimSubmission
from app.coding.public import Icd10Extract, extract_icd10
from app.core.audit.access import Purpose
from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.audit.writer import record
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, UowFactory
from app.core.errors import AppError, InvalidTransition, NotFound, Problem, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.ids import TenantId, new_id
from app.core.outbound.outside import Done, call_outside
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.pools import DOCUMENTS
from app.core.storage.gateway import ObjectStore, object_key
from app.core.storage.leftovers import forget
from app.core.tenants.public import Tenant, current_tenant
from app.ems.public import IncidentRead, IncidentStatus, hold_incidents

EXPORT = InternalTransition.EXPORT


class ExportAction(AuditAction):
    CREATED = "claim_export.created"
    DOWNLOADED = "claim_export.downloaded"


FILE = Disclosure(ExportAction.DOWNLOADED, Means.DOWNLOAD, "claim_file", Purpose.PAYMENT)
"""The disclosure of a file to a clearinghouse or a payer. It covers the charts of all claims in the file."""


@dataclass(frozen=True)
class PlannedFile:
    """A file that is to be written. `transaction_sets` are ST02 of the claims; None in other formats."""

    file_number: int
    adapter: FormatAdapter
    transmission: Transmission
    file_name: str
    artifact_key: str
    submissions: dict[uuid.UUID, ClaimSubmission]
    transaction_sets: list[int | None]

    def render(self) -> bytes:
        return self.adapter.render(self.transmission, list(self.submissions.values()))

    def described(self, written: WrittenFile) -> ExportFile:
        return ExportFile(
            file_number=self.file_number,
            format=self.adapter.format,
            control_number=self.transmission.envelope.interchange_control_number,
            artifact_key=self.artifact_key,
            file_name=self.file_name,
            size_bytes=written.size_bytes,
            sha256=written.sha256,
            claim_ids=list(self.submissions),
        )


@dataclass(frozen=True)
class WrittenFile:
    """The measure of the bytes that the object store holds."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Batch:
    """The input of the files. The versions of its claims and incidents must be unchanged when it is recorded.

    A chart is edited only after an unlock, and a claim's lines only after a reopening. Both change these versions.

    Incidents are held in the order of their ids, before any claim. So no two units of work wait for each other.
    """

    export_id: uuid.UUID
    clearinghouse: Clearinghouse | None
    files: Sequence[PlannedFile]
    claim_versions: dict[uuid.UUID, int]
    incident_versions: dict[uuid.UUID, int]


@dataclass(frozen=True)
class Download:
    """A file of an export, to be handed out."""

    format: ClaimFileFormat
    content: bytes
    file_name: str
    media_type: str


class ClaimExportReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._exports = ExportRepository(uow)

    async def get(self, export_id: uuid.UUID) -> ExportRead:
        """Raises NotFound."""
        found = await self._exports.find(self._uow.tenant_id, export_id)
        if found is None:
            raise NotFound
        [shown] = await self._present([found])
        return shown

    async def list_page(self, paging: Paging) -> Page[ExportRead]:
        page = await self._exports.list_page(self._uow.tenant_id, paging)
        return Page(items=await self._present(page.items), next_cursor=page.next_cursor)

    async def _present(self, exports: Sequence[Export]) -> list[ExportRead]:
        """Exports with the last delivery of each file, in one statement."""
        ids = [export.id for export in exports]
        deliveries = {
            (delivery.export_id, delivery.file_number): DeliveryRead.model_validate(delivery)
            for delivery in await DeliveryRepository(self._uow).list_all(self._uow.tenant_id, export_id=ids)
        }
        return [
            ExportRead(
                id=export.id,
                claim_ids=export.claim_ids,
                files=[
                    ExportFileRead(**asdict(file), delivery=deliveries.get((export.id, file.file_number)))
                    for file in export.files
                ],
                created_at=export.created_at,
            )
            for export in exports
        ]


class ClaimExportService:
    """`usage_indicator` is ISA15: P in production, T everywhere else."""

    def __init__(self, units: Callable[[], UnitOfWork], objects: ObjectStore, usage_indicator: str) -> None:
        self._units = units
        self._objects = objects
        self._usage_indicator = usage_indicator

    async def create(self, given: ExportCreate, creation: Creation) -> ExportRead:
        """Raises Forbidden, NotFound (a claim), ClaimsNotReady, ServiceUnavailable (object store).

        A claim that is closed as void goes out, too, and does not move.
        """

        async def read(uow: UnitOfWork) -> Batch | Done[ExportRead]:
            uow.principal.require(CLAIM_EXPORT)
            earlier = await creation.find_repeated(uow, given)
            if earlier is not None:
                return Done(await ClaimExportReader(uow).get(earlier))
            return await self._build(uow, given)

        async def record(uow: UnitOfWork, batch: Batch, written: Sequence[WrittenFile]) -> ExportRead:
            reservation = await creation.reserve(uow, given, entity_id=batch.export_id)
            if not reservation.repeated:
                await self._record(uow, batch, written)
            return await ClaimExportReader(uow).get(reservation.entity_id)

        async def undo(batch: Batch, _: Sequence[WrittenFile]) -> None:
            await self._forget(batch)

        return await call_outside(self._units, read, self._store, record, undo)

    async def artifact(self, export_id: uuid.UUID, file_number: int | None) -> Download:
        """The file. Its disclosure is recorded after it was read.

        Raises Forbidden, NotFound, ValidationFailed (several files and none named), ServiceUnavailable.
        """

        async def read(uow: UnitOfWork) -> tuple[ExportRead, ExportFileRead]:
            uow.principal.require(CLAIM_EXPORT)
            export = await ClaimExportReader(uow).get(export_id)
            return export, _chosen_file(export, file_number)

        async def fetch(found: tuple[ExportRead, ExportFileRead]) -> bytes:
            return await self._objects.get(found[1].artifact_key)

        async def record(uow: UnitOfWork, found: tuple[ExportRead, ExportFileRead], content: bytes) -> Download:
            export, file = found
            await disclose(
                uow,
                FILE,
                entity_type="claim_export",
                entity_id=export.id,
                incident_ids=await ExportRepository(uow).list_incident_ids(uow.tenant_id, file.artifact_key),
                metadata={"control_number": file.control_number, "claims": len(file.claim_ids)},
            )
            adapter = FORMATS[file.format]
            name = file.file_name or f"{export.id}.{adapter.extension}"
            return Download(file.format, content, name, adapter.media_type)

        return await call_outside(self._units, read, fetch, record)

    async def forms(self, export_id: uuid.UUID, file_number: int | None) -> Download:
        """The forms of a CMS-1500 file as PDF for reading. Raises as `artifact`, and for a file of another format."""
        grid = await self.artifact(export_id, file_number)
        if grid.format is not ClaimFileFormat.CMS_1500:
            raise ValidationFailed.of("query.file", "not_on_paper", "This file holds no forms.")
        name = grid.file_name.rpartition(".")[0]
        return replace(grid, content=await typeset_forms(name, grid.content), file_name=f"{name}.pdf")

    async def _build(self, uow: ReadUnitOfWork, given: ExportCreate) -> Batch:
        """Raises NotFound, ClaimsNotReady, ValidationFailed (clearinghouse)."""
        claims = _in_order(await ClaimRepository(uow).list_by_ids(uow.tenant_id, given.claim_ids), given.claim_ids)
        charts = await hold_claimed_charts(uow, {claim.incident_id for claim in claims})
        lines = await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, given.claim_ids)
        clearinghouse = await chosen_clearinghouse(uow, given.clearinghouse_id)
        profile, at = await current_tenant(uow), utcnow()
        codes = await extract_icd10(uow, [diagnosis for claim in claims for diagnosis in claim.diagnoses])
        derivations = await DerivationRepository(uow).list_of_claims(uow.tenant_id, given.claim_ids)
        backgrounds = await read_backgrounds(uow, claims, lines, derivations)
        named = {claim.payer_record_id for claim in claims if claim.payer_record_id is not None}
        payers = {payer.id: payer for payer in await BilledPayers(uow).list_all(uow.tenant_id, id=list(named))}
        files = split(claims, payers, given.format)
        stale = await find_stale(uow, derivations, {key: held.patients for key, held in charts.items()})
        checked = await DOCUMENTS.run(_checked, profile, charts, files, lines, at, codes, backgrounds, payers, stale)
        _require_ready(claims, {claim_id: found.facts for claim_id, found in checked.items()}, uow.principal)
        numbers = await next_control_numbers(uow, len(files))
        export_id = new_id()
        planned = []
        for file_number, (file, number) in enumerate(zip(files, numbers, strict=True), start=1):
            adapter = FORMATS[file.format]
            sent = through(clearinghouse, transmission(profile, number, self._usage_indicator, at))
            submissions = {claim.id: checked[claim.id].submission for claim in file.claims}
            planned.append(_planned(export_id, uow.tenant_id, file_number, adapter, sent, clearinghouse, submissions))
        return Batch(
            export_id=export_id,
            clearinghouse=clearinghouse,
            files=planned,
            claim_versions={claim.id: claim.version for claim in claims},
            incident_versions={incident_id: held.incident.version for incident_id, held in charts.items()},
        )

    async def _store(self, batch: Batch) -> Sequence[WrittenFile]:
        """Writes every file. If one cannot be written, the others are deleted again."""
        written = []
        try:
            for file in batch.files:
                content = await DOCUMENTS.run(file.render)
                await self._objects.put(file.artifact_key, content, file.adapter.media_type)
                written.append(WrittenFile(len(content), hashlib.sha256(content).hexdigest()))
        except AppError:
            await self._forget(batch)
            raise
        return written

    async def _forget(self, batch: Batch) -> None:
        for file in batch.files:
            await forget(self._objects, file.artifact_key)

    async def _record(self, uow: UnitOfWork, batch: Batch, written: Sequence[WrittenFile]) -> None:
        """Moves every claim of the batch and records the files. Raises NotFound, ClaimsNotReady."""
        claim_ids = list(batch.claim_versions)
        incidents = await hold_incidents(uow, list(batch.incident_versions))
        locked = await ClaimRepository(uow).list_for_update(uow.tenant_id, claim_ids)
        facts = {claim.id: _recheck(claim, incidents[claim.incident_id], batch) for claim in locked}
        claims = _in_order(locked, claim_ids)
        _require_ready(claims, facts, uow.principal)
        moving = [claim for claim in claims if not _is_void(claim)]
        await claim_lifecycle.fire_all(uow, moving, EXPORT, lambda claim: facts[claim.id])
        exports = ExportRepository(uow)
        described = [file.described(of_file) for file, of_file in zip(batch.files, written, strict=True)]
        for planned, file in zip(batch.files, described, strict=True):
            await exports.record(uow.tenant_id, batch.export_id, file, planned.transaction_sets)
            await queue_delivery(uow, batch.export_id, file, batch.clearinghouse)
        await record(
            uow,
            ExportAction.CREATED,
            entity_type="claim_export",
            entity_id=batch.export_id,
            metadata={"control_numbers": [file.control_number for file in described], "claims": len(claim_ids)},
        )


def _checked(
    profile: Tenant,
    charts: Mapping[uuid.UUID, HeldChart],
    files: Sequence[FileOf],
    lines: Mapping[uuid.UUID, Sequence[ClaimLine]],
    at: dt.datetime,
    codes: Icd10Extract,
    backgrounds: Mapping[uuid.UUID, Background],
    payers: Mapping[uuid.UUID, PayerRecord],
    stale: Mapping[uuid.UUID, Sequence[Problem]],
) -> dict[uuid.UUID, CheckedClaim]:
    """Every claim with what keeps it from its file, by id. Takes about a millisecond for each."""
    found = {}
    for file in files:
        adapter = FORMATS[file.format]
        for claim in file.claims:
            held, background, changed = charts[claim.incident_id], backgrounds[claim.id], stale.get(claim.id, ())
            checked = check_claim(profile, held, claim, lines[claim.id], at, codes, background, changed)
            if checked.submission is not None:
                submission = addressed(checked.submission, payers.get(claim.payer_record_id or claim.id))
                problems = tuple(adapter_problems(adapter, submission))
                facts = replace(checked.facts, problems=(*checked.facts.problems, *problems))
                checked = CheckedClaim(facts, submission, checked.findings)
            found[claim.id] = checked
    return found


def _planned(
    export_id: uuid.UUID,
    tenant_id: TenantId,
    file_number: int,
    adapter: FormatAdapter,
    sent: Transmission,
    clearinghouse: Clearinghouse | None,
    submissions: Mapping[uuid.UUID, ClaimSubmission | None],
) -> PlannedFile:
    kind, number = adapter.format.value.lower(), sent.envelope.interchange_control_number
    name = file_name(clearinghouse, sent) if adapter.transmitted else f"{kind}_{number:09}.{adapter.extension}"
    ready = {claim_id: submission for claim_id, submission in submissions.items() if submission is not None}
    return PlannedFile(
        file_number=file_number,
        adapter=adapter,
        transmission=sent,
        file_name=name,
        artifact_key=object_key(tenant_id, "billing", kind, f"{export_id}-{file_number}.{adapter.extension}"),
        submissions=ready,
        transaction_sets=adapter.transaction_sets(sent, list(ready.values())),
    )


def _chosen_file(export: ExportRead, file_number: int | None) -> ExportFileRead:
    if file_number is None:
        if len(export.files) > 1:
            raise ValidationFailed.of("query.file", "missing", "The export has several files: say which.")
        return export.files[0]
    for file in export.files:
        if file.file_number == file_number:
            return file
    raise NotFound


def _in_order(claims: Sequence[Claim], claim_ids: Sequence[uuid.UUID]) -> list[Claim]:
    """The claims in the order of the request. Raises NotFound when one is missing."""
    by_id = {claim.id: claim for claim in claims}
    if len(by_id) < len(claim_ids):
        raise NotFound
    return [by_id[claim_id] for claim_id in claim_ids]


def _recheck(claim: Claim, incident: IncidentRead, batch: Batch) -> ClaimFacts:
    """The facts of a claim. The check made for the file still holds if nothing has changed since."""
    unchanged = (claim.version, incident.version) == (
        batch.claim_versions[claim.id],
        batch.incident_versions[incident.id],
    )
    return ClaimFacts(chart_locked=incident.status is IncidentStatus.LOCKED, unchanged=unchanged)


def _is_void(claim: Claim) -> bool:
    """True if the claim was closed as void. It goes out as frequency 8, and stays closed."""
    return claim.status is ClaimStatus.CLOSED and claim.frequency == VOIDING


def _require_ready(claims: Sequence[Claim], facts: dict[uuid.UUID, ClaimFacts], principal: Principal) -> None:
    """Raises ClaimsNotReady naming every claim that may not be exported, and why."""
    refused = []
    for claim in claims:
        if _is_void(claim):
            failed = failed_for_void(facts[claim.id])
            if failed:
                refused.append({"claim_id": claim.id, "state": claim.status.value, "failed_guards": failed})
            continue
        try:
            claim_lifecycle.require(claim, EXPORT, principal, facts[claim.id])
        except InvalidTransition as error:
            refused.append(
                {
                    "claim_id": claim.id,
                    "state": error.details["state"],
                    "failed_guards": error.details["failed_guards"],
                }
            )
    if refused:
        raise ClaimsNotReady(claims=refused)


async def export_service(runtime: RuntimeDependency, units: UowFactory) -> ClaimExportService:
    return ClaimExportService(units, runtime.objects, "P" if runtime.settings.is_production else "T")


async def export_reader(uow: ReadUow) -> ClaimExportReader:
    return ClaimExportReader(uow)


ClaimExports = Annotated[ClaimExportService, Depends(export_service)]
ClaimExportReads = Annotated[ClaimExportReader, Depends(export_reader)]
