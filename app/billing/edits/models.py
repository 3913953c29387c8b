"""claim_scrubs: what the edits found, with the version of the claim that they judged. Append-only."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, plain
from app.core.db.entity import Base


class ClaimScrub(Base):
    """One verdict. It is stored when it differs from the one before, so the last one holds.

    `findings` is a list of {edit, severity, field, code, message}: no value of the claim or the chart. A
    trigger copies the two counts to the claim, where worklists find them.
    """

    __tablename__ = "claim_scrubs"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    claim_id: Mapped[uuid.UUID] = internal()
    claim_version: Mapped[int] = plain()
    blocking: Mapped[int] = plain()
    warnings: Mapped[int] = plain()
    findings: Mapped[list[Any]] = plain(JSONB(none_as_null=True))
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_scrubs_tenant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_scrubs_claim_id"
        ),
        sa.Index("ix_claim_scrubs_tenant_claim_id", "tenant_id", "claim_id", "id"),
        sa.Index("ix_claim_scrubs_tenant_created_at", "tenant_id", "created_at", "id"),
    )
