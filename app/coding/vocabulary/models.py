"""vocabulary_terms: an agency's own terms, which replace shipped ones of the same words."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import plain
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live

_JSON = JSONB(none_as_null=True)


class VocabularyTerm(TenantEntity):
    """`say` is the typed text, `spoken` its words as search reads them. A term without `means` and `boost` removes a
    shipped term.
    """

    __tablename__ = "vocabulary_terms"
    entity_type: ClassVar[str] = "vocabulary_term"

    say: Mapped[str] = plain()
    spoken: Mapped[str] = plain()
    means: Mapped[list[Any]] = plain(_JSON, default_factory=list)
    boost: Mapped[list[Any]] = plain(_JSON, default_factory=list)
    domains: Mapped[list[Any]] = plain(_JSON)

    __table_args__ = (
        *standard_constraints("vocabulary_terms"),
        unique_among_live("uq_vocabulary_terms_spoken", "spoken"),
    )
