"""SES, through SNS, is a provider of the inbox. This module reads its notices and applies them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.dependencies import RuntimeDependency
from app.core.inbox.providers import Delivery, WebhookProvider
from app.core.inbox.taking import take
from app.core.logging import get_logger
from app.core.runtime import Runtime
from app.email.errors import NoticeRefused
from app.email.messages.sending import Delivery as MessageDelivery
from app.email.notices.gateway import SNS, SnsGateway
from app.email.notices.repository import NoticedRepository, get_cross_tenant_for_admin_only_agency
from app.email.notices.ses import NoticeKind, notice_of
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

    async def take(self, delivery: Delivery) -> None:
        """Raises NoticeRefused. Raises ServiceUnavailable while the certificate is missing or the effect must wait."""
        await take(self._runtime, SES, self, delivery)

    async def verify(self, delivery: Delivery) -> str | None:
        """The SNS message's id. None for messages about the subscription, which are handled here. Raises as `take`."""
        message = await self._genuine(delivery.body)
        match message.kind:
            case SnsKind.NOTIFICATION:
                return message.signed["MessageId"]
            case SnsKind.SUBSCRIPTION:
                await self._sns.confirm(message.signed["SubscribeURL"])
            case SnsKind.UNSUBSCRIPTION:
                _log.warning("subscription ended")
        return None

    async def _genuine(self, raw: bytes) -> SnsMessage:
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
        return message


async def take_effect(uow: UnitOfWork, body: bytes) -> None:
    """Change the message's status as the notice says. Raises NotFound if the message is gone."""
    notice = notice_of(body)
    if notice is None:
        return
    delivery, provider_message_id = MessageDelivery(uow), notice.provider_message_id
    message_id = await NoticedRepository(uow).get_noticed(uow.tenant_id, notice)
    match notice.kind:
        case NoticeKind.SENT:
            await delivery.accepted(message_id, provider_message_id)
        case NoticeKind.BOUNCED_FOR_GOOD:
            await delivery.bounced(message_id, provider_message_id, for_good=True)
        case NoticeKind.BOUNCED_FOR_NOW:
            await delivery.bounced(message_id, provider_message_id, for_good=False)
        case NoticeKind.COMPLAINED:
            await delivery.complained(message_id, provider_message_id)


SES: WebhookProvider[NoticeService] = WebhookProvider(
    name="ses",
    verify=NoticeService.verify,
    find_tenant=get_cross_tenant_for_admin_only_agency,
    effect=take_effect,
    keeps_unclaimed=False,  # others may share the topic
)


async def notice_service(runtime: RuntimeDependency) -> NoticeService:
    return NoticeService(runtime, runtime.gateways.get(SNS))


Notices = Annotated[NoticeService, Depends(notice_service)]
