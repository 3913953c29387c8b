"""Why a call did not succeed. The exceptions carry a code and no text, because a provider's words may quote PHI."""

from __future__ import annotations

from enum import StrEnum


class CallFailed(Exception):
    """`code` is stored with the entity. Raise one of the subclasses."""

    def __init__(self, code: StrEnum) -> None:
        super().__init__(code.value)
        self.code = code


class CallRefused(CallFailed):
    """Trying again would change nothing. The entity fails at once."""


class CallPostponed(CallFailed):
    """The call may succeed later. `unanswered`: it may have succeeded already, but no answer came."""

    @property
    def unanswered(self) -> bool:
        return False


class CallUnanswered(CallPostponed):
    """No answer came. The next attempt waits as long as a lease, so that a notice can tell the outcome first."""

    @property
    def unanswered(self) -> bool:
        return True
