"""claim_deliveries."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.billing.clearinghouses.models import DeliveryChannel
from app.billing.delivery.failures import DeliveryFailure
from app.billing.delivery.lifecycle import DeliveryStatus, delivery_lifecycle
from app.core.db.columns import EnumText, internal, plain, values_check
from app.core.db.entity import standard_constraints
from app.core.outbound.columns import OutboundEntity, lease_index


class ClaimDelivery(OutboundEntity):
    """One file of an export on its way. `clearinghouse_id` is null for a directory.

    `sha256` is that of the file as it was exported. Other bytes are not delivered.
    """

    __tablename__ = "claim_deliveries"
    entity_type: ClassVar[str] = "claim_delivery"

    export_id: Mapped[uuid.UUID] = internal()
    file_number: Mapped[int] = plain()
    artifact_key: Mapped[str] = plain()
    file_name: Mapped[str] = plain()
    sha256: Mapped[str] = plain()
    channel: Mapped[DeliveryChannel] = plain(EnumText(DeliveryChannel))
    clearinghouse_id: Mapped[uuid.UUID | None] = plain(default=None)
    status: Mapped[DeliveryStatus] = plain(EnumText(DeliveryStatus), default=DeliveryStatus.QUEUED)
    failure_code: Mapped[DeliveryFailure | None] = plain(EnumText(DeliveryFailure), default=None)
    delivered_at: Mapped[dt.datetime | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("claim_deliveries", "status", "export_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clearinghouse_id"],
            ["clearinghouses.tenant_id", "clearinghouses.id"],
            name="fk_claim_deliveries_clearinghouse_id",
        ),
        lease_index("claim_deliveries"),
        values_check("channel", DeliveryChannel),
        values_check("failure_code", DeliveryFailure),
        sa.CheckConstraint("channel <> 'sftp' OR clearinghouse_id IS NOT NULL", name="clearinghouse_id"),
        sa.CheckConstraint("status <> 'succeeded' OR delivered_at IS NOT NULL", name="succeeded"),
        delivery_lifecycle.check(),
    )
