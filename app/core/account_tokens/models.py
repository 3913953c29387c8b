"""account_tokens: the rows behind invitation links and password reset links."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.account_tokens.lifecycle import AccountTokenStatus, account_token_lifecycle
from app.core.db.columns import EnumText, internal, plain, secret, values_check
from app.core.db.entity import TenantEntity, standard_constraints


class AccountTokenPurpose(StrEnum):
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"


class AccountToken(TenantEntity):
    """The token's text is not stored. `sealing.token_text` derives it from `id` when the e-mail is written."""

    __tablename__ = "account_tokens"
    entity_type: ClassVar[str] = "account_token"
    aggregate: ClassVar[str] = "user_id"
    references: ClassVar[tuple[str, ...]] = ("user_id",)

    user_id: Mapped[uuid.UUID] = internal()
    purpose: Mapped[AccountTokenPurpose] = plain(EnumText(AccountTokenPurpose))
    status: Mapped[AccountTokenStatus] = plain(EnumText(AccountTokenStatus), default=AccountTokenStatus.ISSUED)
    token_hash: Mapped[str] = secret()
    expires_at: Mapped[dt.datetime] = plain()

    __table_args__ = (
        *standard_constraints("account_tokens", "status"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="fk_account_tokens_user_id"
        ),
        sa.Index("ix_account_tokens_tenant_user_id", "tenant_id", "user_id", "status"),
        values_check("purpose", AccountTokenPurpose),
        account_token_lifecycle.check(),
    )
