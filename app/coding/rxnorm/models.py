"""rxnorm_concepts and rxnorm_relations (directive 2.4, 6.2)."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped

from app.coding.releases.models import ReferenceEntity
from app.core.db.columns import EnumText, plain, values_check


class Terminology(StrEnum):
    """Some things that a crew gives have no RxNorm code: NEMSIS lists them by SNOMED CT."""

    RXNORM = "rxnorm"
    SNOMED = "snomed"


class RxNormConcept(ReferenceEntity):
    """`code` is the rxcui, or the SNOMED CT code. `term_type`: IN, MIN, PIN, BN, SCD, SBD, SCDC…

    `synonyms` are its own further names; `ingredients` and `brands` are names of related concepts. Search uses all.
    `retired_on`: since this day the releases lack it.
    """

    __tablename__ = "rxnorm_concepts"

    release_id: Mapped[uuid.UUID] = plain()
    terminology: Mapped[Terminology] = plain(EnumText(Terminology))
    code: Mapped[str] = plain()
    name: Mapped[str] = plain()
    term_type: Mapped[str | None] = plain(default=None)
    suppressed: Mapped[bool] = plain(default=False, server_default=sa.false())
    strength: Mapped[str | None] = plain(default=None)
    synonyms: Mapped[list[str]] = plain(ARRAY(sa.Text()), server_default=sa.text("'{}'"))
    ingredients: Mapped[list[str]] = plain(ARRAY(sa.Text()), server_default=sa.text("'{}'"))
    brands: Mapped[list[str]] = plain(ARRAY(sa.Text()), server_default=sa.text("'{}'"))
    retired_on: Mapped[dt.date | None] = plain(default=None)

    __table_args__ = (
        sa.ForeignKeyConstraint(["release_id"], ["code_releases.id"], name="fk_rxnorm_concepts_release_id"),
        sa.UniqueConstraint("code", "terminology", name="uq_rxnorm_concepts_code"),
        values_check("terminology", Terminology),
    )


class RxNormRelation(ReferenceEntity):
    """RXNREL's RELA between two rxcuis: `rxcui` has `relation` to `other` (a clinical drug has_ingredient …)."""

    __tablename__ = "rxnorm_relations"

    release_id: Mapped[uuid.UUID] = plain()
    rxcui: Mapped[str] = plain()
    relation: Mapped[str] = plain()
    other: Mapped[str] = plain()

    __table_args__ = (
        sa.ForeignKeyConstraint(["release_id"], ["code_releases.id"], name="fk_rxnorm_relations_release_id"),
        sa.UniqueConstraint("rxcui", "relation", "other", name="uq_rxnorm_relations_relation"),
        sa.Index("ix_rxnorm_relations_other", "other"),
    )
