"""Handlers that mail core's events. They read everything again and mail nothing that is out of date."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from dataclasses import dataclass
from typing import Any

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
    InvitationContext,
)
from app.email.messages.service import enqueue


async def mail_invitation(uow: UnitOfWork, event: Event) -> None:
    """Mail a user who has not accepted the invitation yet."""
    link = await _find_link(uow, event, AccountTokenPurpose.INVITATION, UserStatus.INVITED)
    if link is not None:
        context = InvitationContext(**link.context, slug=link.tenant.slug)
        await enqueue(uow, INVITATION, link.user.email, context, event.id)


async def mail_password_reset(uow: UnitOfWork, event: Event) -> None:
    """Mail a user who may sign in."""
    link = await _find_link(uow, event, AccountTokenPurpose.PASSWORD_RESET, UserStatus.ACTIVE)
    if link is not None:
        await enqueue(uow, PASSWORD_RESET, link.user.email, AccountLinkContext(**link.context), event.id)


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


@dataclass(frozen=True, slots=True)
class _Link:
    """A link that is to be mailed. `context` is what every message with a link says."""

    tenant: Tenant
    user: User
    context: dict[str, Any]


async def _find_link(uow: UnitOfWork, event: Event, purpose: AccountTokenPurpose, status: UserStatus) -> _Link | None:
    """The link of the event's token; None if it opens nothing any more."""
    token = await AccountTokenRepository(uow).find(uow.tenant_id, _entity_id(event))
    if token is None or token.purpose is not purpose or not _opens(token):
        return None
    user = await UserRepository(uow).find(uow.tenant_id, token.user_id)
    if user is None or user.status is not status:
        return None
    tenant = await current_tenant(uow)
    context = {
        "agency": _agency(tenant),
        "name": user.display_name,
        "token_id": token.id,
        "expires_at": _in_words(token.expires_at, tenant.time_zone),
    }
    return _Link(tenant, user, context)


def _opens(token: AccountToken) -> bool:
    return token.status is AccountTokenStatus.ISSUED and token.expires_at > utcnow()


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
