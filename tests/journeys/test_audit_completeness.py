"""Every row change of whole journeys has exactly one audit event, with the right fields and values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.core.outbox.relay import OutboxRelay
from app.core.runtime import Runtime
from tests.journeys.test_phi_canary import live
from tests.support.actors import Agency
from tests.support.shadow import shadowed


async def test_audit_log_tells_what_happened_to_every_row(
    found: Callable[[], Awaitable[Agency]],
    runtime: Runtime,
    relay: OutboxRelay,
    admin_connection: asyncpg.Connection,
) -> None:
    async with shadowed(admin_connection) as shadow:
        agency = await found()
        await live(agency, runtime)
        await relay.drain()
        changes = await shadow.changes(agency.tenant_id)
        assert len(changes) >= 60 and {change.entity_type for change in changes} >= {
            "incident", "claim", "user", "user_session", "account_token", "email_message", "vehicle",
        }  # fmt: skip
        wrong = await shadow.disagreements(agency.tenant_id)
        assert wrong == [], chr(10).join(wrong)


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE users SET display_name = 'Somebody' WHERE id = $1", "2 changes, 1 events"),
        ("UPDATE users SET updated_at = now() WHERE id = $1", "2 changes, 1 events"),
    ],
)
async def test_write_around_the_audit_log_is_found(
    found: Callable[[], Awaitable[Agency]], admin_connection: asyncpg.Connection, tampering: str, told: str
) -> None:
    """The comparison itself discriminates."""
    async with shadowed(admin_connection) as shadow:
        agency = await found()
        user_id = (await agency.admin.expect(200, "GET", "auth/me"))["id"]
        assert await shadow.disagreements(agency.tenant_id) == []
        await admin_connection.execute(tampering, user_id)
        [problem] = await shadow.disagreements(agency.tenant_id)
        assert told in problem


async def test_event_that_tells_something_else_is_found(
    found: Callable[[], Awaitable[Agency]], admin_connection: asyncpg.Connection
) -> None:
    async with shadowed(admin_connection) as shadow:
        agency = await found()
        user_id = (await agency.admin.expect(200, "GET", "auth/me"))["id"]
        await admin_connection.execute("UPDATE users SET display_name = 'Somebody' WHERE id = $1", user_id)
        await admin_connection.execute(
            "INSERT INTO audit_events (id, tenant_id, entity_type, entity_id, action, changed_fields_json)"
            """ VALUES (gen_random_uuid(), $1, 'user', $2, 'user.revised', '{"display_name": ["Admin", "Other"]}')""",
            agency.tenant_id,
            user_id,
        )
        [problem] = await shadow.disagreements(agency.tenant_id)
        assert "display_name is told wrongly" in problem
