"""Identifiers: UUIDv7 keys (time-ordered), and the version-4 UUIDs that NEMSIS asks for."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import NewType

from uuid_utils.compat import uuid7

TenantId = NewType("TenantId", uuid.UUID)
UserId = NewType("UserId", uuid.UUID)


def new_id() -> uuid.UUID:
    """A time-ordered UUIDv7 for primary keys."""
    return uuid7()


def least_id_at(moment: dt.datetime) -> uuid.UUID:
    """The smallest id of that millisecond. A UUIDv7 begins with 48 bits of milliseconds since 1970 (RFC 9562, 5.7)."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def new_random_uuid() -> uuid.UUID:
    """A random UUIDv4, because the PatientCareReport UUID pattern of NEMSIS refuses version 7."""
    return uuid.uuid4()
