"""Writing appeals, filing them in time, and recording what the payer answers.

Whoever moves an appeal locks its claim first, then the refusal, then the appeal: postings lock in the same order.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends

from app.billing.appeals.letters import propose
from app.billing.appeals.lifecycle import AppealFacts, AppealStatus, AppealTransition, appeal_lifecycle
from app.billing.appeals.models import Appeal
from app.billing.appeals.repository import AppealRepository
from app.billing.appeals.schemas import AppealCreate, AppealPatch, AppealRead, AppealTransitionRequest
from app.billing.claims.lifecycle import UNJUDGED, ClaimStatus, ClaimTransition, claim_lifecycle
from app.billing.claims.models import Claim
from app.billing.claims.presentation import sees_clinical
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.denials.clocks import FIRST, LAST, appeal_by, level_of, medicare_levels
from app.billing.denials.lifecycle import DenialStatus, DenialWork, denial_lifecycle
from app.billing.denials.models import Denial
from app.billing.denials.repository import DenialRepository
from app.billing.errors import AppealNotEditable, NotAppealable
from app.billing.payers.service import find_payer
from app.billing.permissions import CLAIM_WRITE
from app.core.audit.actions import AuditAction
from app.core.db.plan import plan_of
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import AlreadyExists, NotFound, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.ids import new_id
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.repository import require_version

_CONTINUABLE = frozenset({AppealStatus.LOST, AppealStatus.PARTLY_WON})


class AppealAction(AuditAction):
    CREATED = "appeal.created"
    REVISED = "appeal.revised"


def present(appeal: Appeal, principal: Principal) -> AppealRead:
    hidden = {} if sees_clinical(principal) else dict.fromkeys(plan_of(Appeal).redacted)
    return AppealRead.of(
        appeal,
        **hidden,
        allowed_actions=appeal_lifecycle.allowed_actions(appeal, principal),
        level_name=level_name(appeal.level),
    )


def level_name(level: int) -> str:
    """Medicare's name of the level, which other payers' levels are called by, too."""
    return medicare_levels()[level].name


class AppealReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._appeals = AppealRepository(uow)

    async def get(self, appeal_id: uuid.UUID) -> AppealRead:
        """Raises NotFound."""
        return present(await self._appeals.get(self._uow.tenant_id, appeal_id), self._uow.principal)

    async def list_page(self, paging: Paging, **filters: Any) -> Page[AppealRead]:
        page = await self._appeals.list_page(self._uow.tenant_id, paging, **filters)
        shown = [present(appeal, self._uow.principal) for appeal in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)


class AppealService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._appeals = AppealRepository(uow)
        self._claims = ClaimRepository(uow)
        self._denials = DenialRepository(uow)

    async def create(self, given: AppealCreate, creation: Creation) -> AppealRead:
        """A draft of the next level. Raises Forbidden, ValidationFailed (refusal, amount), NotAppealable, AlreadyExists
        (a level is not decided yet)."""
        self._uow.principal.require(CLAIM_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return await AppealReader(self._uow).get(reservation.entity_id)
        denial, claim = await self._refused(given.denial_id)
        amount = denial.amount if given.amount is None else given.amount
        appeal = await self._begin(denial, claim, amount, given.letter, appeal_id=reservation.entity_id)
        return present(appeal, self._uow.principal)

    async def attach_letter(self, claim_id: uuid.UUID, letter: str) -> uuid.UUID:
        """Puts a letter into the draft about the claim's newest open refusal, or begins one. The appeal's id.

        Raises NotFound (the claim, or an open refusal of it), NotAppealable, AlreadyExists (the appeal is filed).
        """
        claim = await self._claims.get_for_update(self._uow.tenant_id, claim_id)
        unsettled = await self._denials.list_unsettled_for_update(self._uow.tenant_id, claim.id)
        still_open = [denial for denial in unsettled if denial.status is DenialStatus.OPEN]
        if not still_open:
            raise NotFound
        denial = still_open[-1]
        draft = await self._appeals.find_last(self._uow.tenant_id, denial.id)
        if draft is None or draft.status is not AppealStatus.DRAFT:
            _require_appealable(denial)
            return (await self._begin(denial, claim, denial.amount, letter)).id
        held = await self._appeals.get_for_update(self._uow.tenant_id, draft.id)
        async with self._uow.change(held, AppealAction.REVISED):
            held.letter = letter
        return held.id

    async def _begin(
        self, denial: Denial, claim: Claim, amount: Decimal, letter: str | None, *, appeal_id: uuid.UUID | None = None
    ) -> Appeal:
        """A draft of the next level, with a proposed letter if none is given.

        Raises NotAppealable, AlreadyExists, ValidationFailed (amount).
        """
        _require_within(amount, denial)
        level, against_on = await self._next_level(denial)
        lines = (await ClaimLineRepository(self._uow).list_of_claims(self._uow.tenant_id, [claim.id]))[claim.id]
        payer = None if claim.payer_record_id is None else await find_payer(self._uow, claim.payer_record_id)
        until = denial.appeal_by if level == FIRST else appeal_by(claim, payer, level, against_on)
        appeal = Appeal(
            id=appeal_id or new_id(),
            tenant_id=self._uow.tenant_id,
            incident_id=claim.incident_id,
            claim_id=claim.id,
            denial_id=denial.id,
            level=level,
            amount=amount,
            against_on=against_on,
            file_by=until,
            letter=propose(claim, lines, denial) if letter is None else letter,
        )
        await self._uow.create(appeal, AppealAction.CREATED)
        return appeal

    async def revise(self, appeal_id: uuid.UUID, patch: AppealPatch) -> AppealRead:
        """Raises Forbidden, NotFound, AppealNotEditable, Conflict (stale), ValidationFailed (amount)."""
        self._uow.principal.require(CLAIM_WRITE)
        appeal = await self._appeals.get_for_update(self._uow.tenant_id, appeal_id)
        if appeal.status is not AppealStatus.DRAFT:
            raise AppealNotEditable(status=appeal.status.value)
        require_version(appeal, patch.version)
        changes = patch.changes()
        if "amount" in changes:
            _require_within(changes["amount"], await self._denials.get(self._uow.tenant_id, appeal.denial_id))
        async with self._uow.change(appeal, AppealAction.REVISED):
            for name, value in changes.items():
                setattr(appeal, name, value)
        return present(appeal, self._uow.principal)

    async def transition(self, appeal_id: uuid.UUID, given: AppealTransitionRequest) -> AppealRead:
        """Raises Forbidden, NotFound, InvalidTransition, Conflict (stale), ValidationFailed (days, award)."""
        tenant_id = self._uow.tenant_id
        found = await self._appeals.get(tenant_id, appeal_id)
        claim = await self._claims.get_for_update(tenant_id, found.claim_id)
        denial = await self._denials.get_for_update(tenant_id, found.denial_id)
        appeal = await self._appeals.get_for_update(tenant_id, appeal_id)
        facts = _facts(appeal, claim, given)
        appeal_lifecycle.require(appeal, given.action, self._uow.principal, facts)
        require_version(appeal, given.version)
        was_filed = appeal.status is AppealStatus.FILED
        also = _consequences(appeal, given)
        await appeal_lifecycle.fire(self._uow, appeal, given.action, facts, reason=given.reason, **also)
        if given.action is AppealTransition.FILE:
            await self._mark_appealed(claim, denial)
        elif was_filed and appeal.status in (AppealStatus.LOST, AppealStatus.WITHDRAWN):
            await self._mark_open(denial)
        return present(appeal, self._uow.principal)

    async def _mark_appealed(self, claim: Claim, denial: Denial) -> None:
        if denial.status is DenialStatus.OPEN:
            await denial_lifecycle.fire(self._uow, denial, DenialWork.APPEAL, None)
        if claim.status is ClaimStatus.DENIED:
            await claim_lifecycle.fire(self._uow, claim, ClaimTransition.FLAG_APPEAL, UNJUDGED)

    async def _mark_open(self, denial: Denial) -> None:
        if denial.status is DenialStatus.APPEALED:
            await denial_lifecycle.fire(self._uow, denial, DenialWork.RETURN, None)

    async def _refused(self, denial_id: uuid.UUID) -> tuple[Denial, Claim]:
        """The refusal and its claim, locked. Raises ValidationFailed, NotAppealable."""
        found = await self._denials.find(self._uow.tenant_id, denial_id)
        if found is None:
            raise ValidationFailed.of("denial_id", "unknown_reference", "There is no such refusal.")
        claim = await self._claims.get_for_update(self._uow.tenant_id, found.claim_id)
        denial = await self._denials.get_for_update(self._uow.tenant_id, denial_id)
        _require_appealable(denial)
        return denial, claim

    async def _next_level(self, denial: Denial) -> tuple[int, dt.date]:
        """The level that is due, and the day of the decision that it is about. Raises NotAppealable, AlreadyExists."""
        last = await self._appeals.find_last(self._uow.tenant_id, denial.id)
        if last is None:
            return FIRST, denial.notice_on
        if last.status in (AppealStatus.DRAFT, AppealStatus.FILED):
            raise AlreadyExists(field="denial_id")
        if last.decided_on is None or last.status not in _CONTINUABLE:
            raise NotAppealable(reason="won")
        if last.level == LAST:
            raise NotAppealable(reason="last_level")
        return last.level + 1, last.decided_on


def _require_appealable(denial: Denial) -> None:
    if not denial.appealable:
        raise NotAppealable(reason="unprocessable")
    if denial.status in (DenialStatus.RESOLVED, DenialStatus.GIVEN_UP):
        raise NotAppealable(reason=denial.status.value)


def _require_within(amount: Decimal, denial: Denial) -> None:
    if not 0 < amount <= denial.amount:
        raise ValidationFailed.of("amount", "not_refused", "What is in dispute is more than nothing, and was refused.")


def _facts(appeal: Appeal, claim: Claim, given: AppealTransitionRequest) -> AppealFacts:
    if given.action is not AppealTransition.FILE or given.on is None:
        return AppealFacts()
    rule = level_of(claim, appeal.level)
    return AppealFacts(
        in_time=appeal.file_by is None or given.on <= appeal.file_by,
        excused=given.reason is not None,
        enough_at_stake=rule is None or appeal.amount >= rule.least_on(given.on),
    )


def _consequences(appeal: Appeal, given: AppealTransitionRequest) -> dict[str, Any]:
    """Columns that change together with the status. Raises ValidationFailed (days, award)."""
    also: dict[str, Any] = {} if given.reference is None else {"reference": given.reference}
    if given.action is AppealTransition.FILE:
        return also | {"filed_on": _not_before(given.on, appeal.against_on)}
    if not given.is_decision:
        return also
    granted = appeal.amount if given.action is AppealTransition.WIN else given.awarded_amount or Decimal("0.00")
    if given.action is AppealTransition.WIN_PARTLY and not 0 < granted < appeal.amount:
        raise ValidationFailed.of("awarded_amount", "not_a_part", "A part is more than nothing and less than all.")
    return also | {"decided_on": _not_before(given.on, appeal.filed_on), "awarded_amount": granted}


def _not_before(day: dt.date | None, earliest: dt.date | None) -> dt.date | None:
    if day is not None and earliest is not None and day < earliest:
        raise ValidationFailed.of("on", "too_early", "This day lies before the one that it follows.")
    return day


async def attach_appeal_draft(uow: UnitOfWork, claim_id: uuid.UUID, letter: str) -> uuid.UUID:
    """Takes a letter that somebody else wrote for the claim's open refusal. See AppealService.attach_letter."""
    return await AppealService(uow).attach_letter(claim_id, letter)


async def appeal_reader(uow: ReadUow) -> AppealReader:
    return AppealReader(uow)


async def appeal_service(uow: Uow) -> AppealService:
    return AppealService(uow)


AppealReads = Annotated[AppealReader, Depends(appeal_reader)]
Appeals = Annotated[AppealService, Depends(appeal_service)]
