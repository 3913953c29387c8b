"""Suppressions as administrators see them."""

from __future__ import annotations

import uuid

from app.core.schemas import EntityRead
from app.email.suppressions.models import SuppressionReason


class SuppressionRead(EntityRead):
    address: str
    reason: SuppressionReason
    message_id: uuid.UUID
