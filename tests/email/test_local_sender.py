"""Without SES, a message becomes a file that its owner may read."""

from __future__ import annotations

import email
import email.policy
import stat
import uuid
from email.message import Message
from pathlib import Path

import asyncpg
import pytest

from app.core.ids import TenantId
from app.core.runtime import Runtime
from app.email.failures import FailureCode, MailPostponed
from app.email.gateway import LocalSender, Mail
from tests.email.support.people import address, queue, run_jobs, stored


def read_private(file: Path) -> Message:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [found for found in file.parent.iterdir() if found.name.startswith(".")] == []
    return email.message_from_bytes(file.read_bytes(), policy=email.policy.default)


async def test_message_is_written_whole_and_for_its_owner_only(
    runtime: Runtime, tenant_id: TenantId, mail_dir: Path, admin_connection: asyncpg.Connection
) -> None:
    to = address()
    message_id = await queue(runtime, tenant_id, to)
    await run_jobs(admin_connection, runtime, tenant_id)
    parsed = read_private(mail_dir / f"{message_id}.eml")
    assert (parsed["To"], parsed["From"]) == (to, "FusionEMS <no-reply@localhost>")
    message = await stored(admin_connection, message_id)
    assert (message["status"], message["provider_message_id"]) == ("sent", f"local-{message_id}")


async def test_a_directory_that_cannot_be_written_is_a_provider_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    sender = LocalSender(tmp_path / "mail", "FusionEMS <no-reply@localhost>")
    with pytest.raises(MailPostponed) as postponed:
        await sender.send(Mail(uuid.uuid4(), address(), "Subject", "text", "<p>html</p>"))
    assert postponed.value.code is FailureCode.UNAVAILABLE


def test_a_mail_shows_neither_recipient_nor_text() -> None:
    mail = Mail(uuid.uuid4(), "canary@mail.example", "Subject", "canary", "<p>canary</p>")
    assert "canary" not in repr(mail)
