"""Columns of chart entries whose content lies in the object store."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, values_check
from app.ems.chart.columns import ChartChild, child_constraints
from app.ems.media.inspection import MediaType, Refusal


class UploadedEntry(ChartChild):
    """An entry with a content. `file_type`, `size_bytes` and `sha256` are as declared, `stored_…` as stored."""

    __abstract__ = True
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    if TYPE_CHECKING:
        status: Mapped[StrEnum]

    patient_id: Mapped[uuid.UUID | None] = plain(default=None)
    file_type: Mapped[MediaType] = plain(EnumText(MediaType))
    size_bytes: Mapped[int] = plain()
    sha256: Mapped[str] = plain()
    stored_type: Mapped[MediaType | None] = plain(EnumText(MediaType), default=None, init=False)
    stored_size_bytes: Mapped[int | None] = plain(default=None, init=False)
    stored_sha256: Mapped[str | None] = plain(default=None, init=False)
    uploaded_at: Mapped[dt.datetime | None] = plain(default=None, init=False)
    rejection_code: Mapped[Refusal | None] = plain(EnumText(Refusal), default=None, init=False)


def upload_constraints(table: str, *, max_bytes: int) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        *child_constraints(table),
        sa.Index(f"ix_{table}_tenant_status", "tenant_id", "status", "created_at"),
        sa.CheckConstraint(f"size_bytes BETWEEN 1 AND {max_bytes}", name="size_bytes"),
        values_check("file_type", MediaType),
        values_check("stored_type", MediaType),
        values_check("rejection_code", Refusal),
    )
