"""Queries for any kind of paper."""

from __future__ import annotations

from app.billing.paperwork.kinds import P
from app.core.db.uow import ReadUnitOfWork
from app.core.repository import Repository


class PaperRepository(Repository[P]):
    """`entity` comes from the kind's declaration, not from a subclass."""

    filters = ("incident_id", "patient_id")

    def __init__(self, uow: ReadUnitOfWork, entity: type[P]) -> None:
        self.entity = entity
        super().__init__(uow)
