"""The columns that every kind of outbound attempt has."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import plain
from app.core.db.entity import TenantEntity


class OutboundEntity(TenantEntity):
    """An entity that is sent to an outside system. A subclass adds `status` and `failure_code`.

    `attempts` counts the calls that were begun. Until `lease_until` the job (queued) or the holder (running) is
    responsible for the entity; later the sweep takes it up. `lease_until` is null in other states. `failure_code` says
    why the last attempt did not succeed, or why the entity waits.
    """

    __abstract__ = True

    if TYPE_CHECKING:
        status: Mapped[StrEnum]
        failure_code: Mapped[StrEnum | None]

    attempts: Mapped[int] = plain(default=0, server_default=sa.text("0"))
    lease_until: Mapped[dt.datetime | None] = plain(default=None)


def lease_index(table: str) -> sa.Index:
    """The index that the sweep uses to find ended leases."""
    return sa.Index(f"ix_{table}_lease_until", "lease_until", postgresql_where=sa.text("lease_until IS NOT NULL"))
