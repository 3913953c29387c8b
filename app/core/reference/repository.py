"""Queries for any kind of reference record."""

from __future__ import annotations

from app.core.db.entity import E
from app.core.db.uow import ReadUnitOfWork
from app.core.repository import Repository


class ReferenceRepository(Repository[E]):
    """`entity` and `filters` come from the kind's declaration, not from a subclass."""

    def __init__(self, uow: ReadUnitOfWork, entity: type[E], filters: tuple[str, ...] = ()) -> None:
        self.entity = entity
        self.filters = filters
        super().__init__(uow)
