"""Why a message was not sent, or did not arrive: the codes that are stored, and the exceptions that carry them."""

from __future__ import annotations

from enum import StrEnum


class FailureCode(StrEnum):
    """TRANSIENT_BOUNCE stays on a message that is `sent`; the provider goes on trying."""

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


class MailNotSent(Exception):
    """Says a code and nothing else: the provider's words may quote the recipient."""

    def __init__(self, code: FailureCode) -> None:
        super().__init__(code.value)
        self.code = code


class MailRefused(MailNotSent):
    """Trying again would change nothing."""


class MailPostponed(MailNotSent):
    """May succeed later. UNANSWERED: it may even have been accepted."""
