"""The lifecycle of a message (ADR 0009): queued, sending, then sent or failed; one that was sent may bounce."""

from __future__ import annotations

from enum import StrEnum

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


_SENDING = frozenset({EmailStatus.SENDING})
_SENT = frozenset({EmailStatus.SENT})

email_lifecycle: Lifecycle[EmailStatus, None] = Lifecycle(
    name="email_message",
    states=EmailStatus,
    initial=EmailStatus.QUEUED,
    transitions=(
        Transition(EmailTransition.START, frozenset({EmailStatus.QUEUED}), EmailStatus.SENDING, system=True),
        Transition(EmailTransition.ACCEPT, _SENDING, EmailStatus.SENT, system=True),
        Transition(EmailTransition.FAIL, _SENDING, EmailStatus.FAILED, system=True),
        Transition(EmailTransition.RETRY, _SENDING, EmailStatus.QUEUED, system=True),
        Transition(EmailTransition.BOUNCE, _SENT, EmailStatus.BOUNCED, system=True),
        Transition(EmailTransition.COMPLAIN, _SENT, EmailStatus.COMPLAINED, system=True),
    ),
    internal=frozenset(EmailTransition),
)
