"""An SNS topic of our own: signs as SNS does, with a certificate that it hands out where SNS would."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from typing import Any

import httpx
import orjson
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

ARN = "arn:aws:sns:us-east-1:123456789012:ses-notices"
HOST = "https://sns.us-east-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
EXPIRED_CERTIFICATE = f"{HOST}/SimpleNotificationService-expired.pem"
NO_CERTIFICATE = f"{HOST}/SimpleNotificationService-nothing.pem"
SUBSCRIBE = f"{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=t0ken"
_HASHES: dict[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}  # noqa: S303


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Topic:
    """`visited` are the addresses that were fetched; `away` makes SNS answer 503."""

    def __init__(self) -> None:
        self.key = generate_private_key(65537, 2048)
        self.visited: list[str] = []
        self.away = False
        self._pages = {
            CERTIFICATE: self._certificate(now() + dt.timedelta(days=30)),
            EXPIRED_CERTIFICATE: self._certificate(now() - dt.timedelta(days=1)),
            NO_CERTIFICATE: b"<html>not found</html>",
        }
        self.transport = httpx.MockTransport(self._serve)

    def notification(self, message: dict[str, Any] | str, **changed: Any) -> bytes:
        """`changed` fields are set before it is signed; None leaves a field out."""
        text = message if isinstance(message, str) else orjson.dumps(message).decode()
        fields = {"Type": "Notification", "Message": text, **changed}
        return self._sealed(fields)

    def subscription(self, **changed: Any) -> bytes:
        text = "You have chosen to subscribe to the topic."
        fields = {"Type": "SubscriptionConfirmation", "Token": "t0ken", "SubscribeURL": SUBSCRIBE, "Message": text}
        return self._sealed({**fields, **changed})

    def _sealed(self, fields: dict[str, Any], key: RSAPrivateKey | None = None) -> bytes:
        whole = {
            "MessageId": str(uuid.uuid4()),
            "TopicArn": ARN,
            "Timestamp": now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe",
            **fields,
        }
        whole = {name: value for name, value in whole.items() if value is not None}
        if "Signature" not in whole:
            whole["Signature"] = self.sign(whole, key)
        return orjson.dumps(whole)

    def sign(self, fields: dict[str, Any], key: RSAPrivateKey | None = None) -> str:
        """As the SNS Developer Guide says, written down a second time."""
        if fields["Type"] == "Notification":
            names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        else:
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)
        algorithm = _HASHES.get(str(fields.get("SignatureVersion")), SHA256())
        return base64.b64encode((key or self.key).sign(text.encode(), PKCS1v15(), algorithm)).decode()

    def _serve(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.visited.append(url)
        if self.away:
            return httpx.Response(503)
        if url == SUBSCRIBE:
            return httpx.Response(200, text="<ConfirmSubscriptionResponse/>")
        page = self._pages.get(url)
        return httpx.Response(404) if page is None else httpx.Response(200, content=page)

    def _certificate(self, until: dt.datetime) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - dt.timedelta(days=30))
            .not_valid_after(until)
        )
        return built.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


def ses_event(
    kind: str, message_id: object | None, provider_id: str | None = "ses-1", **details: Any
) -> dict[str, Any]:
    """An event of SES's event publishing, as far as we read it, with the addresses that we do not."""
    mail: dict[str, Any] = {"timestamp": "2026-11-24T09:00:00Z", "destination": ["CANARY@elsewhere.example"]}
    if provider_id is not None:
        mail["messageId"] = provider_id
    if message_id is not None:
        mail["tags"] = {"message_id": [str(message_id)], "ses:configuration-set": ["fusionems"]}
    return {"eventType": kind, "mail": mail, kind.lower(): details}


def bounce(message_id: object | None, kind: str = "Permanent", provider_id: str | None = "ses-1") -> dict[str, Any]:
    recipients = [{"emailAddress": "CANARY@elsewhere.example", "diagnosticCode": "smtp; 550 user unknown"}]
    return ses_event("Bounce", message_id, provider_id, bounceType=kind, bouncedRecipients=recipients)
