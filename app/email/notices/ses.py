"""Reads an SES notice about one of our messages (SES Developer Guide, "Contents of event data").

The event's name is in `eventType` with event publishing, in `notificationType` with feedback of an identity.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from app.email.gateway import MESSAGE_TAG
from app.email.notices.sns import read_message


class NoticeKind(StrEnum):
    SENT = "sent"
    BOUNCED_FOR_GOOD = "bounced_for_good"
    BOUNCED_FOR_NOW = "bounced_for_now"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class Notice:
    """`message_id` is our tag; identities' feedback carries none."""

    kind: NoticeKind
    message_id: uuid.UUID | None
    provider_message_id: str | None


def notice_of(body: bytes) -> Notice | None:
    """The notice in a verified SNS notification, or None as `read_notice`."""
    return read_notice(read_message(body).signed["Message"])


def read_notice(text: str) -> Notice | None:
    """The notice. None for events that change nothing here, such as opens, clicks and delays."""
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(event, dict):
        return None
    kind = _kind(event)
    if kind is None:
        return None
    mail = _part(event, "mail")
    provider = mail.get("messageId")
    return Notice(kind, _tag(mail), provider if isinstance(provider, str) else None)


def _kind(event: dict[str, Any]) -> NoticeKind | None:
    match event.get("eventType", event.get("notificationType")):
        case "Send" | "Delivery":
            return NoticeKind.SENT
        case "Bounce":
            final = _part(event, "bounce").get("bounceType") == "Permanent"  # other types: Transient, Undetermined
            return NoticeKind.BOUNCED_FOR_GOOD if final else NoticeKind.BOUNCED_FOR_NOW
        case "Complaint":
            # "not-spam": the recipient moved it out of the junk folder.
            praised = _part(event, "complaint").get("complaintFeedbackType") == "not-spam"
            return None if praised else NoticeKind.COMPLAINED
    return None


def _tag(mail: dict[str, Any]) -> uuid.UUID | None:
    values = _part(mail, "tags").get(MESSAGE_TAG)
    try:
        return uuid.UUID(values[0]) if isinstance(values, list) and values else None
    except (ValueError, AttributeError, TypeError):
        return None


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}
