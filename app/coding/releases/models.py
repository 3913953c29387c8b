"""code_releases: one row per import that changed something."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, plain, values_check
from app.core.db.entity import Entity


class CodeSystem(StrEnum):
    ICD10CM = "icd10cm"
    RXNORM = "rxnorm"


class ReferenceEntity(Entity):
    """A row of no tenant (directive 2.4), written by importers as the owner. `deleted_at` removes a faulty row."""

    __abstract__ = True

    id: Mapped[uuid.UUID] = internal(primary_key=True, server_default=sa.func.gen_random_uuid(), sort_order=-2)
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now(), init=False, sort_order=1)
    updated_at: Mapped[dt.datetime] = internal(server_default=sa.func.now(), init=False, sort_order=1)
    deleted_at: Mapped[dt.datetime | None] = internal(default=None, init=False, sort_order=1)


class CodeRelease(ReferenceEntity):
    """`report`: counts of added, changed, retired, withdrawn. The newest row of a code system is its state.

    `whole`: the loaded codes are the whole code system, so a missing code does not exist. The release is whole, or a
    selection on top of a whole one. A selection alone says nothing about missing codes.
    """

    __tablename__ = "code_releases"

    code_system: Mapped[CodeSystem] = plain(EnumText(CodeSystem))
    release: Mapped[str] = plain()
    effective_from: Mapped[dt.date] = plain()
    source: Mapped[str] = plain()
    sha256: Mapped[str] = plain()
    report: Mapped[dict[str, Any]] = plain(JSONB(none_as_null=True))
    whole: Mapped[bool] = plain(default=False, server_default=sa.false())

    __table_args__ = (
        values_check("code_system", CodeSystem),
        sa.Index("ix_code_releases_code_system", "code_system", "effective_from", "created_at"),
    )
