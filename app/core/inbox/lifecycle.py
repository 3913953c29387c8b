"""The lifecycle of a webhook receipt: received, then processed, ignored or failed; a failed one can be replayed."""

from __future__ import annotations

from enum import StrEnum

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


_RECEIVED = frozenset({ReceiptStatus.RECEIVED})

receipt_lifecycle: Lifecycle[ReceiptStatus, None] = Lifecycle(
    name="webhook_receipt",
    states=ReceiptStatus,
    initial=ReceiptStatus.RECEIVED,
    transitions=(
        Transition(ReceiptAction.PROCESS, _RECEIVED, ReceiptStatus.PROCESSED, system=True),
        Transition(ReceiptAction.IGNORE, _RECEIVED, ReceiptStatus.IGNORED, system=True),
        Transition(ReceiptAction.FAIL, _RECEIVED, ReceiptStatus.FAILED, system=True),
        Transition(
            ReceiptAction.REPLAY,
            frozenset({ReceiptStatus.FAILED}),
            ReceiptStatus.RECEIVED,
            permission=WEBHOOK_REPLAY,
            system=True,
        ),
    ),
    internal=frozenset({ReceiptAction.PROCESS, ReceiptAction.IGNORE, ReceiptAction.FAIL}),
)
