"""The running service and its seeded agency, once per worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.config import Settings
from tests.fuzz.service import Service, running
from tests.fuzz.world import World


@pytest.fixture(scope="session")
def service(settings: Settings) -> Iterator[Service]:
    with running(settings) as started:
        yield started


@pytest.fixture(scope="session")
def world(service: Service) -> World:
    return World(service)
