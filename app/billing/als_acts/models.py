"""als_acts."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class ActKind(StrEnum):
    """A procedure has a SNOMED CT code, a route a code of eMedications.04, a medication the name of its ingredient."""

    PROCEDURE = "procedure"
    MEDICATION = "medication"
    ROUTE = "route"


class StaffLevel(StrEnum):
    """The lowest level of staff that may do an act. Everything above `bls` is advanced life support."""

    BLS = "bls"
    AEMT = "aemt"
    PARAMEDIC = "paramedic"


class AlsAct(TenantEntity):
    """What the law of a state says of one act, from a day on. It precedes the shipped default.

    `effective_to` is the last day; null while it is in force.
    """

    __tablename__ = "als_acts"
    entity_type: ClassVar[str] = "als_act"

    state: Mapped[str] = plain()
    kind: Mapped[ActKind] = plain(EnumText(ActKind))
    code: Mapped[str] = plain()
    level: Mapped[StaffLevel] = plain(EnumText(StaffLevel))
    effective_from: Mapped[dt.date] = plain()
    effective_to: Mapped[dt.date | None] = plain(default=None)
    source: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("als_acts"),
        unique_among_live("uq_als_acts_code", "state", "kind", "effective_from", "code"),
        values_check("kind", ActKind),
        values_check("level", StaffLevel),
        sa.CheckConstraint("effective_to >= effective_from", name="effective_to"),
    )
