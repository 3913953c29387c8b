"""Queries for payers."""

from __future__ import annotations

from app.billing.payers.models import PayerRecord
from app.core.repository import Repository


class PayerRepository(Repository[PayerRecord]):
    entity = PayerRecord
