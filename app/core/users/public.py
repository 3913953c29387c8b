"""The parts of users that other domains may use."""

from __future__ import annotations

from app.core.users.events import PASSWORD_CHANGED, PASSWORD_RESET_REQUESTED, USER_INVITED, USER_LOCKED
from app.core.users.lifecycle import UserStatus
from app.core.users.models import User
from app.core.users.repository import UserRepository

__all__ = [
    "PASSWORD_CHANGED",
    "PASSWORD_RESET_REQUESTED",
    "USER_INVITED",
    "USER_LOCKED",
    "User",
    "UserRepository",
    "UserStatus",
]
