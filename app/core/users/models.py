"""The user entity (directive 3, 4.2)."""

from __future__ import annotations

from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, secret
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live
from app.core.permissions import USER_ROLES, Role
from app.core.users.lifecycle import UserStatus, user_lifecycle


class User(TenantEntity):
    """A user without `password_hash` was invited and has set no password yet. This user cannot sign in.

    `email` is in lower case. PostgreSQL checks this and compares the text as it is.
    """

    __tablename__ = "users"
    entity_type: ClassVar[str] = "user"

    email: Mapped[str] = plain()
    display_name: Mapped[str] = plain()
    role: Mapped[Role] = plain(EnumText(Role))
    is_reviewer: Mapped[bool] = plain(default=False, server_default=sa.false())
    status: Mapped[UserStatus] = plain(EnumText(UserStatus), default=UserStatus.ACTIVE)
    password_hash: Mapped[str | None] = secret(default=None)

    __table_args__ = (
        *standard_constraints("users", "status"),
        unique_among_live("uq_users_email", "email"),
        sa.CheckConstraint("role IN ({})".format(", ".join(f"'{role}'" for role in USER_ROLES)), name="role"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
        user_lifecycle.check(),
    )
