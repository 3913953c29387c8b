"""payers."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import plain
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class PayerRecord(TenantEntity):
    """An insurer as this agency bills it. Its rules are data: they differ from payer to payer and change.

    `edits` switches claim edits for this payer: an edit's id leads to "off", "warning" or "blocking".
    `timely_filing_days` count from the date of service. `takes_replacements`: CLM05-3 may be 7 or 8.
    """

    __tablename__ = "payers"
    entity_type: ClassVar[str] = "payer"

    name: Mapped[str] = plain()
    payer_id: Mapped[str] = plain()
    claim_filing_code: Mapped[str] = plain()
    timely_filing_days: Mapped[int | None] = plain(default=None)
    appeal_days: Mapped[int | None] = plain(default=None)
    takes_replacements: Mapped[bool] = plain(default=False, server_default=sa.false())
    requires_prior_authorization: Mapped[bool] = plain(default=False, server_default=sa.false())
    wants_paper: Mapped[bool] = plain(default=False, server_default=sa.false())
    edits: Mapped[dict[str, Any]] = plain(
        JSONB(none_as_null=True), default_factory=dict, server_default=sa.text("'{}'::jsonb")
    )
    street: Mapped[str | None] = plain(default=None)
    unit: Mapped[str | None] = plain(default=None)
    city: Mapped[str | None] = plain(default=None)
    state: Mapped[str | None] = plain(default=None)
    zip: Mapped[str | None] = plain(default=None)
    phone: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("payers", "payer_id"),
        unique_among_live("uq_payers_name", "name"),
        sa.CheckConstraint("timely_filing_days > 0", name="timely_filing_days"),
        sa.CheckConstraint("appeal_days > 0", name="appeal_days"),
    )
