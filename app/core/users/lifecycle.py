"""The user's state machine: invited → active ↔ locked → disabled. Failed sign-ins cause waits, never a lock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Guard, Lifecycle, Transition
from app.core.users.errors import LAST_ADMIN
from app.core.users.events import USER_LOCKED
from app.core.users.permissions import USER_WRITE


class UserStatus(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    LOCKED = "locked"
    DISABLED = "disabled"


class UserTransition(StrEnum):
    INVITE = "invite"
    ACTIVATE = "activate"
    LOCK = "lock"
    UNLOCK = "unlock"
    DISABLE = "disable"


class UserAction(AuditAction):
    """The audit log's names of the acts on a user."""

    PROVISIONED = "user.provisioned"
    INVITED = "user.invited"
    INVITED_AGAIN = "user.invited_again"
    ACTIVATED = "user.activated"
    REVISED = "user.revised"
    PASSWORD_CHANGED = "user.password_changed"
    PASSWORD_RESET = "user.password_reset"
    LOCKED = "user.locked"
    UNLOCKED = "user.unlocked"
    DISABLED = "user.disabled"
    DELETED = "user.deleted"
    RESTORED = "user.restored"


@dataclass(frozen=True, slots=True)
class UserFacts:
    """`is_last_admin` means that no other active administrator remains. It is loaded under a lock of all of them."""

    is_last_admin: bool = False


_not_the_last_admin: Guard[UserFacts] = Guard("last_admin", LAST_ADMIN, lambda facts: not facts.is_last_admin)


def _from(*states: UserStatus) -> frozenset[UserStatus]:
    return frozenset(states)


user_lifecycle: Lifecycle[UserStatus, UserFacts] = Lifecycle(
    name="user",
    states=UserStatus,
    initial=UserStatus.INVITED,
    transitions=(
        Transition(
            UserTransition.INVITE,
            _from(UserStatus.INVITED),
            UserStatus.INVITED,
            permission=USER_WRITE,
            audit_action=UserAction.INVITED_AGAIN,
        ),
        Transition(
            UserTransition.ACTIVATE,
            _from(UserStatus.INVITED),
            UserStatus.ACTIVE,
            audit_action=UserAction.ACTIVATED,
            system=True,
        ),
        Transition(
            UserTransition.LOCK,
            _from(UserStatus.ACTIVE),
            UserStatus.LOCKED,
            permission=USER_WRITE,
            guards=(_not_the_last_admin,),
            event=USER_LOCKED,
            audit_action=UserAction.LOCKED,
        ),
        Transition(
            UserTransition.UNLOCK,
            _from(UserStatus.LOCKED),
            UserStatus.ACTIVE,
            permission=USER_WRITE,
            audit_action=UserAction.UNLOCKED,
        ),
        Transition(
            UserTransition.DISABLE,
            _from(UserStatus.INVITED, UserStatus.ACTIVE, UserStatus.LOCKED),
            UserStatus.DISABLED,
            permission=USER_WRITE,
            guards=(_not_the_last_admin,),
            audit_action=UserAction.DISABLED,
        ),
    ),
    internal=frozenset({UserTransition.ACTIVATE}),
)
