"""The lines of a claim. A change of a line also changes its claim, in the same unit of work."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Depends

from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.presentation import present_line
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.claims.schemas import MAX_LINES, LineCreate, LinePatch, LineRead
from app.billing.claims.service import ClaimAction, LineAction, require_editable, total_charge
from app.billing.events import CLAIM_UPDATED
from app.billing.permissions import CLAIM_WRITE
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import NotFound, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, Paging
from app.core.repository import require_version

PRICED = frozenset({"hcpcs", "units", "charge"})
"""Fields by which a charge that came from a fee schedule becomes a biller's own."""


class LineReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._claims = ClaimRepository(uow)
        self._lines = ClaimLineRepository(uow)

    async def get(self, claim_id: uuid.UUID, line_id: uuid.UUID) -> LineRead:
        """Raises NotFound, also for a line of another claim."""
        await self._claims.get(self._uow.tenant_id, claim_id)
        line = _of_claim(await self._lines.find(self._uow.tenant_id, line_id), claim_id)
        return present_line(line, self._uow.principal)

    async def list_page(self, claim_id: uuid.UUID, paging: Paging) -> Page[LineRead]:
        """Raises NotFound for the claim."""
        await self._claims.get(self._uow.tenant_id, claim_id)
        page = await self._lines.list_page(self._uow.tenant_id, paging, claim_id=claim_id)
        shown = [present_line(line, self._uow.principal) for line in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)


class LineService:
    """Every write locks the claim. So it cannot be approved meanwhile, and its charge stays the sum of its lines."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._claims = ClaimRepository(uow)
        self._lines = ClaimLineRepository(uow)

    async def create(self, claim_id: uuid.UUID, given: LineCreate, creation: Creation) -> LineRead:
        """Raises NotFound, ClaimNotEditable, ValidationFailed (the claim is full)."""
        self._uow.principal.require(CLAIM_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return self._present(await self._lines.get(self._uow.tenant_id, reservation.entity_id))
        claim = await self._editable(claim_id)
        if len(await self._of(claim)) >= MAX_LINES:
            raise ValidationFailed.of("lines", "too_many", f"A claim holds {MAX_LINES} lines at most.")
        line = ClaimLine(
            id=reservation.entity_id,
            tenant_id=self._uow.tenant_id,
            claim_id=claim.id,
            line_number=await self._lines.last_number(self._uow.tenant_id, claim.id) + 1,
            **given.values(),
        )
        await self._uow.create(line, LineAction.ADDED)
        await self._tally(claim)
        return self._present(line)

    async def revise(self, claim_id: uuid.UUID, line_id: uuid.UUID, patch: LinePatch) -> LineRead:
        """Raises NotFound, ClaimNotEditable, Conflict (stale)."""
        self._uow.principal.require(CLAIM_WRITE)
        claim = await self._editable(claim_id)
        line = await self._line(claim, line_id, patch.version)
        async with self._uow.change(line, LineAction.REVISED):
            for name, value in patch.changes().items():
                setattr(line, name, value)
            if patch.changed_fields() & PRICED:
                line.fee_item_id = None
        if line.version != patch.version:
            await self._tally(claim)
        return self._present(line)

    async def delete(self, claim_id: uuid.UUID, line_id: uuid.UUID, version: int) -> None:
        """Soft delete. Raises NotFound, ClaimNotEditable, Conflict (stale)."""
        self._uow.principal.require(CLAIM_WRITE)
        claim = await self._editable(claim_id)
        line = await self._line(claim, line_id, version)
        async with self._uow.change(line, LineAction.REMOVED):
            line.deleted_at = utcnow()
        await self._tally(claim)

    async def _editable(self, claim_id: uuid.UUID) -> Claim:
        claim = await self._claims.get_for_update(self._uow.tenant_id, claim_id)
        require_editable(claim)
        return claim

    async def _of(self, claim: Claim) -> list[ClaimLine]:
        return (await self._lines.list_of_claims(self._uow.tenant_id, [claim.id]))[claim.id]

    async def _line(self, claim: Claim, line_id: uuid.UUID, version: int) -> ClaimLine:
        line = _of_claim(await self._lines.find(self._uow.tenant_id, line_id), claim.id)
        require_version(line, version)
        return line

    async def _tally(self, claim: Claim) -> None:
        lines = await self._of(claim)
        async with self._uow.change(claim, ClaimAction.LINES_CHANGED, event=CLAIM_UPDATED):
            claim.charge_amount = total_charge(line.charge for line in lines)
            claim.lines_revision += 1

    def _present(self, line: ClaimLine) -> LineRead:
        return present_line(line, self._uow.principal)


def _of_claim(line: ClaimLine | None, claim_id: uuid.UUID) -> ClaimLine:
    if line is None or line.claim_id != claim_id:
        raise NotFound
    return line


async def line_service(uow: Uow) -> LineService:
    return LineService(uow)


async def line_reader(uow: ReadUow) -> LineReader:
    return LineReader(uow)


Lines = Annotated[LineService, Depends(line_service)]
LineReads = Annotated[LineReader, Depends(line_reader)]
