"""The port for sending mail: SES v2 in production, .eml files in the data directory otherwise."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageDefect
from email.headerregistry import Address
from email.message import EmailMessage as MimeMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError

from app.core.clock import utcnow
from app.core.files import write_atomically
from app.core.gateways import Gateway
from app.core.logging import get_logger
from app.core.pools import OUTSIDE
from app.email.failures import FailureCode, MailPostponed, MailRefused
from app.email.settings import EmailSettings

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

    from app.core.runtime import Runtime

MESSAGE_TAG = "message_id"
"""The tag by which SES names our message in its notices."""

CONNECT_SECONDS = 3
READ_SECONDS = 15

_THROTTLED = frozenset(
    {"TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling", "RequestLimitExceeded"}
)
_REJECTED = frozenset({"MessageRejected", "BadRequestException"})
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. Its `repr` shows neither the recipient nor the texts."""

    message_id: uuid.UUID
    recipient: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class MailSender(Protocol):
    async def send(self, mail: Mail) -> str:
        """The provider's id of the accepted message. Raises MailRefused, MailPostponed."""


def to_mime(mail: Mail, sender: str) -> bytes:
    """The mail by RFC 5322, both texts as alternatives. Raises MailRefused(BAD_ADDRESS) for an invalid address."""
    try:
        recipient = Address(addr_spec=mail.recipient)
        mail.recipient.encode("ascii")
    except (ValueError, IndexError, HeaderParseError, MessageDefect):
        raise MailRefused(FailureCode.BAD_ADDRESS) from None  # the error quotes the address
    message = MimeMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(utcnow())
    message["Message-ID"] = f"<{mail.message_id}@fusionems>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation replies
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message.as_bytes()


class SesSender:
    """boto3 blocks, so every call runs in a thread. The SDK never repeats a call: one attempt is one call."""

    def __init__(self, client: SESV2Client, sender: str, configuration_set: str | None) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    async def send(self, mail: Mail) -> str:
        content = to_mime(mail, self._sender)
        return await OUTSIDE.run(self._send, mail, content)

    def _send(self, mail: Mail, content: bytes) -> str:
        configured = {} if self._configuration_set is None else {"ConfigurationSetName": self._configuration_set}
        try:
            answer = self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.recipient]},
                Content={"Raw": {"Data": content}},
                EmailTags=[{"Name": MESSAGE_TAG, "Value": str(mail.message_id)}],
                **configured,  # type: ignore[arg-type]  # the stubs know keywords one by one
            )
        except ClientError as error:
            raise _refusal(error) from None  # its text quotes the request
        except (ReadTimeoutError, ConnectionClosedError):
            raise MailPostponed(FailureCode.UNANSWERED) from None
        except BotoCoreError as error:
            _log.warning("mail provider not reached", exc_info=error)
            raise MailPostponed(FailureCode.UNAVAILABLE) from None
        return answer["MessageId"]


def _refusal(error: ClientError) -> MailRefused | MailPostponed:
    """The refusal. It is final only if it concerns this one message; problems of the account pass."""
    code = error.response["Error"].get("Code", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    _log.warning("mail provider refused", error_code=code, status=status)
    if code in _REJECTED:
        return MailRefused(FailureCode.REJECTED)
    throttled = code in _THROTTLED or status == 429
    return MailPostponed(FailureCode.THROTTLED if throttled else FailureCode.UNAVAILABLE)


class LocalSender:
    """Writes `<directory>/<message id>.eml`, readable only by the service's user. A file is whole or absent."""

    def __init__(self, directory: Path, sender: str) -> None:
        self._directory = directory
        self._sender = sender

    async def send(self, mail: Mail) -> str:
        content = to_mime(mail, self._sender)
        try:
            await OUTSIDE.run(self._write, self._directory / f"{mail.message_id}.eml", content)
        except OSError as error:
            _log.warning("mail not written", exc_info=error)
            raise MailPostponed(FailureCode.UNAVAILABLE) from None
        _log.info("mail written", entity_id=str(mail.message_id))
        return f"local-{mail.message_id}"

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, content)


def _open_sender(runtime: Runtime) -> MailSender:
    """SES where SES_REGION is set. Its client reads files when built, so `reach` opens it beside the event loop."""
    settings = runtime.settings.group(EmailSettings)
    if settings.ses_region is None:
        return LocalSender(runtime.settings.data_dir / "mail", settings.email_from)
    client = boto3.session.Session().client(
        "sesv2",
        region_name=settings.ses_region,
        endpoint_url=settings.ses_endpoint_url,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 1, "mode": "standard"},
        ),
    )
    return SesSender(client, settings.email_from, settings.ses_configuration_set)


MAIL: Gateway[MailSender] = Gateway("mail", _open_sender)
