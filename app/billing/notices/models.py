"""advance_notices."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.billing.paperwork.columns import PatientPaper, paper_constraints
from app.core.db.columns import EnumText, MoneyColumn, phi, plain, values_check


class NoticeOption(StrEnum):
    """What the patient chose on the form: the service and a claim, the service without a claim, or no service."""

    ASK_MEDICARE = "1"
    DO_NOT_ASK = "2"
    NO_SERVICE = "3"


class AdvanceNotice(PatientPaper):
    """`is_voluntary`: for what Medicare never covers (modifier GX); else for what it may not find necessary (GA)."""

    __tablename__ = "advance_notices"
    entity_type: ClassVar[str] = "advance_notice"

    option: Mapped[NoticeOption] = plain(EnumText(NoticeOption))
    is_voluntary: Mapped[bool] = plain(default=False, server_default=sa.false())
    reason: Mapped[str] = phi()
    estimated_cost: Mapped[Decimal | None] = plain(MoneyColumn, default=None)

    __table_args__ = (
        *paper_constraints("advance_notices"),
        values_check("option", NoticeOption),
        sa.CheckConstraint("signed_on IS NOT NULL", name="signed"),
        sa.CheckConstraint("estimated_cost >= 0", name="estimated_cost"),
    )
