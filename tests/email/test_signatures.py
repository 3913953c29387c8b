"""Whoever posts to webhooks/ses without SNS's signature for our topic gets 403, and nothing happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.core.ids import TenantId
from app.core.runtime import Runtime
from app.email.notices.gateway import SnsGateway
from app.email.notices.sns import NotGenuine, require_sns_address, sns_host
from tests.core.evidence import checksum
from tests.email.support.people import queue, run_jobs, stored
from tests.email.support.topic import (
    ARN,
    CERTIFICATE,
    EXPIRED_CERTIFICATE,
    HOST,
    NO_CERTIFICATE,
    SUBSCRIBE,
    Topic,
    bounce,
    now,
)
from tests.support.actors import Actor

TEXT = {"content-type": "text/plain; charset=UTF-8"}
OTHER_KEY = generate_private_key(65537, 2048)
Forge = Callable[[Topic, dict[str, Any]], bytes]


def at(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def signed(**changed: Any) -> Forge:
    """A notice that is wrong in itself, and rightly signed."""
    return lambda topic, event: topic.notification(event, **changed)


def altered(**changed: Any) -> Forge:
    """A genuine notice, changed after it was signed; None leaves a field out."""

    def forge(topic: Topic, event: dict[str, Any]) -> bytes:
        whole = {**orjson.loads(topic.notification(event)), **changed}
        return orjson.dumps({name: value for name, value in whole.items() if value is not None})

    return forge


def resigned(topic: Topic, event: dict[str, Any]) -> bytes:
    whole = orjson.loads(topic.notification(event))
    return orjson.dumps({**whole, "Signature": topic.sign(whole, OTHER_KEY)})


def downgraded(topic: Topic, event: dict[str, Any]) -> bytes:
    """Signed as version 2, said to be version 1."""
    return orjson.dumps({**orjson.loads(topic.notification(event)), "SignatureVersion": "1"})


def retyped(topic: Topic, event: dict[str, Any]) -> bytes:
    """A notice that calls itself a subscription, so that an address would be fetched."""
    whole = orjson.loads(topic.notification(event))
    return orjson.dumps({**whole, "Type": "SubscriptionConfirmation", "SubscribeURL": SUBSCRIBE, "Token": "t"})


HOUR = dt.timedelta(hours=1)
ATTACKS: dict[str, Forge] = {
    "another topic": signed(TopicArn=ARN + "2"),
    "no topic": altered(TopicArn=None),
    "sent before": signed(Timestamp=at(now() - HOUR - dt.timedelta(minutes=1))),
    "from the future": signed(Timestamp=at(now() + HOUR + dt.timedelta(days=1))),
    "time without offset": signed(Timestamp="2026-11-24T09:00:00.000"),
    "no time": signed(Timestamp="yesterday"),
    "certificate over http": signed(SigningCertURL=CERTIFICATE.replace("https", "http")),
    "certificate elsewhere": signed(SigningCertURL="https://evil.example/SimpleNotificationService-0.pem"),
    "certificate of another region": signed(SigningCertURL=CERTIFICATE.replace("us-east-1", "eu-west-1")),
    "certificate below a suffix": signed(SigningCertURL="https://sns.us-east-1.amazonaws.com.evil.example/x.pem"),
    "certificate behind userinfo": signed(SigningCertURL="https://sns.us-east-1.amazonaws.com@evil.example/x.pem"),
    "certificate on a port": signed(SigningCertURL="https://sns.us-east-1.amazonaws.com:8443/x.pem"),
    "certificate in a bucket": signed(SigningCertURL="https://bucket.s3.us-east-1.amazonaws.com/x.pem"),
    "certificate with a backslash": signed(SigningCertURL="https://evil.example\\@sns.us-east-1.amazonaws.com/x.pem"),
    **{
        f"certificate spelled otherwise: {spelling!r}": signed(SigningCertURL=spelling)
        for spelling in (
            CERTIFICATE.replace("Simple", "Sim\nple"),
            CERTIFICATE.replace("Simple", "Sim\r\nple"),
            CERTIFICATE.replace("Simple", "Sim\tple"),
            CERTIFICATE.replace("Simple", "Sim\x00ple"),
            CERTIFICATE.replace("https://", "https:\n//"),
            f"{CERTIFICATE}\n",
            f" {CERTIFICATE}",
            f"\x1f{CERTIFICATE}",
            f"{CERTIFICATE}\x7f",
            CERTIFICATE.replace("Simple", "Sïmple"),
            CERTIFICATE.replace("Simple", "\u200bSimple"),
            f"{CERTIFICATE}?",
            f"{CERTIFICATE}?v=1.pem",
            f"{CERTIFICATE}#x.pem",
            f"{CERTIFICATE};x.pem",
            CERTIFICATE.replace("Simple", "./Simple"),
            CERTIFICATE.replace("Simple", "/Simple"),
            CERTIFICATE.replace("Simple", "%53imple"),
            CERTIFICATE.replace("https", "HTTPS"),
            CERTIFICATE.replace("amazonaws", "AMAZONAWS"),
            CERTIFICATE.replace(".com/", ".com:443/"),
            CERTIFICATE.replace(".com/", ".com./"),
        )
    },
    "certificate that is no file": signed(SigningCertURL=f"{HOST}/?Action=Anything"),
    "certificate expired": signed(SigningCertURL=EXPIRED_CERTIFICATE),
    "certificate that is none": signed(SigningCertURL=NO_CERTIFICATE),
    "certificate that is no text": signed(SigningCertURL=7),
    "no certificate": signed(SigningCertURL=None),
    "another key": resigned,
    "another hash": downgraded,
    "another type": retyped,
    "unknown type": altered(Type="Greeting"),
    "unknown version": signed(SignatureVersion="3"),
    "no version": signed(SignatureVersion=None),
    "version as a number": signed(SignatureVersion=2),
    "no signature": altered(Signature=None),
    "empty signature": altered(Signature=""),
    "signature that is no base64": altered(Signature="!!!"),
    "signature of nothing": altered(Signature="AAAA"),
    "message altered": altered(Message='{"eventType": "Complaint"}'),
    "message that is no text": altered(Message={"eventType": "Bounce"}),
    "no message": altered(Message=None),
    "id altered": altered(MessageId="00000000-0000-4000-8000-000000000000"),
    "no id": altered(MessageId=None),
    "time altered": altered(Timestamp=at(now() - dt.timedelta(minutes=1))),
    "subject added": altered(Subject="Amazon SES Email Event Notification"),
    "no object": lambda topic, event: b"[]",
    "no JSON": lambda topic, event: b"Type=Notification",
    "nothing": lambda topic, event: b"{}",
    "null": lambda topic, event: b"null",
    "no UTF-8": lambda topic, event: b"\xff\xfe{}",
    "nested": lambda topic, event: b"[" * 100_000,
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_is_not_genuine_is_refused_and_nothing_happens(
    runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    admin_connection: asyncpg.Connection,
    attack: str,
) -> None:
    message_id = await queue(runtime, tenant_id)
    await run_jobs(admin_connection, runtime, tenant_id)
    before = await checksum(admin_connection, tenant_id)
    count = "SELECT count(*) FROM webhook_receipts"
    receipts = await admin_connection.fetchval(count)
    answer = await sns.post("webhooks/ses", content=ATTACKS[attack](topic, bounce(message_id)), headers=TEXT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NOTICE_REFUSED"), answer.text
    assert answer.json()["error"]["details"] == {}
    assert await checksum(admin_connection, tenant_id) == before
    assert await admin_connection.fetchval(count) == receipts
    assert set(topic.visited) <= {CERTIFICATE, EXPIRED_CERTIFICATE, NO_CERTIFICATE}, "nothing else was fetched"


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Amazon SES Email Event Notification", "", "zwei\nZeilen"])
async def test_both_versions_are_verified_with_and_without_a_subject(
    runtime: Runtime,
    tenant_id: TenantId,
    sns: Actor,
    topic: Topic,
    admin_connection: asyncpg.Connection,
    version: str,
    subject: str | None,
) -> None:
    message_id = await queue(runtime, tenant_id)
    await run_jobs(admin_connection, runtime, tenant_id)
    body = topic.notification(bounce(message_id), SignatureVersion=version, Subject=subject)
    answer = await sns.post("webhooks/ses", content=body, headers=TEXT)
    assert answer.status_code == 204, answer.text
    assert (await stored(admin_connection, message_id))["status"] == "bounced"


async def test_a_body_beyond_the_limit_is_413(sns: Actor, topic: Topic, settings: Settings) -> None:
    body = topic.notification("x" * settings.max_body_bytes)
    answer = await sns.post("webhooks/ses", content=body, headers=TEXT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert topic.visited == []


async def test_text_is_taken_by_this_route_only(sns: Actor, topic: Topic) -> None:
    for media_type, status in (("text/plain", 403), ("application/json", 403), ("text/html", 415), ("", 415)):
        answer = await sns.post("webhooks/ses", content=b"{}", headers={"content-type": media_type})
        assert answer.status_code == status, media_type
    for path in ("auth/login", "webhooks/ses/", "webhooks/stripe"):
        answer = await sns.post(path, content=b"{}", headers=TEXT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE"), path


async def test_without_a_topic_everything_is_refused(
    anonymous: Actor, topic: Topic, runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(runtime, tenant_id)
    await run_jobs(admin_connection, runtime, tenant_id)
    before = await checksum(admin_connection, tenant_id)
    for body in (topic.notification(bounce(message_id)), topic.subscription(), b"{}"):
        answer = await anonymous.post("webhooks/ses", content=body, headers=TEXT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NOTICE_REFUSED")
    assert await checksum(admin_connection, tenant_id) == before


async def test_our_topics_subscription_is_confirmed(sns: Actor, topic: Topic) -> None:
    answer = await sns.post("webhooks/ses", content=topic.subscription(), headers=TEXT)
    assert answer.status_code == 204, answer.text
    assert topic.visited.count(SUBSCRIBE) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"TopicArn": ARN + "2"},
        {"SubscribeURL": "http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"},
        {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"},
        {"SubscribeURL": "https://sns.us-east-1.amazonaws.com@evil.example/"},
        {"SubscribeURL": "https://[::1/"},
        {"SubscribeURL": f"{HOST}/?Action=Confirm\nSubscription"},
        {"SubscribeURL": f"{SUBSCRIBE}\t"},
        {"SubscribeURL": f"\x00{SUBSCRIBE}"},
        {"SubscribeURL": "https://169.254.169.254/latest/meta-data"},
        {"SubscribeURL": None},
        {"Token": None},
        {"Timestamp": at(now() - dt.timedelta(hours=2))},
    ],
    ids=range(12),
)
async def test_other_subscriptions_are_not_confirmed(sns: Actor, topic: Topic, changed: dict[str, Any]) -> None:
    body = topic.subscription(**changed)
    answer = await sns.post("webhooks/ses", content=body, headers=TEXT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NOTICE_REFUSED")
    assert set(topic.visited) <= {CERTIFICATE}


async def test_the_end_of_the_subscription_is_not_undone(sns: Actor, topic: Topic) -> None:
    """Its SubscribeURL would subscribe again."""
    answer = await sns.post("webhooks/ses", content=topic.subscription(Type="UnsubscribeConfirmation"), headers=TEXT)
    assert answer.status_code == 204
    assert set(topic.visited) <= {CERTIFICATE}


async def test_while_sns_is_away_it_is_asked_to_send_again(sns: Actor, topic: Topic) -> None:
    topic.away = True
    body = topic.notification("{}", SigningCertURL=f"{HOST}/SimpleNotificationService-rotated.pem")
    answer = await sns.post("webhooks/ses", content=body, headers=TEXT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    answer = await sns.post("webhooks/ses", content=topic.subscription(), headers=TEXT)
    assert answer.status_code == 503


async def test_redirects_are_not_followed() -> None:
    visited: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        visited.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://169.254.169.254/"})

    gateway = SnsGateway(httpx.MockTransport(redirect))
    with pytest.raises(ServiceUnavailable):
        await gateway.signing_key(CERTIFICATE)
    with pytest.raises(ServiceUnavailable):
        await gateway.confirm(SUBSCRIBE)
    assert visited == [CERTIFICATE, SUBSCRIBE]


def test_hosts_follow_the_topics_region() -> None:
    assert sns_host("arn:aws:sns:us-gov-west-1:123456789012:x") == "sns.us-gov-west-1.amazonaws.com"
    assert sns_host("arn:aws-cn:sns:cn-north-1:123456789012:x") == "sns.cn-north-1.amazonaws.com.cn"
    with pytest.raises(NotGenuine):
        require_sns_address("https://sns.us-east-1.amazonaws.com", "arn:aws:sns:us-east-2:123456789012:x")
