"""Who may be given work on claims."""

from __future__ import annotations

import uuid

from app.billing.permissions import CLAIM_WRITE
from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.core.ids import UserId
from app.core.permissions import Principal
from app.core.users.public import UserRepository, UserStatus


async def require_biller(uow: UnitOfWork, user_id: uuid.UUID, field: str = "user_id") -> None:
    """Raises ValidationFailed, naming `field`, for anybody who does not work on claims of this agency."""
    user = await UserRepository(uow).find_for_share(uow.tenant_id, user_id)
    if user is not None and user.status is UserStatus.ACTIVE:
        principal = Principal(uow.tenant_id, user.role, UserId(user.id), user.is_reviewer)
        if CLAIM_WRITE.held_by(principal):
            return
    raise ValidationFailed.of(field, "unknown_biller", "Nobody of this id works on claims here.")
