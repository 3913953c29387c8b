"""Issuing, using and withdrawing the single-use links of invitations and password resets."""

from __future__ import annotations

import datetime as dt
import hmac
import uuid

from app.core.account_tokens.lifecycle import (
    AccountTokenAction,
    AccountTokenStatus,
    AccountTokenTransition,
    account_token_lifecycle,
)
from app.core.account_tokens.models import AccountToken, AccountTokenPurpose
from app.core.account_tokens.repository import AccountTokenRepository
from app.core.account_tokens.sealing import token_hash, token_text
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.ids import new_id
from app.core.runtime import Runtime
from app.core.users.events import PASSWORD_RESET_REQUESTED, USER_INVITED

_EVENTS = {
    AccountTokenPurpose.INVITATION: USER_INVITED,
    AccountTokenPurpose.PASSWORD_RESET: PASSWORD_RESET_REQUESTED,
}
RESETS_PER_HOUR = 3


class AccountTokenService:
    """The caller of every verb has locked the user's row, so simultaneous calls run one after the other."""

    def __init__(self, uow: UnitOfWork, runtime: Runtime) -> None:
        self._uow = uow
        self._tokens = AccountTokenRepository(uow)
        self._keys = runtime.keys
        settings = runtime.settings
        self._lives = {
            AccountTokenPurpose.INVITATION: dt.timedelta(hours=settings.invitation_hours),
            AccountTokenPurpose.PASSWORD_RESET: dt.timedelta(minutes=settings.password_reset_minutes),
        }

    async def issue(self, user_id: uuid.UUID, purpose: AccountTokenPurpose) -> AccountToken:
        """A new token. The user's older ones are withdrawn. The event of the new token causes the e-mail."""
        await self.withdraw_all(user_id)
        token_id = new_id()
        token = AccountToken(
            id=token_id,
            tenant_id=self._uow.tenant_id,
            user_id=user_id,
            purpose=purpose,
            token_hash=token_hash(token_text(self._keys, self._uow.tenant_id, token_id)),
            expires_at=utcnow() + self._lives[purpose],
        )
        return await self._uow.create(token, AccountTokenAction.ISSUED, event=_EVENTS[purpose])

    async def withdraw_all(self, user_id: uuid.UUID) -> None:
        for token in await self._tokens.lock_issued_of_user(self._uow.tenant_id, user_id):
            await account_token_lifecycle.fire(self._uow, token, AccountTokenTransition.WITHDRAW, None)

    async def use(self, token_id: uuid.UUID, text: str) -> AccountToken | None:
        """The token, used up in this unit of work; None if it is no longer good."""
        token = await self._tokens.find_for_update(self._uow.tenant_id, token_id)
        if token is None or not is_good(token, text):
            return None
        await account_token_lifecycle.fire(self._uow, token, AccountTokenTransition.USE, None)
        return token

    async def may_ask_for_reset(self, user_id: uuid.UUID) -> bool:
        """True if fewer than RESETS_PER_HOUR links were sent. The limit protects the user's mailbox from a flood."""
        since = utcnow() - dt.timedelta(hours=1)
        purpose = AccountTokenPurpose.PASSWORD_RESET
        return await self._tokens.count_since(self._uow.tenant_id, user_id, purpose, since) < RESETS_PER_HOUR


def is_good(token: AccountToken, text: str) -> bool:
    return (
        token.status is AccountTokenStatus.ISSUED
        and token.expires_at > utcnow()
        and hmac.compare_digest(token.token_hash, token_hash(text))
    )


async def find_good(uow: ReadUnitOfWork, token_id: uuid.UUID, text: str) -> AccountToken | None:
    """The token if it is good now. This check saves hashing a password in vain; `AccountTokenService.use` decides."""
    token = await AccountTokenRepository(uow).find(uow.tenant_id, token_id)
    return token if token is not None and is_good(token, text) else None
