"""Keeping the coverages of patients: as charted, as entered, and carried forward from an earlier call."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from fastapi import Depends

from app.billing.accounts.service import account_of
from app.billing.coverages.charting import ChartedCoverage, allotted, charted_coverages
from app.billing.coverages.models import Coverage, CoverageOrigin, Relationship
from app.billing.coverages.repository import CoverageRepository
from app.billing.coverages.rules import SUBSCRIBER, coverage_problems
from app.billing.coverages.schemas import CarryForward, CoverageCreate, CoveragePatch, CoverageRead
from app.billing.events import COVERAGE_UPDATED
from app.billing.medicare import member_number
from app.billing.payers.models import PayerRecord
from app.billing.payers.service import ChartedPayers, charted_payers, find_payer
from app.billing.permissions import CLAIM_RESTORE, COVERAGE_WRITE
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import ValidationFailed, refuse
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, PagingWithDeleted
from app.core.repository import require_version
from app.core.tenants.public import current_tenant
from app.ems.public import IncidentRead, PatientChart, PatientRead, hold_incident, list_patients, service_date

_CARRIED = (
    "payer_record_id",
    "charted_payer_name",
    "member_id",
    "group_number",
    "group_name",
    "insurance_type",
    "relationship",
    *SUBSCRIBER,
    "effective_from",
    "effective_to",
)


class CoverageAction(AuditAction):
    CHARTED = "coverage.charted"
    CREATED = "coverage.created"
    CARRIED_FORWARD = "coverage.carried_forward"
    REVISED = "coverage.revised"
    DELETED = "coverage.deleted"
    RESTORED = "coverage.restored"


class _OnCall(NamedTuple):
    """A patient of a call, as far as the date of service asks."""

    incident: IncidentRead
    patient: PatientRead
    alone: bool


async def coverages_of(uow: ReadUnitOfWork, patient_id: uuid.UUID) -> list[Coverage]:
    """The live coverages of a call's patient in the order P, S, T."""
    return await CoverageRepository(uow).list_of_patient(uow.tenant_id, patient_id)


async def chart_coverages(uow: UnitOfWork, incident_id: uuid.UUID, chart: PatientChart) -> list[Coverage]:
    """Makes a coverage of each insurance in the chart, and returns all of the patient's in the order P, S, T.

    An insurance makes one coverage, however often the chart is locked. Later corrections are the biller's, and one that
    a biller deleted is not made again. An insurance that a coverage holds already, by payer and number, makes none.
    """
    charted = charted_coverages(chart)
    coverages = CoverageRepository(uow)
    present = await coverages.list_of_patient(uow.tenant_id, chart.patient.id)
    known = await coverages.list_known(uow.tenant_id, [one.id for one in charted]) if charted else set()
    news = [one for one in charted if one.id not in known]
    if not news:
        return present
    payers = await charted_payers(uow)
    held = {(coverage.payer_record_id, coverage.member_id) for coverage in present}
    drafts = {one.id: draft for one in news if _key(draft := _drafted(one, payers)) not in held}
    for one, sequence in allotted([one for one in news if one.id in drafts], (each.sequence for each in present)):
        coverage = Coverage(
            id=one.id,
            tenant_id=uow.tenant_id,
            incident_id=incident_id,
            patient_id=chart.patient.id,
            origin=CoverageOrigin.CHARTED,
            sequence=sequence,
            **drafts[one.id],
        )
        present.append(await uow.create(coverage, CoverageAction.CHARTED, event=COVERAGE_UPDATED))
    return sorted(present, key=lambda coverage: coverage.sequence)


def _drafted(one: ChartedCoverage, payers: ChartedPayers) -> dict[str, Any]:
    payer = payers.find(one.payer_id, one.payer_name)
    return {
        "payer_record_id": None if payer is None else payer.id,
        "charted_payer_name": one.payer_name,
        "member_id": member_number(one.member_id, None if payer is None else payer.claim_filing_code),
        **one.columns,
    }


def _key(columns: dict[str, Any]) -> tuple[uuid.UUID | None, str | None]:
    return columns["payer_record_id"], columns["member_id"]


class CoverageReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._coverages = CoverageRepository(uow)

    async def get(self, coverage_id: uuid.UUID) -> CoverageRead:
        """Raises NotFound."""
        return CoverageRead.of(await self._coverages.get(self._uow.tenant_id, coverage_id))

    async def list_page(self, paging: PagingWithDeleted, **filters: Any) -> Page[CoverageRead]:
        """Newest first. Raises Forbidden when deleted ones are asked for by anyone but an admin."""
        listed = self._coverages.list_page
        if paging.include_deleted:
            self._uow.principal.require(CLAIM_RESTORE)
            listed = self._coverages.list_including_deleted
        page = await listed(self._uow.tenant_id, paging, **filters)
        return Page(items=[CoverageRead.of(coverage) for coverage in page.items], next_cursor=page.next_cursor)


class CoverageService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._coverages = CoverageRepository(uow)

    async def create(self, given: CoverageCreate, creation: Creation) -> CoverageRead:
        """Raises Forbidden, NotFound (incident), ValidationFailed, AlreadyExists (the sequence)."""
        self._uow.principal.require(COVERAGE_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return CoverageRead.of(await self._coverages.get(self._uow.tenant_id, reservation.entity_id))
        on_call = await self._on_call(given.incident_id, given.patient_id)
        coverage = Coverage(id=reservation.entity_id, tenant_id=self._uow.tenant_id, **given.values())
        return await self._store(coverage, on_call, CoverageAction.CREATED)

    async def carry_forward(self, coverage_id: uuid.UUID, given: CarryForward, creation: Creation) -> CoverageRead:
        """Copies a coverage to a patient of another call of the same billing account.

        Raises Forbidden, NotFound (coverage, incident), ValidationFailed, AlreadyExists (the sequence).
        """
        self._uow.principal.require(COVERAGE_WRITE)
        source = await self._coverages.get(self._uow.tenant_id, coverage_id)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return CoverageRead.of(await self._coverages.get(self._uow.tenant_id, reservation.entity_id))
        on_call = await self._on_call(given.incident_id, given.patient_id)
        await self._require_carriable(source, on_call.patient)
        coverage = Coverage(
            id=reservation.entity_id,
            tenant_id=self._uow.tenant_id,
            incident_id=given.incident_id,
            patient_id=given.patient_id,
            origin=CoverageOrigin.CARRIED_FORWARD,
            carried_from_id=source.id,
            sequence=given.sequence or source.sequence,
            **{name: getattr(source, name) for name in _CARRIED},
        )
        return await self._store(coverage, on_call, CoverageAction.CARRIED_FORWARD)

    async def revise(self, coverage_id: uuid.UUID, patch: CoveragePatch) -> CoverageRead:
        """Raises Forbidden, NotFound, Conflict (stale), ValidationFailed, AlreadyExists (the sequence)."""
        self._uow.principal.require(COVERAGE_WRITE)
        coverage = await self._coverages.get(self._uow.tenant_id, coverage_id)
        require_version(coverage, patch.version)
        changes = patch.changes()
        if changes.get("relationship") is Relationship.SELF:
            changes = {**dict.fromkeys(SUBSCRIBER), **changes}
        on_call = await self._on_call(coverage.incident_id, coverage.patient_id)
        payer_record_id = changes.get("payer_record_id", coverage.payer_record_id)
        payer = await self._payer(payer_record_id, named="payer_record_id" in changes)
        served_on = await self._served_on(on_call)
        async with self._uow.change(coverage, CoverageAction.REVISED, event=COVERAGE_UPDATED):
            for name, value in changes.items():
                setattr(coverage, name, value)
            _judge(coverage, payer, served_on)
        return CoverageRead.of(coverage)

    async def delete(self, coverage_id: uuid.UUID, version: int) -> None:
        """Soft delete. Raises Forbidden, NotFound, Conflict (stale)."""
        self._uow.principal.require(COVERAGE_WRITE)
        coverage = await self._coverages.get(self._uow.tenant_id, coverage_id)
        require_version(coverage, version)
        async with self._uow.change(coverage, CoverageAction.DELETED, event=COVERAGE_UPDATED):
            coverage.deleted_at = utcnow()

    async def restore(self, coverage_id: uuid.UUID, version: int) -> CoverageRead:
        """Raises Forbidden, NotFound, Conflict (stale), AlreadyExists (another one took its sequence)."""
        self._uow.principal.require(CLAIM_RESTORE)
        coverage = await self._coverages.get_including_deleted(self._uow.tenant_id, coverage_id)
        require_version(coverage, version)
        async with self._uow.change(coverage, CoverageAction.RESTORED, event=COVERAGE_UPDATED):
            coverage.deleted_at = None
        return CoverageRead.of(coverage)

    async def _store(self, coverage: Coverage, on_call: _OnCall, action: CoverageAction) -> CoverageRead:
        payer = await self._payer(coverage.payer_record_id, named=True)
        served_on = await self._served_on(on_call)
        async with self._uow.change(coverage, action, event=COVERAGE_UPDATED):
            _judge(coverage, payer, served_on)
        return CoverageRead.of(coverage)

    async def _on_call(self, incident_id: uuid.UUID, patient_id: uuid.UUID) -> _OnCall:
        """The patient on the call, whose state is held. Raises NotFound (incident), ValidationFailed (patient)."""
        incident = await hold_incident(self._uow, incident_id)
        patients = await list_patients(self._uow, incident_id)
        patient = next((one for one in patients if one.id == patient_id), None)
        if patient is None:
            raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
        return _OnCall(incident, patient, len(patients) == 1)

    async def _payer(self, payer_record_id: uuid.UUID | None, *, named: bool) -> PayerRecord | None:
        """The payer. Raises ValidationFailed if the request named one that is not there."""
        payer = None if payer_record_id is None else await find_payer(self._uow, payer_record_id)
        if payer is None and named and payer_record_id is not None:
            raise ValidationFailed.of("payer_record_id", "unknown_reference", "This refers to nothing here.")
        return payer

    async def _served_on(self, on_call: _OnCall) -> dt.date | None:
        """The agency-local date of service."""
        profile = await current_tenant(self._uow)
        return service_date(on_call.incident, profile.time_zone, of=on_call)

    async def _require_carriable(self, source: Coverage, patient: PatientRead) -> None:
        """Raises ValidationFailed unless both patients are joined to one account, and one person where that matters."""
        if source.patient_id == patient.id:
            raise ValidationFailed.of("patient_id", "same_patient", "This patient has the coverage already.")
        accounts = [await account_of(self._uow, each) for each in (source.patient_id, patient.id)]
        if not _same(None if account is None else account.id for account in accounts):
            message = "Join both calls to one billing account first."
            raise ValidationFailed.of("patient_id", "other_account", message)
        if source.relationship is not Relationship.SELF:
            return
        earlier = await list_patients(self._uow, source.incident_id)
        insured = next((one for one in earlier if one.id == source.patient_id), None)
        if insured is None or insured.date_of_birth != patient.date_of_birth:
            message = "This patient was born on another day than the person who is insured: enter their own coverage."
            raise ValidationFailed.of("patient_id", "other_person", message)


def _judge(coverage: Coverage, payer: PayerRecord | None, served_on: dt.date | None) -> None:
    """Writes the member id as the payer does. Raises ValidationFailed with all problems."""
    coverage.member_id = member_number(coverage.member_id, None if payer is None else payer.claim_filing_code)
    refuse(coverage_problems(coverage, payer, served_on))


def _same(ids: Iterable[uuid.UUID | None]) -> bool:
    """True if all are one id."""
    [*found] = set(ids)
    return len(found) == 1 and found[0] is not None


async def coverage_service(uow: Uow) -> CoverageService:
    return CoverageService(uow)


async def coverage_reader(uow: ReadUow) -> CoverageReader:
    return CoverageReader(uow)


Coverages = Annotated[CoverageService, Depends(coverage_service)]
CoverageReads = Annotated[CoverageReader, Depends(coverage_reader)]
