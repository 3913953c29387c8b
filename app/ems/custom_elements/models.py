"""The table custom_elements: one row is one eCustomConfiguration.CustomGroup."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.orm import Mapped

from app.core.db.columns import plain
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live
from app.ems.chart.columns import elements_column


class CustomElement(TenantEntity):
    """A definition. `custom_element_id` is its CustomElementID, to which eCustomResults.02 of a chart refers."""

    __tablename__ = "custom_elements"
    entity_type: ClassVar[str] = "custom_element"

    custom_element_id: Mapped[str] = plain()
    elements: Mapped[dict[str, Any]] = elements_column()

    __table_args__ = (
        *standard_constraints("custom_elements"),
        unique_among_live("uq_custom_elements_custom_element_id", "custom_element_id"),
    )
