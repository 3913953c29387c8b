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
    """An 837P goes to the clearinghouse, a CMS-1500 is printed for payers that want paper, a CSV is for people."""

    X12_837P = "837P"
    CMS_1500 = "CMS-1500"
    CSV = "CSV"


class ClaimExport(Base):
    """One row per claim of an export. All rows of a file describe it with the same values.

    `control_number` is ISA13 and GS06 of an 837P; acknowledgements name it. `transaction_set` is ST02 of the claim's
    transaction set. Rows that were written before exports had several files lack the last five columns.
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
    file_number: Mapped[int] = plain(server_default=sa.text("1"))
    file_name: Mapped[str | None] = plain()
    size_bytes: Mapped[int | None] = plain()
    sha256: Mapped[str | None] = plain()
    transaction_set: Mapped[int | None] = plain()

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "export_id", "claim_id", name="uq_claim_exports_claim"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_exports_tenant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_exports_claim_id"
        ),
        sa.Index("ix_claim_exports_tenant_claim_id", "tenant_id", "claim_id", "created_at"),
        sa.Index("ix_claim_exports_tenant_created_at", "tenant_id", "created_at", "export_id"),
        values_check("format", ClaimFileFormat),
    )


@dataclass(frozen=True, slots=True)
class ExportFile:
    """The rows of one file together. `file_number` counts the files of an export from 1."""

    file_number: int
    format: ClaimFileFormat
    control_number: int
    artifact_key: str
    file_name: str | None
    size_bytes: int | None
    sha256: str | None
    claim_ids: list[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Export:
    """The files of one export together."""

    id: uuid.UUID
    created_at: dt.datetime
    files: list[ExportFile]

    @property
    def claim_ids(self) -> list[uuid.UUID]:
        return [claim_id for file in self.files for claim_id in file.claim_ids]
