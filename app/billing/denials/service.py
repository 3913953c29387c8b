"""Reading denials in plain words, giving them to somebody, and giving one up."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.billing.adjustment_codes.dictionary import groups, reason_on, remarks
from app.billing.billers import require_biller
from app.billing.denials.lifecycle import denial_lifecycle
from app.billing.denials.models import Denial
from app.billing.denials.posting import DenialAction
from app.billing.denials.repository import DenialRepository
from app.billing.denials.schemas import DenialPatch, DenialRead, DenialTransitionRequest, ExplainedCode
from app.billing.permissions import CLAIM_WRITE
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.repository import require_version


def present(denial: Denial, principal: Principal) -> DenialRead:
    """The denial with its codes in plain words. It holds nothing about the patient."""
    return DenialRead.of(
        denial,
        allowed_actions=denial_lifecycle.allowed_actions(denial, principal),
        codes=[_explained(code, denial) for code in denial.codes],
        remarks=[_remarked(code) for code in denial.remarks],
    )


def _explained(code: str, denial: Denial) -> ExplainedCode:
    group, _, number = code.partition("-")
    known = reason_on(number, denial.notice_on)
    if known is None:
        return ExplainedCode(code=code, means=groups().get(group), cause=None, fix=None)
    return ExplainedCode(code=code, means=known.means, cause=known.cause, fix=known.fix)


def _remarked(code: str) -> ExplainedCode:
    known = remarks().get(code)
    if known is None:
        return ExplainedCode(code=code, means=None, cause=None, fix=None)
    return ExplainedCode(code=code, means=known.means, cause=None, fix=known.fix)


class DenialReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._denials = DenialRepository(uow)

    async def get(self, denial_id: uuid.UUID) -> DenialRead:
        """Raises NotFound."""
        return present(await self._denials.get(self._uow.tenant_id, denial_id), self._uow.principal)

    async def list_page(self, paging: Paging, **filters: Any) -> Page[DenialRead]:
        page = await self._denials.list_page(self._uow.tenant_id, paging, **filters)
        shown = [present(denial, self._uow.principal) for denial in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)


class DenialService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._denials = DenialRepository(uow)

    async def revise(self, denial_id: uuid.UUID, patch: DenialPatch) -> DenialRead:
        """Raises Forbidden, NotFound, Conflict (stale), ValidationFailed (nobody who could work on it)."""
        self._uow.principal.require(CLAIM_WRITE)
        denial = await self._denials.get_for_update(self._uow.tenant_id, denial_id)
        require_version(denial, patch.version)
        if patch.assigned_to_user_id is not None:
            await require_biller(self._uow, patch.assigned_to_user_id, "assigned_to_user_id")
        async with self._uow.change(denial, DenialAction.REVISED):
            for name, value in patch.changes().items():
                setattr(denial, name, value)
        return present(denial, self._uow.principal)

    async def transition(self, denial_id: uuid.UUID, given: DenialTransitionRequest) -> DenialRead:
        """Raises Forbidden, NotFound, InvalidTransition, Conflict (stale), ValidationFailed (no reason)."""
        denial = await self._denials.get_for_update(self._uow.tenant_id, denial_id)
        denial_lifecycle.require(denial, given.action, self._uow.principal, None, reason=given.reason)
        require_version(denial, given.version)
        await denial_lifecycle.fire(self._uow, denial, given.action, None, reason=given.reason)
        return present(denial, self._uow.principal)


async def denial_reader(uow: ReadUow) -> DenialReader:
    return DenialReader(uow)


async def denial_service(uow: Uow) -> DenialService:
    return DenialService(uow)


DenialReads = Annotated[DenialReader, Depends(denial_reader)]
Denials = Annotated[DenialService, Depends(denial_service)]
