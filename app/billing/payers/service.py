"""Payers as the other parts of billing find them. Clients keep them as reference records."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from app.billing.payers.models import PayerRecord
from app.billing.payers.repository import PayerRepository
from app.core.db.uow import ReadUnitOfWork
from app.core.text import name_key


async def find_payer(uow: ReadUnitOfWork, payer_record_id: uuid.UUID) -> PayerRecord | None:
    """The payer; None if it was deleted, or never was one of this agency."""
    return await PayerRepository(uow).find(uow.tenant_id, payer_record_id)


class ChartedPayers:
    """The agency's payers, found by what a crew wrote of one."""

    def __init__(self, payers: Iterable[PayerRecord]) -> None:
        self._payers = list(payers)

    def find(self, charted_id: str | None, charted_name: str | None) -> PayerRecord | None:
        """The payer with this id (ePayment.09), else the one of this name (ePayment.10). None if it is not certain."""
        if charted_id is not None:
            by_id = [payer for payer in self._payers if payer.payer_id.upper() == charted_id.upper()]
            if len(by_id) == 1:
                return by_id[0]
        key = "" if charted_name is None else name_key(charted_name)
        by_name = [payer for payer in self._payers if key and name_key(payer.name) == key]
        return by_name[0] if len(by_name) == 1 else None


async def charted_payers(uow: ReadUnitOfWork) -> ChartedPayers:
    """All payers of the agency, in one statement."""
    return ChartedPayers(await PayerRepository(uow).list_all(uow.tenant_id))
