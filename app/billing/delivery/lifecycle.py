"""The lifecycle of a delivery: an outbound attempt (ADR 0018)."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DeliveryTransition(StrEnum):
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "retry"


class DeliveryAction(AuditAction):
    """The audit log's names of the transitions, and of what else happens to a delivery."""

    QUEUED = "claim_delivery.queued"
    TAKEN_UP = "claim_delivery.taken_up"
    STARTED = "claim_delivery.started"
    SUCCEEDED = "claim_delivery.succeeded"
    FAILED = "claim_delivery.failed"
    REQUEUED = "claim_delivery.requeued"
    DISCLOSED = "claim_delivery.disclosed"


_S, _T = DeliveryStatus, DeliveryTransition
_RUNNING = frozenset({_S.RUNNING})

delivery_lifecycle: Lifecycle[DeliveryStatus, None] = Lifecycle(
    name="claim_delivery",
    states=DeliveryStatus,
    initial=_S.QUEUED,
    transitions=(
        Transition(_T.START, frozenset({_S.QUEUED}), _S.RUNNING, audit_action=DeliveryAction.STARTED, system=True),
        Transition(_T.SUCCEED, _RUNNING, _S.SUCCEEDED, audit_action=DeliveryAction.SUCCEEDED, system=True),
        Transition(_T.FAIL, _RUNNING, _S.FAILED, audit_action=DeliveryAction.FAILED, system=True),
        Transition(_T.RETRY, _RUNNING, _S.QUEUED, audit_action=DeliveryAction.REQUEUED, system=True),
    ),
    internal=frozenset(DeliveryTransition),
)
