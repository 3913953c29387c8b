"""Fixtures of the billing tests."""

from __future__ import annotations

import asyncpg
import pytest

from tests.billing.support.evidence import Evidence


@pytest.fixture
def evidence(admin_connection: asyncpg.Connection) -> Evidence:
    return Evidence(admin_connection)
