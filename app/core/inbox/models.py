"""webhook_receipts (directive 14), and the bodies of receipts that are not settled yet."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain
from app.core.db.entity import Base, TenantEntity
from app.core.inbox.lifecycle import ReceiptStatus, receipt_lifecycle


class WebhookReceipt(TenantEntity):
    """`tenant_id` is null until the system has found the tenant. Row-level security hides the receipt until then.

    `provider` is the name of a declaration (`WebhookProvider`). `failure` is an error code, never a message.
    `reason` says why a receipt without a tenant was ignored. Other receipts have their reason in the audit log.
    """

    __tablename__ = "webhook_receipts"
    entity_type: ClassVar[str] = "webhook_receipt"

    tenant_id: Mapped[uuid.UUID | None] = internal(default=None, sort_order=-1)  # type: ignore[assignment]
    provider: Mapped[str] = plain()
    event_id: Mapped[str] = plain()
    raw_hash: Mapped[str] = plain()
    status: Mapped[ReceiptStatus] = plain(EnumText(ReceiptStatus), default=ReceiptStatus.RECEIVED)
    processed_at: Mapped[dt.datetime | None] = plain(default=None)
    failure: Mapped[str | None] = plain(default=None)
    reason: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        sa.UniqueConstraint("provider", "event_id", name="uq_webhook_receipts_event"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_webhook_receipts_tenant"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_webhook_receipts_tenant"),
        sa.Index("ix_webhook_receipts_tenant_status", "tenant_id", "status", "created_at"),
        sa.Index("ix_webhook_receipts_tenant_created_at", "tenant_id", "created_at"),
        sa.Index("ix_webhook_receipts_unclaimed", "created_at", postgresql_where=sa.text("tenant_id IS NULL")),
        receipt_lifecycle.check(),
    )


class WebhookBody(Base):
    """The verified body of a receipt that is received or failed, and when the job tries it next.

    Only the system role may read or write this table. A trigger of webhook_receipts deletes the row in the transaction
    that settles the receipt, and makes it due when the receipt is replayed. `next_attempt_at` is null when the job no
    longer looks for the tenant.
    """

    __tablename__ = "webhook_bodies"

    receipt_id: Mapped[uuid.UUID] = internal(primary_key=True)
    body: Mapped[bytes] = phi(sa.LargeBinary)
    attempts: Mapped[int] = internal(server_default=sa.text("0"))
    next_attempt_at: Mapped[dt.datetime | None] = internal()

    __table_args__ = (
        sa.ForeignKeyConstraint(["receipt_id"], ["webhook_receipts.id"], name="fk_webhook_bodies_receipt"),
        sa.Index("ix_webhook_bodies_next_attempt_at", "next_attempt_at"),
    )
