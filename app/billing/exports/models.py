"""claim_exports (directive 8): which claim went out in which file. Append-only."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, plain, values_check
from app.core.db.entity import Base


class ClaimFileFormat(StrEnum):
    X12_837P = "837P"


class ClaimExport(Base):
    """One row per claim of an export. All rows of an export describe the file with the same values.

    `control_number` is ISA13, GS06 and BHT03 of the file. Acknowledgements name it.
    """

    __tablename__ = "claim_exports"

    id: Mapped[uuid.UUID] = internal(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = internal()
    export_id: Mapped[uuid.UUID] = internal()
    claim_id: Mapped[uuid.UUID] = internal()
    artifact_key: Mapped[str] = plain()
    format: Mapped[ClaimFileFormat] = plain(EnumText(ClaimFileFormat))
    control_number: Mapped[int] = plain()
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "export_id", "claim_id", name="uq_claim_exports_claim"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_exports_tenant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_exports_claim_id"
        ),
        sa.Index("ix_claim_exports_tenant_claim_id", "tenant_id", "claim_id", "created_at"),
        sa.Index("ix_claim_exports_tenant_control_number", "tenant_id", "control_number"),
        sa.Index("ix_claim_exports_tenant_created_at", "tenant_id", "created_at", "export_id"),
        values_check("format", ClaimFileFormat),
    )


@dataclass(frozen=True, slots=True)
class Export:
    """The rows of one export together."""

    id: uuid.UUID
    format: ClaimFileFormat
    control_number: int
    artifact_key: str
    created_at: dt.datetime
    claim_ids: list[uuid.UUID]
