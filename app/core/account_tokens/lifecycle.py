"""An account token is used once, or withdrawn when it is no longer needed. Its expiry is a time, not a state."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.auth.permissions import SELF_WRITE
from app.core.lifecycle import Lifecycle, Transition


class AccountTokenStatus(StrEnum):
    ISSUED = "issued"
    USED = "used"
    WITHDRAWN = "withdrawn"


class AccountTokenTransition(StrEnum):
    USE = "use"
    WITHDRAW = "withdraw"


class AccountTokenAction(AuditAction):
    ISSUED = "account_token.issued"
    USED = "account_token.used"
    WITHDRAWN = "account_token.withdrawn"


_ISSUED = frozenset({AccountTokenStatus.ISSUED})

account_token_lifecycle: Lifecycle[AccountTokenStatus, None] = Lifecycle(
    name="account_token",
    states=AccountTokenStatus,
    initial=AccountTokenStatus.ISSUED,
    transitions=(
        Transition(
            AccountTokenTransition.USE,
            _ISSUED,
            AccountTokenStatus.USED,
            audit_action=AccountTokenAction.USED,
            system=True,
        ),
        Transition(
            AccountTokenTransition.WITHDRAW,
            _ISSUED,
            AccountTokenStatus.WITHDRAWN,
            permission=SELF_WRITE,
            audit_action=AccountTokenAction.WITHDRAWN,
            system=True,
        ),
    ),
    internal=frozenset(AccountTokenTransition),
)
