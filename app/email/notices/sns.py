"""SNS messages: reads them, and proves that SNS wrote them for our topic.

Source: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS messages".
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

MAX_AGE = dt.timedelta(hours=1)
"""SNS stops the delivery over HTTPS after an hour, so an older message is a replay."""

_ADDRESS = re.compile(r"[!-~]+")
"""Visible ASCII. `urlsplit` silently drops line breaks and tabs, but the HTTP client refuses them."""
_CERTIFICATE_PATH = re.compile(r"/[A-Za-z0-9_-]+\.pem")
_HASHES: dict[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}  # noqa: S303  # version 1 is SNS's default


class NotGenuine(Exception):
    """It says which check failed and quotes nothing."""


class SnsKind(StrEnum):
    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    UNSUBSCRIPTION = "UnsubscribeConfirmation"


_CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    SnsKind.NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SnsKind.SUBSCRIPTION: _CONFIRMED,
    SnsKind.UNSUBSCRIPTION: _CONFIRMED,
}
_OPTIONAL = frozenset({"Subject"})


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """`signed` are the fields that the signature covers, in its order; an absent optional one is left out."""

    kind: SnsKind
    signed: Mapping[str, str]
    sent_at: dt.datetime
    version: str
    signature: bytes
    certificate_url: str

    def canonical(self) -> bytes:
        """The signed text: each name and each value on its own line."""
        return "".join(f"{name}\n{value}\n" for name, value in self.signed.items()).encode()


def read_message(raw: bytes) -> SnsMessage:
    """Raises NotGenuine for a body that SNS would not send."""
    try:
        given = orjson.loads(raw)
        kind = SnsKind(given["Type"])
        names = [name for name in _SIGNED[kind] if name not in _OPTIONAL or given.get(name) is not None]
        signed = {name: given[name] for name in names}
        texts = (*signed.values(), given["SignatureVersion"], given["Signature"], given["SigningCertURL"])
        if not all(isinstance(text, str) for text in texts):
            raise NotGenuine("a field is no text")
        sent_at = dt.datetime.fromisoformat(given["Timestamp"])
        signature = base64.b64decode(given["Signature"], validate=True)
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        raise NotGenuine("not an SNS message") from None
    if sent_at.tzinfo is None:
        raise NotGenuine("a time without offset")
    return SnsMessage(kind, signed, sent_at, given["SignatureVersion"], signature, given["SigningCertURL"])


def require_ours(message: SnsMessage, topic_arn: str, now: dt.datetime) -> None:
    """Check the topic, the age and the certificate's address before anything is fetched. Raises NotGenuine."""
    if message.signed["TopicArn"] != topic_arn:
        raise NotGenuine("another topic")
    if abs(now - message.sent_at) > MAX_AGE:
        raise NotGenuine("too old, or from the future")
    if message.version not in _HASHES:
        raise NotGenuine("an unknown signature version")
    _require_certificate_address(message.certificate_url, topic_arn)


def _require_certificate_address(url: str, topic_arn: str) -> None:
    """Require a file at the root of the SNS host, in its only valid spelling. Raises NotGenuine.

    So each certificate is cached under one address, and no other spelling causes a second fetch.
    """
    require_sns_address(url, topic_arn)
    path = urlsplit(url).path
    if _CERTIFICATE_PATH.fullmatch(path) is None or url != f"https://{sns_host(topic_arn)}{path}":
        raise NotGenuine("no certificate's address")


def require_sns_address(url: str, topic_arn: str) -> None:
    """Require https on the SNS host of the topic's own region, and no other port. Raises NotGenuine."""
    if _ADDRESS.fullmatch(url) is None:
        raise NotGenuine("no address")
    try:
        parts = urlsplit(url)
        place = (parts.scheme, parts.netloc)
    except ValueError:
        raise NotGenuine("no address") from None
    if place != ("https", sns_host(topic_arn)):
        raise NotGenuine("an address that is not SNS's")


def sns_host(topic_arn: str) -> str:
    """The host of the topic arn:<partition>:sns:<region>:<account>:<topic>."""
    _, partition, _, region, *_ = topic_arn.split(":")
    return f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")


def require_signature(message: SnsMessage, key: RSAPublicKey) -> None:
    """Raises NotGenuine."""
    try:
        key.verify(message.signature, message.canonical(), PKCS1v15(), _HASHES[message.version])
    except InvalidSignature:
        raise NotGenuine("the signature is not SNS's") from None
