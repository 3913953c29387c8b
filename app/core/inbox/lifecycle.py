"""The lifecycle of a webhook receipt: received, then processed, ignored or failed. A failed receipt can be replayed."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.inbox.permissions import WEBHOOK_REPLAY
from app.core.lifecycle import Lifecycle, Transition


class ReceiptStatus(StrEnum):
    RECEIVED = "received"
    PROCESSED = "processed"
    FAILED = "failed"
    IGNORED = "ignored"


class ReceiptAction(StrEnum):
    PROCESS = "process"
    IGNORE = "ignore"
    FAIL = "fail"
    REPLAY = "replay"


class ReceiptAuditAction(AuditAction):
    """The audit log's names of the changes of a receipt; its actor is null for all but a replay."""

    RECEIVED = "webhook_receipt.received"
    ASSIGNED = "webhook_receipt.assigned"
    PROCESSED = "webhook_receipt.processed"
    IGNORED = "webhook_receipt.ignored"
    FAILED = "webhook_receipt.failed"
    REPLAYED = "webhook_receipt.replayed"


_RECEIVED = frozenset({ReceiptStatus.RECEIVED})

receipt_lifecycle: Lifecycle[ReceiptStatus, None] = Lifecycle(
    name="webhook_receipt",
    states=ReceiptStatus,
    initial=ReceiptStatus.RECEIVED,
    transitions=(
        Transition(
            ReceiptAction.PROCESS,
            _RECEIVED,
            ReceiptStatus.PROCESSED,
            audit_action=ReceiptAuditAction.PROCESSED,
            system=True,
        ),
        Transition(
            ReceiptAction.IGNORE, _RECEIVED, ReceiptStatus.IGNORED, audit_action=ReceiptAuditAction.IGNORED, system=True
        ),
        Transition(
            ReceiptAction.FAIL, _RECEIVED, ReceiptStatus.FAILED, audit_action=ReceiptAuditAction.FAILED, system=True
        ),
        Transition(
            ReceiptAction.REPLAY,
            frozenset({ReceiptStatus.FAILED}),
            ReceiptStatus.RECEIVED,
            permission=WEBHOOK_REPLAY,
            audit_action=ReceiptAuditAction.REPLAYED,
            system=True,
        ),
    ),
    internal=frozenset({ReceiptAction.PROCESS, ReceiptAction.IGNORE, ReceiptAction.FAIL}),
)
