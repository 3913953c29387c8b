"""email_suppressions: the addresses that an agency's messages are not sent to."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class SuppressionReason(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class EmailSuppression(TenantEntity):
    """`address` is in lower case, as recipients are. `message_id`: the message that bounced or caused a complaint."""

    __tablename__ = "email_suppressions"
    entity_type: ClassVar[str] = "email_suppression"

    address: Mapped[str] = phi()
    reason: Mapped[SuppressionReason] = plain(EnumText(SuppressionReason))
    message_id: Mapped[uuid.UUID] = internal()

    __table_args__ = (
        *standard_constraints("email_suppressions"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["email_messages.tenant_id", "email_messages.id"],
            name="fk_email_suppressions_message_id",
        ),
        unique_among_live("uq_email_suppressions_address", "address"),
        values_check("reason", SuppressionReason),
    )
