"""An account token is used once, or withdrawn by whatever makes it pointless; its expiry is a time, not a state."""

from __future__ import annotations

from enum import StrEnum

from app.core.lifecycle import Lifecycle, Transition


class AccountTokenStatus(StrEnum):
    ISSUED = "issued"
    USED = "used"
    WITHDRAWN = "withdrawn"


class AccountTokenTransition(StrEnum):
    USE = "use"
    WITHDRAW = "withdraw"


_ISSUED = frozenset({AccountTokenStatus.ISSUED})

account_token_lifecycle: Lifecycle[AccountTokenStatus, None] = Lifecycle(
    name="account_token",
    states=AccountTokenStatus,
    initial=AccountTokenStatus.ISSUED,
    transitions=(
        Transition(AccountTokenTransition.USE, _ISSUED, AccountTokenStatus.USED, system=True),
        Transition(AccountTokenTransition.WITHDRAW, _ISSUED, AccountTokenStatus.WITHDRAWN, system=True),
    ),
    internal=frozenset(AccountTokenTransition),
)
