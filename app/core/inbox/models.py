"""webhook_receipts (directive 14)."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, plain, values_check
from app.core.db.entity import TenantEntity
from app.core.inbox.lifecycle import ReceiptStatus, receipt_lifecycle


class Provider(StrEnum):
    STRIPE = "stripe"
    TELNYX = "telnyx"
    SES = "ses"


class WebhookReceipt(TenantEntity):
    """`tenant_id` is null until the system has found whose event it is; row-level security hides it until then."""

    __tablename__ = "webhook_receipts"
    entity_type: ClassVar[str] = "webhook_receipt"

    tenant_id: Mapped[uuid.UUID | None] = internal(default=None, sort_order=-1)  # type: ignore[assignment]
    provider: Mapped[Provider] = plain(EnumText(Provider))
    event_id: Mapped[str] = plain()
    raw_hash: Mapped[str] = plain()
    status: Mapped[ReceiptStatus] = plain(EnumText(ReceiptStatus), default=ReceiptStatus.RECEIVED)
    processed_at: Mapped[dt.datetime | None] = plain(default=None)
    failure: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        sa.UniqueConstraint("provider", "event_id", name="uq_webhook_receipts_event"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_webhook_receipts_tenant"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_webhook_receipts_tenant"),
        sa.Index("ix_webhook_receipts_tenant_status", "tenant_id", "status", "created_at"),
        sa.Index("ix_webhook_receipts_tenant_created_at", "tenant_id", "created_at"),
        values_check("provider", Provider),
        receipt_lifecycle.check(),
    )
