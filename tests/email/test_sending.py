"""Sending through SES: the protocol, the retries, one sender at a time, and what a dead one leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import boto3
import pytest
from moto import mock_aws

import app.email.gateway
from app.core.config import Settings
from app.core.ids import TenantId
from app.core.jobs.queue import JobRunner
from app.core.outbound.service import Attempts, run_attempt
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.email.failures import FailureCode, MailRefused
from app.email.gateway import MAIL, Mail, to_mime
from app.email.messages.sending import LEASE, MAX_ATTEMPTS, MESSAGES, Delivery
from tests.core.evidence import audit_of, checksum
from tests.core.waiting import expect_eventually
from tests.email.support.people import SEND, SWEEP, address, end_lease, jobs_of, queue, run_jobs, stored
from tests.email.support.ses_server import CONFIGURATION_SET, Refusal, Reset, SesServer, Silence

BAD_ADDRESSES = [
    "",
    "nobody",
    "a b@mail.example",
    "a@b@c.example",
    "a@x.example,b@x.example",
    "ä@mail.example",
    "<a@x.example>",
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.email.gateway, "READ_SECONDS", 1)


async def actions_of(admin: asyncpg.Connection, message_id: object) -> list[str]:
    return [event["action"] for event in await audit_of(admin, message_id)]  # type: ignore[arg-type]


async def test_the_runner_sends_what_was_queued(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection
) -> None:
    to = address()
    runner = asyncio.create_task(JobRunner(ses_runtime, (SEND,), (SWEEP,)).run())
    message_id = await queue(ses_runtime, tenant_id, to)
    await expect_eventually(lambda: _is(admin_connection, message_id, "sent"))
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)
    [taken] = ses.tagged(message_id)
    assert taken["Destination"] == {"ToAddresses": [to]}
    assert taken["FromEmailAddress"] == "FusionEMS <no-reply@fusionems.example>"
    assert taken["ConfigurationSetName"] == CONFIGURATION_SET
    mail = ses.mail(message_id)
    assert (mail["To"], mail["From"]) == (to, "FusionEMS <no-reply@fusionems.example>")
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Your FusionEMS password was changed", "auto-generated")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    body = mail.get_body(("plain",))
    assert body is not None and "https://app.fusionems.example and tell" in body.get_content()
    message = await stored(admin_connection, message_id)
    assert message["provider_message_id"] == f"ses-{ses.taken.index(taken) + 1}"
    assert message["sent_at"] is not None and message["lease_until"] is None and message["failure_code"] is None
    done = [f"email_message.{act}" for act in ("queued", "started", "accepted")]
    assert await actions_of(admin_connection, message_id) == done


async def _is(admin: asyncpg.Connection, message_id: object, status: str) -> bool:
    return bool(await admin.fetchval("SELECT status = $2 FROM email_messages WHERE id = $1", message_id, status))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Refusal(429, "TooManyRequestsException"), FailureCode.THROTTLED),
        (Refusal(400, "LimitExceededException"), FailureCode.THROTTLED),
        (Refusal(400, "SendingPausedException"), FailureCode.UNAVAILABLE),
        (Refusal(400, "MailFromDomainNotVerifiedException"), FailureCode.UNAVAILABLE),
        (Refusal(403, "AccessDeniedException"), FailureCode.UNAVAILABLE),
        (Refusal(500, "InternalFailure"), FailureCode.UNAVAILABLE),
        (Refusal(503, "ServiceUnavailable"), FailureCode.UNAVAILABLE),
        (Reset(), FailureCode.UNANSWERED),
    ],
    ids=lambda value: getattr(value, "code", type(value).__name__),
)
async def test_what_may_pass_is_tried_again(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
    answer: Refusal | Reset,
    code: FailureCode,
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    ses.script = [answer]
    assert await run_jobs(admin_connection, ses_runtime, tenant_id) == 1
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"], message["attempts"]) == ("queued", code.value, 1)
    [job] = await jobs_of(admin_connection, tenant_id)
    assert job["execute_after"] > job["created"], "later"
    assert await run_jobs(admin_connection, ses_runtime, tenant_id) == 1
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"], message["attempts"]) == ("sent", None, 2)
    assert len(ses.tagged(message_id)) == 2, "the SDK repeats nothing of its own accord"


@pytest.mark.parametrize("code", ["MessageRejected", "BadRequestException"])
async def test_what_was_rejected_is_not_tried_again(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection, code: str
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    ses.script = [Refusal(400, code)]
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"], message["lease_until"]) == ("failed", "REJECTED", None)
    assert await jobs_of(admin_connection, tenant_id) == []


@pytest.mark.parametrize("to", BAD_ADDRESSES)
async def test_what_is_no_address_fails_without_a_call(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection, to: str
) -> None:
    message_id = await queue(ses_runtime, tenant_id, f" {to}")
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("failed", "BAD_ADDRESS")
    assert ses.taken == []


@pytest.mark.parametrize("to", [*BAD_ADDRESSES, "a@x.example\r\nBcc: b@x.example", "a@x.example\n"])
def test_addresses_cannot_add_headers(to: str) -> None:
    mail = Mail(uuid.uuid4(), to, "Subject", "text", "<p>html</p>")
    with pytest.raises(MailRefused) as refused:
        to_mime(mail, "FusionEMS <no-reply@fusionems.example>")
    assert refused.value.code is FailureCode.BAD_ADDRESS


async def test_no_answer_in_time_counts_as_an_attempt(
    impatient: None, ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection
) -> None:
    """It may have been accepted: the next attempt leaves a notice the time to say so."""
    message_id = await queue(ses_runtime, tenant_id)
    ses.script = [Silence()]
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("queued", "UNANSWERED")
    [job] = await jobs_of(admin_connection, tenant_id)
    assert job["execute_after"] - job["created"] >= LEASE


async def test_a_provider_that_cannot_be_reached_is_tried_again(
    ses_runtime: Runtime, ses_settings: Settings, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    ses_runtime.settings = ses_settings.model_copy(update={"ses_endpoint_url": "http://127.0.0.1:9"})
    message_id = await queue(ses_runtime, tenant_id)
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("queued", "UNAVAILABLE")


async def test_attempts_are_bounded(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    ses.script = [Refusal(503, "ServiceUnavailable")] * (MAX_ATTEMPTS + 3)
    delays = []
    while await jobs_of(admin_connection, tenant_id):
        await run_jobs(admin_connection, ses_runtime, tenant_id)
        delays += [job["execute_after"] - job["created"] for job in await jobs_of(admin_connection, tenant_id)]
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("failed", "UNAVAILABLE")
    assert message["attempts"] == len(ses.tagged(message_id)) == MAX_ATTEMPTS
    assert len(delays) == MAX_ATTEMPTS - 1
    assert [MESSAGES.backoff.after(number).total_seconds() for number in range(1, 7)] == [
        30, 120, 480, 1920, 3600, 3600,
    ]  # fmt: skip


async def test_many_senders_at_once_send_once(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    await asyncio.gather(
        *(run_attempt(MESSAGES, ses_runtime, Principal.system(tenant_id), message_id) for _ in range(20)),
    )
    assert len(ses.tagged(message_id)) == 1
    assert (await stored(admin_connection, message_id))["attempts"] == 1


async def test_no_transaction_is_open_during_the_call(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    silence = Silence()
    ses.script = [silence]
    while ses.read.acquire(blocking=False):
        pass
    sending = asyncio.create_task(run_attempt(MESSAGES, ses_runtime, Principal.system(tenant_id), message_id))
    assert await asyncio.to_thread(ses.read.acquire, timeout=15)
    assert (await stored(admin_connection, message_id))["status"] == "sending", "committed"
    assert ses_runtime.database.checked_out() == 0
    silence.released.set()
    await sending


@pytest.fixture
def sender_process(ses_settings: Settings) -> dict[str, str]:
    """The environment of a process that sends through `ses`."""
    keep = ("PATH", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    secrets = ("database_url", "system_database_url", "redis_url")
    settings = {name.upper(): getattr(ses_settings, name).get_secret_value() for name in secrets}
    plain = ("environment", "data_dir", "ses_region", "ses_endpoint_url", "password_rounds")
    settings |= {name.upper(): str(getattr(ses_settings, name)) for name in plain}
    return {name: os.environ[name] for name in keep} | settings


async def killed_after_acceptance(
    environment: dict[str, str], tenant_id: TenantId, message_id: object, ses: SesServer
) -> None:
    """SES has taken the message; the process is killed before it hears so."""
    ses.script = [Silence()]
    while ses.read.acquire(blocking=False):
        pass
    command = [sys.executable, "-m", "tests.email.support.sender_process", str(tenant_id), str(message_id)]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=subprocess.PIPE)
    assert await asyncio.to_thread(ses.read.acquire, timeout=60), "nothing was sent"
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL


async def test_a_killed_sender_leaves_the_message_to_its_lease(
    ses_runtime: Runtime,
    sender_process: dict[str, str],
    tenant_id: TenantId,
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    """The window of the promise: what SES took is sent a second time, and not before the lease ends."""
    message_id = await queue(ses_runtime, tenant_id)
    await killed_after_acceptance(sender_process, tenant_id, message_id, ses)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["provider_message_id"]) == ("sending", None)

    await run_jobs(admin_connection, ses_runtime, tenant_id)  # the queue gives the dead process's job to another one
    await SWEEP.run(ses_runtime)
    assert len(ses.tagged(message_id)) == 1, "the lease still holds"

    await end_lease(admin_connection, message_id)
    await SWEEP.run(ses_runtime)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("queued", "LEASE_EXPIRED")
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["attempts"]) == ("sent", 2)
    assert len(ses.tagged(message_id)) == 2


async def test_a_lost_job_is_queued_again_once(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    [job] = await jobs_of(admin_connection, tenant_id)
    await end_lease(admin_connection, message_id)
    await SWEEP.run(ses_runtime)
    assert len(await jobs_of(admin_connection, tenant_id)) == 1, "the job was only slow"
    await admin_connection.execute("DELETE FROM pgqueuer WHERE id = $1", job["id"])
    await end_lease(admin_connection, message_id)
    await asyncio.gather(*(SWEEP.run(ses_runtime) for _ in range(5)))
    assert len(await jobs_of(admin_connection, tenant_id)) == 1
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    assert (await stored(admin_connection, message_id))["status"] == "sent"


async def test_a_lease_that_was_taken_in_the_meantime_is_respected(
    ses_runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    """Between the sweep's look and its act somebody took hold of the message."""
    message_id = await queue(ses_runtime, tenant_id)
    principal = Principal.system(tenant_id)
    async with ses_runtime.unit_of_work(principal) as uow:
        assert await Attempts(uow, MESSAGES).hold(message_id) is not None
    before = await checksum(admin_connection, tenant_id)
    async with ses_runtime.unit_of_work(principal) as uow:
        await Attempts(uow, MESSAGES).take_up(message_id)
    assert await checksum(admin_connection, tenant_id) == before


async def test_a_lease_that_ends_again_and_again_is_not_endless(
    ses_runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    for _ in range(MAX_ATTEMPTS):
        async with ses_runtime.unit_of_work(Principal.system(tenant_id)) as uow:
            assert await Attempts(uow, MESSAGES).hold(message_id) is not None
        await end_lease(admin_connection, message_id)
        await SWEEP.run(ses_runtime)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("failed", "LEASE_EXPIRED")


async def test_what_a_superseded_sender_reports(
    ses_runtime: Runtime, tenant_id: TenantId, admin_connection: asyncpg.Connection
) -> None:
    """Its failure concerns nobody any more; its success does."""
    message_id = await queue(ses_runtime, tenant_id)
    principal = Principal.system(tenant_id)
    async with ses_runtime.unit_of_work(principal) as uow:
        slow = await Attempts(uow, MESSAGES).hold(message_id)
    assert slow is not None
    await end_lease(admin_connection, message_id)
    await SWEEP.run(ses_runtime)
    async with ses_runtime.unit_of_work(principal) as uow:
        assert await Attempts(uow, MESSAGES).hold(message_id) is not None
    before = await checksum(admin_connection, tenant_id)
    async with ses_runtime.unit_of_work(principal) as uow:
        await Attempts(uow, MESSAGES).failed(slow, MailRefused(FailureCode.REJECTED))
    assert await checksum(admin_connection, tenant_id) == before
    async with ses_runtime.unit_of_work(principal) as uow:
        await Delivery(uow).accepted(message_id, "ses-late")
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["provider_message_id"]) == ("sent", "ses-late")


async def test_a_template_that_only_a_newer_build_knows_waits(
    ses_runtime: Runtime, tenant_id: TenantId, ses: SesServer, admin_connection: asyncpg.Connection
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    await admin_connection.execute("UPDATE email_messages SET template_version = 99 WHERE id = $1", message_id)
    await run_jobs(admin_connection, ses_runtime, tenant_id)
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["failure_code"]) == ("queued", "NOT_RENDERED")
    assert ses.taken == []


async def test_another_tenants_message_cannot_be_sent(
    ses_runtime: Runtime,
    tenant_id: TenantId,
    new_tenant: Callable[[], Awaitable[TenantId]],
    ses: SesServer,
    admin_connection: asyncpg.Connection,
) -> None:
    message_id = await queue(ses_runtime, tenant_id)
    await run_attempt(MESSAGES, ses_runtime, Principal.system(await new_tenant()), message_id)
    assert (await stored(admin_connection, message_id))["status"] == "queued"
    assert ses.taken == []


async def test_contract_of_the_protocol_according_to_moto(ses_runtime: Runtime, ses_settings: Settings) -> None:
    """Moto checks the shape of the request, which our own server takes as it comes."""
    with mock_aws():
        boto3.client("sesv2", region_name="us-east-1").create_email_identity(EmailIdentity="fusionems.example")
        boto3.client("sesv2", region_name="us-east-1").create_configuration_set(ConfigurationSetName=CONFIGURATION_SET)
        ses_runtime.settings = ses_settings.model_copy(update={"ses_endpoint_url": None})
        sender = ses_runtime.gateways.get(MAIL)
        accepted = await sender.send(Mail(uuid.uuid4(), address(), "Subject", "text", "<p>html</p>"))
    assert accepted
