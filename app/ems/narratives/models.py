"""The table narratives (directive 5.1)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import phi, plain
from app.ems.chart.columns import ChartChild, child_constraints, elements_column
from app.ems.elements import Owner


class Narrative(ChartChild):
    """The story of one patient, or of a call without a patient (`patient_id` is None).

    The narrative analysis writes `ai_suggestions_json` and `ai_score`, never clients.
    """

    __tablename__ = "narratives"
    entity_type: ClassVar[str] = "narrative"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")
    element_owner: ClassVar[Owner] = Owner.NARRATIVE
    element_columns: ClassVar[Mapping[str, str]] = {"narrative_text": "eNarrative.01"}

    patient_id: Mapped[uuid.UUID | None] = plain(default=None)
    narrative_text: Mapped[str | None] = phi(default=None, heavy=True)
    structured_json: Mapped[dict[str, Any] | None] = phi(default=None, heavy=True)
    ai_suggestions_json: Mapped[dict[str, Any] | None] = phi(default=None, heavy=True, init=False)
    ai_score: Mapped[Decimal | None] = plain(sa.Numeric(5, 4), default=None, init=False)
    elements: Mapped[dict[str, Any]] = elements_column()

    __table_args__ = child_constraints("narratives")
