"""Why a file was not delivered: the codes that are stored, and the exceptions that carry them."""

from __future__ import annotations

from enum import StrEnum

from app.core.outbound.failures import CallFailed, CallPostponed, CallRefused, CallUnanswered


class DeliveryFailure(StrEnum):
    """NOT_SEEN: the server took the file, and does not list it. A person must ask, since a second file might be billed
    twice."""

    UNAVAILABLE = "UNAVAILABLE"
    UNANSWERED = "UNANSWERED"
    INCOMPLETE = "INCOMPLETE"
    HOST_KEY = "HOST_KEY"
    LOGIN_MISSING = "LOGIN_MISSING"
    LOGIN_REFUSED = "LOGIN_REFUSED"
    DIRECTORY_REFUSED = "DIRECTORY_REFUSED"
    NAME_TAKEN = "NAME_TAKEN"
    NOT_SEEN = "NOT_SEEN"
    FILE_CHANGED = "FILE_CHANGED"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    LEASE_EXPIRED = "LEASE_EXPIRED"


class NotDelivered(CallFailed):
    """It holds only a code, because a server's words may quote a file's name or more."""

    code: DeliveryFailure

    def __init__(self, code: DeliveryFailure) -> None:
        super().__init__(code)


class DeliveryRefused(NotDelivered, CallRefused):
    """Trying again would change nothing."""


class DeliveryPostponed(NotDelivered, CallPostponed):
    """The file may be delivered later. Nothing has its name yet."""


class DeliveryUnanswered(NotDelivered, CallUnanswered):
    """The file may have been delivered already. The next attempt looks for it first."""
