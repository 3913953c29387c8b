"""Fixtures of the billing tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency


@pytest.fixture
def evidence(admin_connection: asyncpg.Connection) -> Evidence:
    return Evidence(admin_connection)


@pytest.fixture
async def other_agency(found: Callable[[], Awaitable[Agency]]) -> Agency:
    return await found()
