"""The table element_groups: one row is one instance of a repeating group."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, phi, plain
from app.ems.chart.columns import ChartChild, child_constraints, elements_column
from app.ems.elements import Owner


class ElementGroup(ChartChild):
    """One instance of a group. `patient_id` is null for groups of the whole call; `parent_id` places a nested group."""

    __tablename__ = "element_groups"
    entity_type: ClassVar[str] = "element_group"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    patient_id: Mapped[uuid.UUID | None] = plain(default=None)
    parent_id: Mapped[uuid.UUID | None] = internal(default=None)
    group_name: Mapped[str] = plain()
    correlation_id: Mapped[str | None] = phi(default=None)
    attributes: Mapped[dict[str, Any] | None] = phi(default=None)
    elements: Mapped[dict[str, Any]] = elements_column()

    def owner(self) -> Owner | None:
        return None

    def repeating_group(self) -> str | None:
        return self.group_name

    __table_args__ = (
        *child_constraints("element_groups"),
        sa.UniqueConstraint("tenant_id", "incident_id", "id", name="uq_element_groups_incident"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "parent_id"],
            ["element_groups.tenant_id", "element_groups.incident_id", "element_groups.id"],
            name="fk_element_groups_parent_id",
        ),
    )
