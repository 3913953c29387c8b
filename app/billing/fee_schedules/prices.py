"""Which price holds for a service on a day: that of the payer's contract before the gross one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.billing.fee_schedules.repository import PricedItem, PriceRepository
from app.core.db.uow import ReadUnitOfWork


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` is of one unit. `item_id` and `version` say where it stands; a claim line keeps `fee_item_id`."""

    amount: Decimal
    schedule_id: uuid.UUID
    item_id: uuid.UUID
    version: int


class PriceBook:
    """Prices that were read at once, so that many claims are priced by one statement."""

    def __init__(self, items: Iterable[PricedItem]) -> None:
        self._items: dict[tuple[uuid.UUID | None, str], list[PricedItem]] = {}
        for item in items:
            self._items.setdefault((item.payer_record_id, item.hcpcs), []).append(item)

    def find(self, payer_record_id: uuid.UUID | None, hcpcs: str, on: dt.date) -> Price | None:
        """The price of a service for a payer on a day: of the contract, else gross; None if there is neither."""
        owners = (None,) if payer_record_id is None else (payer_record_id, None)
        for owner in owners:
            for item in self._items.get((owner, hcpcs), ()):
                if item.is_in_force(on):
                    return Price(item.unit_price, item.schedule_id, item.item_id, item.version)
        return None


async def read_prices(
    uow: ReadUnitOfWork, payer_record_ids: Sequence[uuid.UUID], codes: Sequence[str], first: dt.date, last: dt.date
) -> PriceBook:
    """Gross prices and those of these payers, for dates of service from `first` to `last`: one statement."""
    items = await PriceRepository(uow).list_in_force(
        uow.tenant_id, payer_record_ids=payer_record_ids, codes=codes, first=first, last=last
    )
    return PriceBook(items)


async def prices(
    uow: ReadUnitOfWork, payer_record_id: uuid.UUID | None, codes: Iterable[str], on: dt.date
) -> dict[str, Price]:
    """The price of each code that has one: one statement for all of them."""
    wanted = sorted(set(codes))
    payers = [] if payer_record_id is None else [payer_record_id]
    book = await read_prices(uow, payers, wanted, on, on)
    found = {code: book.find(payer_record_id, code, on) for code in wanted}
    return {code: price for code, price in found.items() if price is not None}
