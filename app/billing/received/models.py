"""received_files: what came in, with its hash, and where it is kept."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.billing.x12.containers import FileKind
from app.core.db.columns import EnumText, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints


class ReceivedFile(TenantEntity):
    """One file, or one member of an archive. `sha256` and `size_bytes` are of the file as it came.

    `foreign_payees` counts the payments in it that went to other agencies, by NPI. Their content is not kept, and
    `artifact_key` is null if nothing else was in the file.
    """

    __tablename__ = "received_files"
    entity_type: ClassVar[str] = "received_file"

    kind: Mapped[FileKind] = plain(EnumText(FileKind))
    sha256: Mapped[str] = plain()
    size_bytes: Mapped[int] = plain()
    artifact_key: Mapped[str | None] = plain(default=None)
    foreign_payees: Mapped[list[Any]] = plain(JSONB(none_as_null=True), default_factory=list)

    __table_args__ = (
        *standard_constraints("received_files", "kind"),
        sa.UniqueConstraint("tenant_id", "sha256", name="uq_received_files_sha256"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        sa.CheckConstraint("size_bytes >= 0", name="size_bytes"),
        values_check("kind", FileKind),
    )
