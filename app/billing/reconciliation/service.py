"""Listing the locked charts that have no claim."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends

from app.billing.reconciliation.repository import ReconciliationRepository
from app.billing.reconciliation.schemas import TripRead, TripState
from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow
from app.core.pagination import Page, Paging


class ReconciliationReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_page(self, state: TripState, paging: Paging, **filters: Any) -> Page[TripRead]:
        """One statement. Raises ValidationFailed (cursor)."""
        trips = ReconciliationRepository(self._uow)
        exempt = state is TripState.EXEMPT
        page = await trips.list_page(self._uow.tenant_id, paging, exempt=exempt, **filters)
        items = [TripRead.model_validate({**row, "state": state}) for row in page.items]
        return Page(items=items, next_cursor=page.next_cursor)


async def reconciliation_reader(uow: ReadUow) -> ReconciliationReader:
    return ReconciliationReader(uow)


ReconciliationReads = Annotated[ReconciliationReader, Depends(reconciliation_reader)]
