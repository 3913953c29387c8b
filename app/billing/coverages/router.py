"""billing/coverages."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.coverages.schemas import CarryForward, CoverageCreate, CoveragePatch, CoverageRead
from app.billing.coverages.service import CoverageReads, Coverages
from app.billing.permissions import CLAIM_RESTORE, COVERAGE_READ, COVERAGE_WRITE
from app.core.dependencies import requires
from app.core.filters import OneOf
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, PagingWithDeletedQuery
from app.core.schemas import RestoreRequest, VersionQuery

router = APIRouter(prefix="/billing/coverages", tags=["billing"])


@router.post("", status_code=201, dependencies=[requires(COVERAGE_WRITE)])
async def create_coverage(given: CoverageCreate, coverages: Coverages, creation: CreationDependency) -> CoverageRead:
    """Say who pays for one patient of a call. A patient has one coverage per sequence: P, S and T."""
    return await coverages.create(given, creation)


@router.get("", dependencies=[requires(COVERAGE_READ)])
async def list_coverages(
    coverages: CoverageReads,
    paging: PagingWithDeletedQuery,
    incident_id: OneOf[uuid.UUID] = None,
    patient_id: OneOf[uuid.UUID] = None,
    payer_record_id: OneOf[uuid.UUID] = None,
) -> Page[CoverageRead]:
    """Coverages, newest first. `include_deleted` is for admins."""
    return await coverages.list_page(
        paging, incident_id=incident_id, patient_id=patient_id, payer_record_id=payer_record_id
    )


@router.get("/{coverage_id}", dependencies=[requires(COVERAGE_READ)])
async def get_coverage(coverage_id: uuid.UUID, coverages: CoverageReads) -> CoverageRead:
    """One coverage."""
    return await coverages.get(coverage_id)


@router.patch("/{coverage_id}", dependencies=[requires(COVERAGE_WRITE)])
async def revise_coverage(coverage_id: uuid.UUID, patch: CoveragePatch, coverages: Coverages) -> CoverageRead:
    """Change a coverage: `version` and the fields that changed. What was charted stays in the chart."""
    return await coverages.revise(coverage_id, patch)


@router.delete("/{coverage_id}", status_code=204, dependencies=[requires(COVERAGE_WRITE)])
async def delete_coverage(coverage_id: uuid.UUID, version: VersionQuery, coverages: Coverages) -> None:
    """Soft-delete a coverage; its sequence is free again. The chart does not make it anew."""
    await coverages.delete(coverage_id, version)


@router.post("/{coverage_id}/restore", dependencies=[requires(CLAIM_RESTORE)])
async def restore_coverage(coverage_id: uuid.UUID, given: RestoreRequest, coverages: Coverages) -> CoverageRead:
    """Bring a deleted coverage back, unless another one took its sequence."""
    return await coverages.restore(coverage_id, given.version)


@router.post("/{coverage_id}/carry-forward", status_code=201, dependencies=[requires(COVERAGE_WRITE)])
async def carry_coverage_forward(
    coverage_id: uuid.UUID, given: CarryForward, coverages: Coverages, creation: CreationDependency
) -> CoverageRead:
    """Copy a coverage to a patient of another call of the same billing account. Nothing is carried by itself."""
    return await coverages.carry_forward(coverage_id, given, creation)
