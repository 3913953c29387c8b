"""Keeps what the edits found, with the version of the claim that they judged."""

from __future__ import annotations

from collections.abc import Sequence

from app.billing.edits.repository import ScrubRepository, add_verdict
from app.billing.edits.scrubber import EditFinding
from app.billing.edits.view import JudgedClaim
from app.core.db.uow import UnitOfWork


async def keep_verdict(uow: UnitOfWork, claim: JudgedClaim, findings: Sequence[EditFinding]) -> None:
    """Stores the verdict, unless it is the last one on this version of the claim."""
    shown = [
        {
            "edit": found.edit.id,
            "severity": found.severity.value,
            "field": found.field,
            "code": found.code,
            "message": found.message,
        }
        for found in findings
    ]
    last = (await ScrubRepository(uow).latest(uow.tenant_id, [claim.id])).get(claim.id)
    if last is None or (last.claim_version, list(last.findings)) != (claim.version, shown):
        blocking = sum(found.is_blocking for found in findings)
        await add_verdict(uow, claim.id, claim.version, shown, blocking=blocking)
