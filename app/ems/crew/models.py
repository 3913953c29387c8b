"""The table crew_members (eCrew.CrewGroup)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, phi, plain, values_check
from app.core.db.entity import unique_among_live
from app.core.personnel.public import LicensureLevel
from app.ems.chart.columns import ChartChild, child_constraints, elements_column
from app.ems.elements import Owner


class ResponseRole(StrEnum):
    """The codes of eCrew.03 Crew Member Response Role."""

    DRIVER_RESPONSE = "2403001"
    DRIVER_TRANSPORT = "2403003"
    OTHER = "2403005"
    OTHER_CAREGIVER_SCENE = "2403007"
    OTHER_CAREGIVER_TRANSPORT = "2403009"
    PRIMARY_CAREGIVER_SCENE = "2403011"
    PRIMARY_CAREGIVER_TRANSPORT = "2403013"


class CrewMember(ChartChild):
    """One person on the call, with licence and level as they were when the entry was made.

    The `SNAPSHOT` columns are taken from the person's record, never from the client. A later promotion changes nothing.
    """

    __tablename__ = "crew_members"
    entity_type: ClassVar[str] = "crew_member"
    element_owner: ClassVar[Owner] = Owner.CREW_MEMBER
    SNAPSHOT: ClassVar[Mapping[str, str]] = {"licensure_id": "eCrew.01", "licensure_level": "eCrew.02"}
    element_columns: ClassVar[Mapping[str, str]] = {**SNAPSHOT, "response_roles": "eCrew.03"}

    personnel_id: Mapped[uuid.UUID] = plain()
    licensure_id: Mapped[str | None] = plain(default=None)
    licensure_level: Mapped[LicensureLevel | None] = plain(EnumText(LicensureLevel), default=None)
    response_roles: Mapped[list[Any] | None] = plain(JSONB(none_as_null=True), default=None)
    correlation_id: Mapped[str | None] = phi(default=None)
    elements: Mapped[dict[str, Any]] = elements_column()

    __table_args__ = (
        *child_constraints("crew_members", patient=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "personnel_id"], ["personnel.tenant_id", "personnel.id"], name="fk_crew_members_personnel_id"
        ),
        unique_among_live("uq_crew_members_personnel_id", "incident_id", "personnel_id"),
        sa.Index("ix_crew_members_tenant_personnel_id", "tenant_id", "personnel_id", "incident_id"),
        values_check("licensure_level", LicensureLevel),
    )
