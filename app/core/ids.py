"""Identifiers: UUIDv7 keys (time-ordered), and the version-4 UUIDs that NEMSIS asks for."""

from __future__ import annotations

import uuid
from typing import NewType

from uuid_utils.compat import uuid7

TenantId = NewType("TenantId", uuid.UUID)
UserId = NewType("UserId", uuid.UUID)


def new_id() -> uuid.UUID:
    """A time-ordered UUIDv7 for primary keys."""
    return uuid7()


def new_random_uuid() -> uuid.UUID:
    """A random UUIDv4: the PatientCareReport UUID pattern of NEMSIS refuses version 7."""
    return uuid.uuid4()
