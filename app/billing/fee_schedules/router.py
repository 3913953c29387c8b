"""billing/fee-schedules and their items."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.fee_schedules.models import FeeKind
from app.billing.fee_schedules.schemas import (
    FeeImport,
    FeeImportRead,
    FeeItemCreate,
    FeeItemPatch,
    FeeItemRead,
    FeeScheduleCreate,
    FeeSchedulePatch,
    FeeScheduleRead,
)
from app.billing.fee_schedules.service import FeeScheduleReads, FeeSchedules
from app.billing.permissions import CLAIM_READ, FEE_WRITE
from app.core.dependencies import requires
from app.core.filters import FilterText, OneOf
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import OldestFirstQuery, Page, PagingQuery
from app.core.schemas import VersionQuery

router = APIRouter(prefix="/billing/fee-schedules", tags=["billing"])


@router.post("", status_code=201, dependencies=[requires(FEE_WRITE)])
async def create_fee_schedule(
    given: FeeScheduleCreate, schedules: FeeSchedules, creation: CreationDependency
) -> FeeScheduleRead:
    """Begin a price list. No day may be in another one of the same payer, or in another gross one."""
    return await schedules.create(given, creation)


@router.get("", dependencies=[requires(CLAIM_READ)])
async def list_fee_schedules(
    schedules: FeeScheduleReads,
    paging: PagingQuery,
    name: OneOf[FilterText] = None,
    kind: OneOf[FeeKind] = None,
    payer_record_id: OneOf[uuid.UUID] = None,
) -> Page[FeeScheduleRead]:
    """Price lists, newest first."""
    return await schedules.list_page(paging, name=name, kind=kind, payer_record_id=payer_record_id)


@router.get("/{schedule_id}", dependencies=[requires(CLAIM_READ)])
async def get_fee_schedule(schedule_id: uuid.UUID, schedules: FeeScheduleReads) -> FeeScheduleRead:
    """One price list."""
    return await schedules.get(schedule_id)


@router.patch("/{schedule_id}", dependencies=[requires(FEE_WRITE)])
async def revise_fee_schedule(
    schedule_id: uuid.UUID, patch: FeeSchedulePatch, schedules: FeeSchedules
) -> FeeScheduleRead:
    """Change its name or its days. Open claims whose prices came from a schedule are priced again."""
    return await schedules.revise(schedule_id, patch)


@router.delete("/{schedule_id}", status_code=204, dependencies=[requires(FEE_WRITE)])
async def delete_fee_schedule(schedule_id: uuid.UUID, version: VersionQuery, schedules: FeeSchedules) -> None:
    """Soft-delete a price list; its name and its days are free again."""
    await schedules.delete(schedule_id, version)


@router.post("/{schedule_id}/items", status_code=201, dependencies=[requires(FEE_WRITE)])
async def create_fee_schedule_item(
    schedule_id: uuid.UUID, given: FeeItemCreate, schedules: FeeSchedules, creation: CreationDependency
) -> FeeItemRead:
    """Add a price. No day may be in another price of the same code."""
    return await schedules.add_item(schedule_id, given, creation)


@router.get("/{schedule_id}/items", dependencies=[requires(CLAIM_READ)])
async def list_fee_schedule_items(
    schedule_id: uuid.UUID, schedules: FeeScheduleReads, paging: OldestFirstQuery, hcpcs: OneOf[FilterText] = None
) -> Page[FeeItemRead]:
    """The prices of one list, in the order of their entry."""
    return await schedules.list_items(schedule_id, paging, hcpcs=hcpcs)


@router.patch("/{schedule_id}/items/{item_id}", dependencies=[requires(FEE_WRITE)])
async def revise_fee_schedule_item(
    schedule_id: uuid.UUID, item_id: uuid.UUID, patch: FeeItemPatch, schedules: FeeSchedules
) -> FeeItemRead:
    """Change a price or its days. Open claims that it is a price of are priced again."""
    return await schedules.revise_item(schedule_id, item_id, patch)


@router.delete("/{schedule_id}/items/{item_id}", status_code=204, dependencies=[requires(FEE_WRITE)])
async def delete_fee_schedule_item(
    schedule_id: uuid.UUID, item_id: uuid.UUID, version: VersionQuery, schedules: FeeSchedules
) -> None:
    """Take a price off the list."""
    await schedules.remove_item(schedule_id, item_id, version)


@router.post("/{schedule_id}/imports", dependencies=[requires(FEE_WRITE)])
async def import_fee_schedule_items(schedule_id: uuid.UUID, given: FeeImport, schedules: FeeSchedules) -> FeeImportRead:
    """Take prices from a CSV file: all of its lines, or none. Each fault is named by its line and column."""
    return await schedules.load(schedule_id, given)
