"""Queries for clearinghouses."""

from __future__ import annotations

from app.billing.clearinghouses.models import Clearinghouse
from app.core.repository import Repository


class ClearinghouseRepository(Repository[Clearinghouse]):
    entity = Clearinghouse
