"""Exports approved claims in three steps: read and build, render and store, record and move. All claims move or none.

No transaction is open while the object store works. If the record is refused, the file is deleted again. A crash
between the steps leaves a file that nothing refers to, and claims that can be exported again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from app.billing.claims.background import read_backgrounds
from app.billing.claims.facts import check_claim, hold_claimed_chart
from app.billing.claims.lifecycle import ClaimFacts, InternalTransition, claim_lifecycle
from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.claims.submission import Transmission, transmission
from app.billing.errors import ClaimsNotReady
from app.billing.evidence.repository import DerivationRepository
from app.billing.evidence.staleness import find_stale
from app.billing.exports.repository import ExportRepository, next_control_number
from app.billing.exports.schemas import ExportCreate, ExportRead
from app.billing.permissions import CLAIM_EXPORT
from app.billing.x12.professional_claim import ClaimSubmission
from app.billing.x12.writer_837p import render_837p
from app.coding.public import extract_icd10
from app.core.audit.access import Purpose
from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.audit.writer import record
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, UowFactory
from app.core.errors import InvalidTransition, NotFound
from app.core.idempotency.creation import Creation
from app.core.ids import new_id
from app.core.outbound.outside import Done, call_outside
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.pools import DOCUMENTS
from app.core.storage.gateway import ObjectStore, object_key
from app.core.storage.leftovers import forget
from app.core.tenants.public import current_tenant
from app.ems.public import IncidentRead, IncidentStatus, hold_incident

MEDIA_TYPE = "application/edi-x12"
EXPORT = InternalTransition.EXPORT


class ExportAction(AuditAction):
    CREATED = "claim_export.created"
    DOWNLOADED = "claim_export.downloaded"


FILE = Disclosure(ExportAction.DOWNLOADED, Means.DOWNLOAD, "837p_file", Purpose.PAYMENT)
"""The disclosure of a file to the clearinghouse. It covers the charts of all claims in the file."""


@dataclass(frozen=True)
class Batch:
    """The input of the file. The versions of its claims and incidents must be unchanged when it is recorded.

    A chart is edited only after an unlock, and a claim's lines only after a reopening. Both change these versions.

    Incidents are held in the order of their ids, before any claim. So no two units of work wait for each other.
    """

    export_id: uuid.UUID
    artifact_key: str
    transmission: Transmission
    submissions: dict[uuid.UUID, ClaimSubmission]
    claim_versions: dict[uuid.UUID, int]
    incident_versions: dict[uuid.UUID, int]

    @property
    def control_number(self) -> int:
        return self.transmission.envelope.interchange_control_number


class ClaimExportReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._exports = ExportRepository(uow)

    async def get(self, export_id: uuid.UUID) -> ExportRead:
        """Raises NotFound."""
        found = await self._exports.find(self._uow.tenant_id, export_id)
        if found is None:
            raise NotFound
        return ExportRead.model_validate(found)

    async def list_page(self, paging: Paging) -> Page[ExportRead]:
        page = await self._exports.list_page(self._uow.tenant_id, paging)
        return Page(items=[ExportRead.model_validate(item) for item in page.items], next_cursor=page.next_cursor)


class ClaimExportService:
    """`usage_indicator` is ISA15: P in production, T everywhere else."""

    def __init__(self, units: Callable[[], UnitOfWork], objects: ObjectStore, usage_indicator: str) -> None:
        self._units = units
        self._objects = objects
        self._usage_indicator = usage_indicator

    async def create(self, given: ExportCreate, creation: Creation) -> ExportRead:
        """Raises Forbidden, NotFound (a claim), ClaimsNotReady, ServiceUnavailable (object store)."""

        async def read(uow: UnitOfWork) -> Batch | Done[ExportRead]:
            uow.principal.require(CLAIM_EXPORT)
            earlier = await creation.find_repeated(uow, given)
            if earlier is not None:
                return Done(await ClaimExportReader(uow).get(earlier))
            return await self._build(uow, given.claim_ids)

        async def store(batch: Batch) -> None:
            file = await DOCUMENTS.run(render_837p, *batch.transmission, list(batch.submissions.values()))
            await self._objects.put(batch.artifact_key, file.encode("ascii"), MEDIA_TYPE)

        async def record(uow: UnitOfWork, batch: Batch, _: None) -> ExportRead:
            reservation = await creation.reserve(uow, given, entity_id=batch.export_id)
            if not reservation.repeated:
                await self._record(uow, batch)
            return await ClaimExportReader(uow).get(reservation.entity_id)

        async def undo(batch: Batch, _: None) -> None:
            await forget(self._objects, batch.artifact_key)

        return await call_outside(self._units, read, store, record, undo)

    async def artifact(self, export_id: uuid.UUID) -> bytes:
        """The file. Its disclosure is recorded after it was read. Raises Forbidden, NotFound, ServiceUnavailable."""

        async def read(uow: UnitOfWork) -> ExportRead:
            uow.principal.require(CLAIM_EXPORT)
            return await ClaimExportReader(uow).get(export_id)

        async def fetch(export: ExportRead) -> bytes:
            return await self._objects.get(export.artifact_key)

        async def record(uow: UnitOfWork, export: ExportRead, content: bytes) -> bytes:
            await disclose(
                uow,
                FILE,
                entity_type="claim_export",
                entity_id=export.id,
                incident_ids=await ExportRepository(uow).list_incident_ids(uow.tenant_id, export.id),
                metadata={"control_number": export.control_number, "claims": len(export.claim_ids)},
            )
            return content

        return await call_outside(self._units, read, fetch, record)

    async def _build(self, uow: ReadUnitOfWork, claim_ids: Sequence[uuid.UUID]) -> Batch:
        """Raises NotFound, ClaimsNotReady."""
        claims = _in_order(await ClaimRepository(uow).list_by_ids(uow.tenant_id, claim_ids), claim_ids)
        incident_ids = sorted({claim.incident_id for claim in claims})
        charts = {incident_id: await hold_claimed_chart(uow, incident_id) for incident_id in incident_ids}
        lines = await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, claim_ids)
        profile, at = await current_tenant(uow), utcnow()
        codes = await extract_icd10(uow, [diagnosis for claim in claims for diagnosis in claim.diagnoses])
        derivations = await DerivationRepository(uow).list_of_claims(uow.tenant_id, claim_ids)
        stale = await find_stale(uow, derivations, {key: held.patients for key, held in charts.items()})
        backgrounds = await read_backgrounds(uow, claims, lines, derivations)
        submissions: dict[uuid.UUID, ClaimSubmission] = {}
        facts: dict[uuid.UUID, ClaimFacts] = {}
        for claim in claims:
            held, background, changed = charts[claim.incident_id], backgrounds[claim.id], stale.get(claim.id, ())
            checked = check_claim(profile, held, claim, lines[claim.id], at, codes, background, changed)
            facts[claim.id] = checked.facts
            if checked.submission is not None:
                submissions[claim.id] = checked.submission
        _require_ready(claims, facts, uow.principal)
        control_number = await next_control_number(uow)
        export_id = new_id()
        return Batch(
            export_id=export_id,
            artifact_key=object_key(uow.tenant_id, "billing", "837p", f"{export_id}.edi"),
            transmission=transmission(profile, control_number, self._usage_indicator, at),
            submissions=submissions,
            claim_versions={claim.id: claim.version for claim in claims},
            incident_versions={incident_id: held.incident.version for incident_id, held in charts.items()},
        )

    async def _record(self, uow: UnitOfWork, batch: Batch) -> None:
        """Moves every claim of the batch and records the file. Raises NotFound, ClaimsNotReady."""
        claim_ids = list(batch.claim_versions)
        incidents = {incident_id: await hold_incident(uow, incident_id) for incident_id in batch.incident_versions}
        locked = await ClaimRepository(uow).list_for_update(uow.tenant_id, claim_ids)
        facts = {claim.id: _recheck(claim, incidents[claim.incident_id], batch) for claim in locked}
        claims = _in_order(locked, claim_ids)
        _require_ready(claims, facts, uow.principal)
        for claim in claims:
            await claim_lifecycle.fire(uow, claim, EXPORT, facts[claim.id])
        await ExportRepository(uow).record(
            uow.tenant_id,
            export_id=batch.export_id,
            claim_ids=claim_ids,
            artifact_key=batch.artifact_key,
            control_number=batch.control_number,
        )
        await record(
            uow,
            ExportAction.CREATED,
            entity_type="claim_export",
            entity_id=batch.export_id,
            metadata={"control_number": batch.control_number, "claims": len(claim_ids)},
        )


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


def _require_ready(claims: Sequence[Claim], facts: dict[uuid.UUID, ClaimFacts], principal: Principal) -> None:
    """Raises ClaimsNotReady naming every claim that may not be exported, and why."""
    refused = []
    for claim in claims:
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
