"""tenant_secrets: one row for each secret that an agency has set, with at most two valid versions."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import plain, secret
from app.core.db.entity import TenantEntity, standard_constraints


class TenantSecret(TenantEntity):
    """`current_sealed` and `previous_sealed` are envelopes (`sealing`). Deleting the row removes both.

    Version numbers only increase while the row exists, so that no envelope fits another version.
    """

    __tablename__ = "tenant_secrets"
    entity_type: ClassVar[str] = "secret"

    name: Mapped[str] = plain()
    current_number: Mapped[int] = plain(default=1)
    current_sealed: Mapped[str | None] = secret()
    current_set_at: Mapped[dt.datetime] = plain()
    previous_number: Mapped[int | None] = plain(default=None)
    previous_sealed: Mapped[str | None] = secret(default=None)
    previous_set_at: Mapped[dt.datetime | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("tenant_secrets"),
        sa.Index(
            "uq_tenant_secrets_name",
            "tenant_id",
            "name",
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
        sa.CheckConstraint("(deleted_at IS NULL) = (current_sealed IS NOT NULL)", name="sealed"),
        sa.CheckConstraint(
            "(previous_number IS NULL) = (previous_sealed IS NULL)"
            " AND (previous_number IS NULL) = (previous_set_at IS NULL)"
            " AND previous_number < current_number",
            name="previous",
        ),
    )
