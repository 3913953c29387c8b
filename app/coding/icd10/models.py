"""icd10_codes (directive 2.4, 6.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped

from app.coding.releases.models import ReferenceEntity
from app.core.db.columns import EnumText, plain, values_check

IN_FORCE_SINCE = dt.date(2015, 10, 1)
"""The first day of ICD-10-CM in the United States. Codes of the first release that was loaded here are valid from this
day, because a release does not say since when it has had a code."""


class Icd10Kind(StrEnum):
    CHAPTER = "chapter"
    BLOCK = "block"
    CODE = "code"


class Icd10Code(ReferenceEntity):
    """One period of one code, `valid_from` to `valid_to` inclusive. A code that came back has two rows, and so has a
    code that was billable and became a heading.

    `code` has a dot, `compact` has none. `category` is its first three characters, `chapter` the chapter's number,
    `parent` the next heading above it. `inclusion_terms` are further names from the tabular list.
    """

    __tablename__ = "icd10_codes"

    release_id: Mapped[uuid.UUID] = plain()
    code: Mapped[str] = plain()
    compact: Mapped[str] = plain()
    kind: Mapped[Icd10Kind] = plain(EnumText(Icd10Kind))
    description: Mapped[str] = plain()
    short_description: Mapped[str | None] = plain(default=None)
    inclusion_terms: Mapped[list[str]] = plain(ARRAY(sa.Text()), server_default=sa.text("'{}'"))
    billable: Mapped[bool] = plain()
    category: Mapped[str | None] = plain(default=None)
    chapter: Mapped[str | None] = plain(default=None)
    parent: Mapped[str | None] = plain(default=None)
    valid_from: Mapped[dt.date] = plain()
    valid_to: Mapped[dt.date | None] = plain(default=None)

    __table_args__ = (
        sa.ForeignKeyConstraint(["release_id"], ["code_releases.id"], name="fk_icd10_codes_release_id"),
        sa.UniqueConstraint("compact", "valid_from", name="uq_icd10_codes_period"),
        sa.CheckConstraint("compact = replace(code, '.', '')", name="compact"),
        sa.CheckConstraint("valid_to >= valid_from", name="period"),
        sa.CheckConstraint("kind = 'code' OR NOT billable", name="billable"),
        values_check("kind", Icd10Kind),
        sa.Index("ix_icd10_codes_parent", "parent", "code"),
    )
