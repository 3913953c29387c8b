"""Why a message was not sent, or did not arrive: the codes that are stored, and the exceptions that carry them."""

from __future__ import annotations

from enum import StrEnum

from app.core.outbound.failures import CallFailed, CallPostponed, CallRefused


class FailureCode(StrEnum):
    """TRANSIENT_BOUNCE stays on a message that is `sent`, because the provider goes on trying."""

    SUPPRESSED = "SUPPRESSED"
    BAD_ADDRESS = "BAD_ADDRESS"
    NOT_RENDERED = "NOT_RENDERED"
    REJECTED = "REJECTED"
    THROTTLED = "THROTTLED"
    UNAVAILABLE = "UNAVAILABLE"
    UNANSWERED = "UNANSWERED"
    LEASE_EXPIRED = "LEASE_EXPIRED"
    TRANSIENT_BOUNCE = "TRANSIENT_BOUNCE"
    PERMANENT_BOUNCE = "PERMANENT_BOUNCE"
    COMPLAINT = "COMPLAINT"


class MailNotSent(CallFailed):
    """It holds only a code, because the provider's words may quote the recipient."""

    code: FailureCode

    def __init__(self, code: FailureCode) -> None:
        super().__init__(code)


class MailRefused(MailNotSent, CallRefused):
    """Trying again would change nothing."""


class MailPostponed(MailNotSent, CallPostponed):
    """The message may be sent later. UNANSWERED: the provider may have accepted it already."""

    @property
    def unanswered(self) -> bool:
        return self.code is FailureCode.UNANSWERED
