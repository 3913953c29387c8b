"""Queries for acts of advanced life support."""

from __future__ import annotations

from app.billing.als_acts.models import AlsAct
from app.core.repository import Repository


class AlsActRepository(Repository[AlsAct]):
    entity = AlsAct
    filters = ("state",)
