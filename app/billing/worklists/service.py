"""Listing claims by what they wait for; giving one to somebody, and letting one rest."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.billing.billers import require_biller
from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimRepository
from app.billing.claims.schemas import ClaimRead
from app.billing.claims.service import ClaimReader
from app.billing.events import CLAIM_UPDATED
from app.billing.permissions import CLAIM_WRITE
from app.billing.worklists.repository import WorklistRepository
from app.billing.worklists.schemas import (
    DEADLINES,
    AssignmentRequest,
    SnoozeRequest,
    Worklist,
    WorklistClaimRead,
    WorklistCount,
    WorklistCounts,
    WorklistPaging,
)
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import ValidationFailed
from app.core.pagination import Page
from app.core.repository import require_version

FILING_WARNING = dt.timedelta(days=30)
"""Before the last day for filing. Billing's own habit; no payer's rule."""


class ClaimWorkAction(AuditAction):
    ASSIGNED = "claim.assigned"
    SNOOZED = "claim.snoozed"


class WorklistReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._lists = WorklistRepository(uow)

    async def list_page(
        self, name: Worklist, paging: WorklistPaging, *, due_before: dt.date | None, snoozed: bool, **filters: Any
    ) -> Page[WorklistClaimRead]:
        """One statement; two for `timely_filing`. Deadlines lie within 30 days unless `due_before` is given.

        Raises ValidationFailed (cursor, order, `due_before` of another list).
        """
        at, ordered, tenant_id = utcnow(), paging.of(name), self._uow.tenant_id
        until = due_before or _warned_before(at)
        if name not in DEADLINES:
            if due_before is not None:
                raise ValidationFailed.of("due_before", "not_of_this_list", "Only lists of deadlines are narrowed so.")
            page = await self._lists.list_page(tenant_id, ordered, name.value, at=at, snoozed=snoozed, **filters)
        elif name is Worklist.APPEAL_DUE:
            page = await self._lists.list_appeals_due(
                tenant_id, ordered, due_before=until, at=at, snoozed=snoozed, **filters
            )
        else:
            limits = await self._lists.list_limits(tenant_id)
            page = await self._lists.list_due(
                tenant_id, ordered, limits, due_before=until, at=at, snoozed=snoozed, **filters
            )
        items = [_shown(name, row) for row in page.items]
        return Page(items=items, next_cursor=page.next_cursor)

    async def count(self) -> WorklistCounts:
        """Two statements."""
        at = utcnow()
        counts = await self._lists.count(
            self._uow.tenant_id,
            await self._lists.list_limits(self._uow.tenant_id),
            due_before=_warned_before(at),
            at=at,
            user_id=self._uow.principal.user_id,
        )
        items = [
            WorklistCount(name=name, claims=counts[name.value], mine=counts[f"{name.value}_mine"]) for name in Worklist
        ]
        return WorklistCounts(items=items)


def _shown(name: Worklist, row: Any) -> WorklistClaimRead:
    appeal_by = row["sort_day"] if name is Worklist.APPEAL_DUE else None
    return WorklistClaimRead.model_validate({**row, "appeal_by": appeal_by})


def _warned_before(at: dt.datetime) -> dt.date:
    return (at + FILING_WARNING).date()


class WorkService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def assign(self, claim_id: uuid.UUID, given: AssignmentRequest) -> ClaimRead:
        """Raises Forbidden, NotFound, Conflict (stale), ValidationFailed (nobody who could work on it)."""
        claim = await self._held(claim_id, given.version)
        if given.user_id is not None:
            await require_biller(self._uow, given.user_id)
        async with self._uow.change(claim, ClaimWorkAction.ASSIGNED, event=CLAIM_UPDATED):
            claim.assigned_to_user_id = given.user_id
        return await ClaimReader(self._uow).present(claim)

    async def snooze(self, claim_id: uuid.UUID, given: SnoozeRequest) -> ClaimRead:
        """Raises Forbidden, NotFound, Conflict (stale), ValidationFailed (a time that is over)."""
        claim = await self._held(claim_id, given.version)
        if given.until is not None and given.until <= utcnow():
            raise ValidationFailed.of("until", "in_the_past", "Give a time to come, or null to wake the claim.")
        async with self._uow.change(claim, ClaimWorkAction.SNOOZED, event=CLAIM_UPDATED):
            claim.snoozed_until = given.until
        return await ClaimReader(self._uow).present(claim)

    async def _held(self, claim_id: uuid.UUID, version: int) -> Claim:
        self._uow.principal.require(CLAIM_WRITE)
        claim = await ClaimRepository(self._uow).get_for_update(self._uow.tenant_id, claim_id)
        require_version(claim, version)
        return claim


async def worklist_reader(uow: ReadUow) -> WorklistReader:
    return WorklistReader(uow)


async def work_service(uow: Uow) -> WorkService:
    return WorkService(uow)


WorklistReads = Annotated[WorklistReader, Depends(worklist_reader)]
Work = Annotated[WorkService, Depends(work_service)]
