"""Posts decisions to the ledger, each in a unit of work of its own: a crash loses none and repeats none.

Entries, the claim's new state, the decision's and all their records are one transaction (ADR 0050).
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from app.billing.claims.lifecycle import (
    UNJUDGED,
    AdjudicationTransition,
    ClaimStatus,
    claim_lifecycle,
    consequences,
)
from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.claims.sending import submit
from app.billing.claims.service import ClaimAction
from app.billing.denials.posting import PostedDecision, record_decision
from app.billing.events import CLAIM_UPDATED
from app.billing.ledger.accounts import Account
from app.billing.ledger.entries import DECISIONS, charge_changes
from app.billing.ledger.models import Cause, LedgerPosting
from app.billing.ledger.repository import EntryRepository
from app.billing.ledger.service import post
from app.billing.remittances.judging import Judged, LineIds, judge
from app.billing.remittances.lifecycle import (
    HoldReason,
    PostingTransition,
    RemittanceClaimStatus,
    remittance_claim_lifecycle,
)
from app.billing.remittances.models import Remittance, RemittanceClaim
from app.billing.remittances.repository import RemittanceClaimRepository, RemittanceRepository
from app.billing.x12.remittance_advice import ClaimPayment
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.jobs.queue import Job
from app.core.logging import get_logger
from app.core.permissions import Principal
from app.core.runtime import Runtime

_log = get_logger(__name__)
CONTENT = TypeAdapter(ClaimPayment)
"""What a payer said about a claim, as JSON and back."""


class DecisionPosting:
    """Judges one decision and posts it. The decision is locked first, then its claim."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._decisions = RemittanceClaimRepository(uow)
        self._claims = ClaimRepository(uow)

    async def post_pending(self, decision_id: uuid.UUID) -> None:
        """Posts or holds a pending decision. One that was judged meanwhile stays as it is."""
        decision = await self._decisions.get_for_update(self._uow.tenant_id, decision_id)
        if decision.status is not RemittanceClaimStatus.PENDING:
            return
        claim = await self._claims.find_by_number_for_update(self._uow.tenant_id, decision.claim_number)
        remittance = await RemittanceRepository(self._uow).get(self._uow.tenant_id, decision.remittance_id)
        judged = await self.judged(decision, claim, {}) if remittance.balanced else HoldReason.SET_UNBALANCED
        if claim is None or isinstance(judged, HoldReason):
            reason = judged if isinstance(judged, HoldReason) else HoldReason.UNKNOWN_CLAIM
            also: dict[str, Any] = {"hold_reason": reason, "claim_id": None if claim is None else claim.id}
            await remittance_claim_lifecycle.fire(self._uow, decision, PostingTransition.HOLD, None, **also)
            return
        await self.apply(decision, remittance, claim, judged)
        await remittance_claim_lifecycle.fire(self._uow, decision, PostingTransition.POST, None, claim_id=claim.id)

    async def judged(
        self, decision: RemittanceClaim, claim: Claim | None, line_ids: LineIds, *, by_person: bool = False
    ) -> Judged | HoldReason:
        """The entries of a decision about a locked claim, or why it is held.

        Charges that the ledger lacks are among them: a claim may be older than the ledger.
        """
        if claim is None:
            return HoldReason.UNKNOWN_CLAIM
        said = CONTENT.validate_python(decision.content)
        lines = (await ClaimLineRepository(self._uow).list_of_claims(self._uow.tenant_id, [claim.id]))[claim.id]
        standing = await EntryRepository(self._uow).standing(self._uow.tenant_id, claim.id)
        found = judge(said, claim.status, claim.charge_amount, lines, standing, line_ids, by_person=by_person)
        if isinstance(found, HoldReason) or claim.status is ClaimStatus.EXPORTED:
            return found
        charges = charge_changes(standing, {line.id: line.charge for line in lines})
        return replace(found, entries=(*charges, *found.entries))

    async def apply(
        self,
        decision: RemittanceClaim,
        remittance: Remittance,
        claim: Claim,
        judged: Judged,
        *,
        reason: str | None = None,
    ) -> None:
        """Stores the entries, records what was refused, and moves the claim.

        A claim that was only exported is known to have arrived.
        """
        if claim.status is ClaimStatus.EXPORTED:
            await submit(self._uow, claim)
        posting = LedgerPosting(
            tenant_id=self._uow.tenant_id,
            claim_id=claim.id,
            patient_id=claim.patient_id,
            cause=Cause.REMITTANCE,
            remittance_id=decision.remittance_id,
            remittance_claim_id=decision.id,
            reason=reason,
        )
        await post(self._uow, posting, judged.entries)
        said = CONTENT.validate_python(decision.content)
        posted = PostedDecision(
            remittance_claim_id=decision.id,
            said=said,
            notice_on=remittance.paid_on,
            is_of_next_payer=not any(one.credit is Account.PAYER and one.kind in DECISIONS for one in judged.entries),
        )
        await record_decision(self._uow, claim, posted)
        if judged.move is not None:
            await self._move(claim, judged, judged.move, decision.payer_control_number)
        elif judged.denial_reason is not None:
            async with self._uow.change(claim, ClaimAction.DENIED_AGAIN, event=CLAIM_UPDATED):
                claim.denial_reason = judged.denial_reason
                claim.patient_responsibility_amount = min(judged.patient_responsibility, claim.charge_amount)

    async def _move(
        self, claim: Claim, judged: Judged, move: AdjudicationTransition, payer_control_number: str | None
    ) -> None:
        also = consequences(
            move,
            at=utcnow(),
            reason=judged.denial_reason,
            patient_responsibility=min(judged.patient_responsibility, claim.charge_amount),
        )
        if payer_control_number is not None:
            also["payer_claim_control_number"] = payer_control_number
        await claim_lifecycle.fire(self._uow, claim, move, UNJUDGED, reason=judged.denial_reason, **also)


async def post_decisions(runtime: Runtime, principal: Principal, ids: dict[str, uuid.UUID]) -> None:
    """Judges every pending decision of a file, or of a remittance on paper, in its order.

    A reversal comes before the decision that replaces it. Run twice, it goes on where it stopped. A decision whose
    posting fails leaves the others alone; the job then fails at its end, and is run again.
    """
    async with runtime.unit_of_work(principal) as uow:
        pending = await RemittanceClaimRepository(uow).list_pending_ids(uow.tenant_id, ids["source_id"])
    failure: Exception | None = None
    for decision_id in pending:
        try:
            async with runtime.unit_of_work(principal) as uow:
                await DecisionPosting(uow).post_pending(decision_id)
        except Exception as error:
            _log.error("decision not posted", exc_info=error)
            failure = error
    if failure is not None:
        raise failure


POST_DECISIONS = Job("billing.post_decisions", post_decisions)
