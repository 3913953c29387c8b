"""Fixtures of the ems tests."""

from __future__ import annotations

import asyncpg
import pytest

from tests.ems.charts import Chart
from tests.ems.evidence import Evidence
from tests.support.actors import Agency


@pytest.fixture
async def chart(agency: Agency) -> Chart:
    """A chart in `draft` with one patient, written by `medic`, in an agency of its own."""
    return await Chart.open(agency)


@pytest.fixture
def evidence(admin_connection: asyncpg.Connection) -> Evidence:
    return Evidence(admin_connection)
