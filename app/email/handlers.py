"""Handlers that mail core's events. They read everything again and mail nothing that is out of date."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo

from app.core.account_tokens.public import AccountToken, AccountTokenPurpose, AccountTokenRepository, AccountTokenStatus
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.outbox.subscriptions import Event, Subscription
from app.core.tenants.public import Tenant, current_tenant
from app.core.users.public import PASSWORD_CHANGED as PASSWORD_CHANGED_TOPIC
from app.core.users.public import PASSWORD_RESET_REQUESTED, USER_INVITED, USER_LOCKED, User, UserRepository, UserStatus
from app.email.catalogue import (
    ACCOUNT_LOCKED,
    INVITATION,
    PASSWORD_CHANGED,
    PASSWORD_RESET,
    AccountContext,
    AccountLinkContext,
    EmailContext,
    Template,
)
from app.email.messages.service import enqueue


async def mail_invitation(uow: UnitOfWork, event: Event) -> None:
    """Mail a user who has not accepted the invitation yet."""
    await _mail_link(uow, event, INVITATION, AccountTokenPurpose.INVITATION, UserStatus.INVITED)


async def mail_password_reset(uow: UnitOfWork, event: Event) -> None:
    """Mail a user who may sign in."""
    await _mail_link(uow, event, PASSWORD_RESET, AccountTokenPurpose.PASSWORD_RESET, UserStatus.ACTIVE)


async def mail_password_changed(uow: UnitOfWork, event: Event) -> None:
    """Mail the owner of the password, in any state of the account: somebody else may have changed it."""
    user = await UserRepository(uow).find(uow.tenant_id, _entity_id(event))
    if user is not None:
        context = AccountContext(agency=_agency(await current_tenant(uow)), name=user.display_name)
        await enqueue(uow, PASSWORD_CHANGED, user.email, context, event.id)


async def mail_account_locked(uow: UnitOfWork, event: Event) -> None:
    """Mail the user, unless the account was unlocked in the meantime."""
    user = await UserRepository(uow).find(uow.tenant_id, _entity_id(event))
    if user is not None and user.status is UserStatus.LOCKED:
        context = EmailContext(agency=_agency(await current_tenant(uow)), name=user.display_name)
        await enqueue(uow, ACCOUNT_LOCKED, user.email, context, event.id)


async def _mail_link(
    uow: UnitOfWork,
    event: Event,
    template: Template[AccountLinkContext],
    purpose: AccountTokenPurpose,
    status: UserStatus,
) -> None:
    token = await AccountTokenRepository(uow).find(uow.tenant_id, _entity_id(event))
    if token is None or token.purpose is not purpose or not _opens(token):
        return
    user = await UserRepository(uow).find(uow.tenant_id, token.user_id)
    if user is None or user.status is not status:
        return
    await enqueue(uow, template, user.email, await _link_context(uow, token, user), event.id)


def _opens(token: AccountToken) -> bool:
    return token.status is AccountTokenStatus.ISSUED and token.expires_at > utcnow()


async def _link_context(uow: UnitOfWork, token: AccountToken, user: User) -> AccountLinkContext:
    tenant = await current_tenant(uow)
    return AccountLinkContext(
        agency=_agency(tenant),
        name=user.display_name,
        token_id=token.id,
        expires_at=_in_words(token.expires_at, tenant.time_zone),
    )


def _agency(tenant: Tenant) -> str:
    return tenant.trade_name or tenant.legal_name


def _in_words(moment: dt.datetime, time_zone: str) -> str:
    """A time in words, such as `Tuesday, March 3, 2026, 04:05 PM CST`."""
    local = moment.astimezone(zoneinfo.ZoneInfo(time_zone))
    return f"{local:%A, %B} {local.day}, {local.year}, {local:%I:%M %p %Z}"


def _entity_id(event: Event) -> uuid.UUID:
    return uuid.UUID(str(event.payload["entity_id"]))


SUBSCRIPTIONS = (
    Subscription("email.mail_invitation", (USER_INVITED,), mail_invitation),
    Subscription("email.mail_password_reset", (PASSWORD_RESET_REQUESTED,), mail_password_reset),
    Subscription("email.mail_password_changed", (PASSWORD_CHANGED_TOPIC,), mail_password_changed),
    Subscription("email.mail_account_locked", (USER_LOCKED,), mail_account_locked),
)
