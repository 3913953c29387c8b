"""Keeping fee schedules and their items, one by one or from a file."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends

from app.billing.events import FEE_SCHEDULE_CHANGED
from app.billing.fee_schedules.csv_file import FileRow, read_rows
from app.billing.fee_schedules.models import FeeItem, FeeKind, FeeSchedule
from app.billing.fee_schedules.periods import Placed, period_problems
from app.billing.fee_schedules.repository import FeeItemRepository, FeeScheduleRepository
from app.billing.fee_schedules.schemas import (
    MAX_ITEMS,
    FeeImport,
    FeeImportRead,
    FeeItemCreate,
    FeeItemPatch,
    FeeItemRead,
    FeeScheduleCreate,
    FeeSchedulePatch,
    FeeScheduleRead,
)
from app.billing.payers.models import PayerRecord
from app.billing.permissions import FEE_WRITE
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import LimitReached, NotFound, ValidationFailed, refuse
from app.core.idempotency.creation import Creation
from app.core.outbound.turns import take_turn
from app.core.pagination import Page, Paging
from app.core.reference.repository import ReferenceRepository
from app.core.repository import require_version


class FeeScheduleAction(AuditAction):
    CREATED = "fee_schedule.created"
    REVISED = "fee_schedule.revised"
    DELETED = "fee_schedule.deleted"
    ITEMS_CHANGED = "fee_schedule.items_changed"


class FeeItemAction(AuditAction):
    ADDED = "fee_schedule_item.added"
    REVISED = "fee_schedule_item.revised"
    REMOVED = "fee_schedule_item.removed"


class FeeScheduleReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._schedules = FeeScheduleRepository(uow)
        self._items = FeeItemRepository(uow)

    async def get(self, schedule_id: uuid.UUID) -> FeeScheduleRead:
        """Raises NotFound."""
        return FeeScheduleRead.of(await self._schedules.get(self._uow.tenant_id, schedule_id))

    async def list_page(self, paging: Paging, **filters: Any) -> Page[FeeScheduleRead]:
        page = await self._schedules.list_page(self._uow.tenant_id, paging, **filters)
        return Page(items=[FeeScheduleRead.of(item) for item in page.items], next_cursor=page.next_cursor)

    async def list_items(self, schedule_id: uuid.UUID, paging: Paging, **filters: Any) -> Page[FeeItemRead]:
        """Raises NotFound for the schedule."""
        await self._schedules.get(self._uow.tenant_id, schedule_id)
        page = await self._items.list_page(self._uow.tenant_id, paging, schedule_id=schedule_id, **filters)
        return Page(items=[FeeItemRead.of(item) for item in page.items], next_cursor=page.next_cursor)


class FeeScheduleService:
    """Writers take turns: no unique key keeps two schedules, or two prices, from sharing a day."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._schedules = FeeScheduleRepository(uow)
        self._items = FeeItemRepository(uow)

    async def create(self, given: FeeScheduleCreate, creation: Creation) -> FeeScheduleRead:
        """Raises Forbidden, ValidationFailed (payer, overlapping dates), AlreadyExists (the name is taken)."""
        self._uow.principal.require(FEE_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return await FeeScheduleReader(self._uow).get(reservation.entity_id)
        await self._take_turn()
        values = {"changed_by": self._uow.principal.actor_id, **given.values()}
        schedule = FeeSchedule(id=reservation.entity_id, tenant_id=self._uow.tenant_id, **values)
        await self._require_payer(schedule)
        await self._require_own_days(schedule)
        await self._uow.create(schedule, FeeScheduleAction.CREATED)
        return FeeScheduleRead.of(schedule)

    async def revise(self, schedule_id: uuid.UUID, patch: FeeSchedulePatch) -> FeeScheduleRead:
        """Open claims are priced again.

        Raises Forbidden, NotFound, Conflict (stale), ValidationFailed (dates), AlreadyExists (the name is taken).
        """
        schedule = await self._held(schedule_id, patch.version)
        before = {name: getattr(schedule, name) for name in patch.changed_fields()}
        async with self._uow.change(schedule, FeeScheduleAction.REVISED, event=FEE_SCHEDULE_CHANGED):
            for name, value in patch.changes().items():
                setattr(schedule, name, value)
            if any(getattr(schedule, name) != value for name, value in before.items()):
                schedule.changed_by = self._uow.principal.actor_id
            await self._require_own_days(schedule)
        return FeeScheduleRead.of(schedule)

    async def delete(self, schedule_id: uuid.UUID, version: int) -> None:
        """Soft delete; open claims are priced again. Raises Forbidden, NotFound, Conflict (stale)."""
        schedule = await self._held(schedule_id, version)
        async with self._uow.change(schedule, FeeScheduleAction.DELETED, event=FEE_SCHEDULE_CHANGED):
            schedule.deleted_at = utcnow()
            schedule.changed_by = self._uow.principal.actor_id

    async def add_item(self, schedule_id: uuid.UUID, given: FeeItemCreate, creation: Creation) -> FeeItemRead:
        """Raises Forbidden, NotFound, ValidationFailed (dates), LimitReached."""
        self._uow.principal.require(FEE_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return FeeItemRead.of(await self._items.get(self._uow.tenant_id, reservation.entity_id))
        schedule = await self._held(schedule_id)
        stored = await self._items_of(schedule)
        if len(stored) >= MAX_ITEMS:
            raise LimitReached(f"A schedule holds {MAX_ITEMS} prices at most.")
        values = {"schedule_id": schedule.id, **given.values()}
        item = FeeItem(id=reservation.entity_id, tenant_id=self._uow.tenant_id, **values)
        _require_periods(schedule, stored, item)
        await self._uow.create(item, FeeItemAction.ADDED)
        await self._count_change(schedule)
        return FeeItemRead.of(item)

    async def revise_item(self, schedule_id: uuid.UUID, item_id: uuid.UUID, patch: FeeItemPatch) -> FeeItemRead:
        """Open claims are priced again. Raises Forbidden, NotFound, Conflict (stale), ValidationFailed (dates)."""
        schedule = await self._held(schedule_id)
        item = await self._item(schedule, item_id, patch.version)
        others = [one for one in await self._items_of(schedule) if one.id != item.id]
        async with self._uow.change(item, FeeItemAction.REVISED):
            for name, value in patch.changes().items():
                setattr(item, name, value)
            _require_periods(schedule, others, item)
        if item.version != patch.version:
            await self._count_change(schedule)
        return FeeItemRead.of(item)

    async def remove_item(self, schedule_id: uuid.UUID, item_id: uuid.UUID, version: int) -> None:
        """Soft delete; open claims are priced again. Raises Forbidden, NotFound, Conflict (stale)."""
        schedule = await self._held(schedule_id)
        item = await self._item(schedule, item_id, version)
        async with self._uow.change(item, FeeItemAction.REMOVED):
            item.deleted_at = utcnow()
        await self._count_change(schedule)

    async def load(self, schedule_id: uuid.UUID, given: FeeImport) -> FeeImportRead:
        """All lines of the file, or none.

        Raises Forbidden, NotFound, Conflict (stale), ValidationFailed (every wrong cell), LimitReached.
        """
        self._uow.principal.require(FEE_WRITE)
        rows = read_rows(given.csv)
        schedule = await self._held(schedule_id, given.version)
        stored = {(item.hcpcs, item.effective_from): item for item in await self._items_of(schedule)}
        replaced = {(found.row.hcpcs, found.row.effective_from) for found in rows}
        kept = [item for key, item in stored.items() if key not in replaced]
        refuse(period_problems(schedule, [*map(Placed, kept), *(Placed(f.row, f.place, f.line) for f in rows)]))
        if len(kept) + len(rows) > MAX_ITEMS:
            raise LimitReached(f"A schedule holds {MAX_ITEMS} prices at most.")
        added, revised = await self._write(schedule, stored, rows)
        if added or revised:
            await self._count_change(schedule)
        return FeeImportRead(
            schedule=FeeScheduleRead.of(schedule), added=added, revised=revised, unchanged=len(rows) - added - revised
        )

    async def _write(
        self, schedule: FeeSchedule, stored: dict[tuple[str, Any], FeeItem], rows: Sequence[FileRow]
    ) -> tuple[int, int]:
        """How many rows were added, and how many have changed a price."""
        added = revised = 0
        for row in (found.row for found in rows):
            item = stored.get((row.hcpcs, row.effective_from))
            if item is None:
                values = {name: getattr(row, name) for name in type(row).model_fields}
                new = FeeItem(tenant_id=self._uow.tenant_id, schedule_id=schedule.id, **values)
                await self._uow.create(new, FeeItemAction.ADDED)
                added += 1
                continue
            before = item.version
            async with self._uow.change(item, FeeItemAction.REVISED):
                item.unit_price, item.effective_to = row.unit_price, row.effective_to
            revised += item.version != before
        return added, revised

    async def _take_turn(self) -> None:
        await take_turn(self._uow, "billing", FeeSchedule.__tablename__)

    async def _held(self, schedule_id: uuid.UUID, version: int | None = None) -> FeeSchedule:
        """The schedule for this writer alone. Raises Forbidden, NotFound, Conflict (stale)."""
        self._uow.principal.require(FEE_WRITE)
        await self._take_turn()
        schedule = await self._schedules.get_for_update(self._uow.tenant_id, schedule_id)
        if version is not None:
            require_version(schedule, version)
        return schedule

    async def _items_of(self, schedule: FeeSchedule) -> list[FeeItem]:
        return await self._items.list_all(self._uow.tenant_id, schedule_id=schedule.id)

    async def _item(self, schedule: FeeSchedule, item_id: uuid.UUID, version: int) -> FeeItem:
        item = await self._items.find(self._uow.tenant_id, item_id)
        if item is None or item.schedule_id != schedule.id:
            raise NotFound
        require_version(item, version)
        return item

    async def _count_change(self, schedule: FeeSchedule) -> None:
        async with self._uow.change(schedule, FeeScheduleAction.ITEMS_CHANGED, event=FEE_SCHEDULE_CHANGED):
            schedule.items_revision += 1
            schedule.changed_by = self._uow.principal.actor_id

    async def _require_payer(self, schedule: FeeSchedule) -> None:
        """Raises ValidationFailed: a contract is with a payer of the agency, and gross prices are with nobody."""
        payer_id = schedule.payer_record_id
        if (schedule.kind is FeeKind.CONTRACT) != (payer_id is not None):
            message = "A contract names its payer; gross prices name none."
            raise ValidationFailed.of("payer_record_id", "payer_of_contract", message)
        payers = ReferenceRepository(self._uow, PayerRecord)
        if payer_id is not None and await payers.find_for_share(self._uow.tenant_id, payer_id) is None:
            raise ValidationFailed.of("payer_record_id", "unknown_reference", "This refers to nothing here.")

    async def _require_own_days(self, schedule: FeeSchedule) -> None:
        """Raises ValidationFailed for days that end before they begin, or that another schedule has."""
        if schedule.effective_to is not None and schedule.effective_to < schedule.effective_from:
            message = "The last day is before the first one."
            raise ValidationFailed.of("effective_to", "before_its_beginning", message)
        if await self._schedules.is_overlapped(self._uow.tenant_id, schedule):
            message = "Another schedule of the same payer is in force on some of these days."
            raise ValidationFailed.of("effective_from", "overlapping_dates", message)


def _require_periods(schedule: FeeSchedule, others: Sequence[FeeItem], item: FeeItem) -> None:
    """Raises ValidationFailed if the price is never in force, or shares a day with another one of its code."""
    refuse(period_problems(schedule, [*map(Placed, others), Placed(item, "", 1)]))


async def fee_schedule_service(uow: Uow) -> FeeScheduleService:
    return FeeScheduleService(uow)


async def fee_schedule_reader(uow: ReadUow) -> FeeScheduleReader:
    return FeeScheduleReader(uow)


FeeSchedules = Annotated[FeeScheduleService, Depends(fee_schedule_service)]
FeeScheduleReads = Annotated[FeeScheduleReader, Depends(fee_schedule_reader)]
