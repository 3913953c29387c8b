"""The lifecycle of a message (ADR 0009): queued, sending, then sent or failed. A sent message may bounce."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition


class EmailStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class EmailTransition(StrEnum):
    START = "start"
    ACCEPT = "accept"
    FAIL = "fail"
    RETRY = "retry"
    BOUNCE = "bounce"
    COMPLAIN = "complain"


class EmailStatusAction(AuditAction):
    """The audit log's names of the transitions."""

    STARTED = "email_message.started"
    ACCEPTED = "email_message.accepted"
    FAILED = "email_message.failed"
    REQUEUED = "email_message.requeued"
    BOUNCED = "email_message.bounced"
    COMPLAINED_OF = "email_message.complained_of"


_SENDING = frozenset({EmailStatus.SENDING})
_SENT = frozenset({EmailStatus.SENT})

email_lifecycle: Lifecycle[EmailStatus, None] = Lifecycle(
    name="email_message",
    states=EmailStatus,
    initial=EmailStatus.QUEUED,
    transitions=(
        Transition(
            EmailTransition.START,
            frozenset({EmailStatus.QUEUED}),
            EmailStatus.SENDING,
            audit_action=EmailStatusAction.STARTED,
            system=True,
        ),
        Transition(
            EmailTransition.ACCEPT, _SENDING, EmailStatus.SENT, audit_action=EmailStatusAction.ACCEPTED, system=True
        ),
        Transition(
            EmailTransition.FAIL, _SENDING, EmailStatus.FAILED, audit_action=EmailStatusAction.FAILED, system=True
        ),
        Transition(
            EmailTransition.RETRY, _SENDING, EmailStatus.QUEUED, audit_action=EmailStatusAction.REQUEUED, system=True
        ),
        Transition(
            EmailTransition.BOUNCE, _SENT, EmailStatus.BOUNCED, audit_action=EmailStatusAction.BOUNCED, system=True
        ),
        Transition(
            EmailTransition.COMPLAIN,
            _SENT,
            EmailStatus.COMPLAINED,
            audit_action=EmailStatusAction.COMPLAINED_OF,
            system=True,
        ),
    ),
    internal=frozenset(EmailTransition),
)
