"""A notice is proven genuine, stored once, and takes effect once."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Depends

from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.dependencies import RuntimeDependency
from app.core.ids import TenantId
from app.core.inbox.models import Provider
from app.core.inbox.service import assign, process, receive
from app.core.logging import get_logger
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.email.errors import NoticeRefused
from app.email.messages.repository import get_cross_tenant_for_admin_only_by_notice
from app.email.messages.sending import Delivery
from app.email.notices.gateway import SNS, SnsGateway
from app.email.notices.ses import Notice, NoticeKind, read_notice
from app.email.notices.sns import (
    NotGenuine,
    SnsKind,
    SnsMessage,
    read_message,
    require_ours,
    require_signature,
    require_sns_address,
)
from app.email.settings import EmailSettings

_log = get_logger(__name__)


class NoticeService:
    def __init__(self, runtime: Runtime, sns: SnsGateway) -> None:
        self._runtime = runtime
        self._sns = sns

    async def take(self, raw: bytes) -> None:
        """The notice takes effect.

        Raises NoticeRefused, and ServiceUnavailable while SNS's certificate cannot be had.
        """
        topic_arn = self._runtime.settings.group(EmailSettings).sns_topic_arn
        if topic_arn is None:
            raise NoticeRefused
        try:
            message = read_message(raw)
            require_ours(message, topic_arn, utcnow())
            require_signature(message, await self._sns.signing_key(message.certificate_url))
            if message.kind is SnsKind.SUBSCRIPTION:
                require_sns_address(message.signed["SubscribeURL"], topic_arn)
        except NotGenuine as error:
            _log.warning("notice refused", exc_info=error)
            raise NoticeRefused from None
        await self._act(message, raw)

    async def _act(self, message: SnsMessage, raw: bytes) -> None:
        if message.kind is SnsKind.SUBSCRIPTION:
            await self._sns.confirm(message.signed["SubscribeURL"])
        elif message.kind is SnsKind.UNSUBSCRIPTION:
            _log.warning("subscription ended")
        else:
            notice = read_notice(message.signed["Message"])
            if notice is not None:
                await self._record(notice, message.signed["MessageId"], raw)

    async def _record(self, notice: Notice, event_id: str, raw: bytes) -> None:
        """Nothing is stored of a notice about mail that is not ours: others may share the topic."""
        async with self._runtime.system_unit_of_work() as system:
            found = await get_cross_tenant_for_admin_only_by_notice(
                system, notice.message_id, notice.provider_message_id
            )
            if found is None:
                return
            tenant_id = TenantId(found["tenant_id"])
            receipt_id = await receive(system, Provider.SES, event_id, raw)
            await assign(system, receipt_id, tenant_id)
        async with self._runtime.unit_of_work(Principal.system(tenant_id)) as uow:
            await process(uow, receipt_id, lambda: _take_effect(uow, found["id"], notice))


async def _take_effect(uow: UnitOfWork, message_id: uuid.UUID, notice: Notice) -> None:
    delivery, provider_message_id = Delivery(uow), notice.provider_message_id
    match notice.kind:
        case NoticeKind.SENT:
            await delivery.accepted(message_id, provider_message_id)
        case NoticeKind.BOUNCED_FOR_GOOD:
            await delivery.bounced(message_id, provider_message_id, for_good=True)
        case NoticeKind.BOUNCED_FOR_NOW:
            await delivery.bounced(message_id, provider_message_id, for_good=False)
        case NoticeKind.COMPLAINED:
            await delivery.complained(message_id, provider_message_id)


async def notice_service(runtime: RuntimeDependency) -> NoticeService:
    return NoticeService(runtime, runtime.gateways.get(SNS))


Notices = Annotated[NoticeService, Depends(notice_service)]
