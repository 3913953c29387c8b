"""Queries for deliveries."""

from __future__ import annotations

from app.billing.delivery.models import ClaimDelivery
from app.core.repository import Repository


class DeliveryRepository(Repository[ClaimDelivery]):
    entity = ClaimDelivery
    filters = ("export_id",)
