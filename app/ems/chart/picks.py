"""Records of the agency that a chart names, such as a vehicle. The chart keeps what they said when it named them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.core.db.entity import TenantEntity
from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.core.reference.repository import ReferenceRepository
from app.core.schemas import ReadModel


@dataclass(frozen=True)
class Pick:
    """A column that names a record of `entity`, and the column `snapshot` that keeps the record's fields of `model`.

    `refusal` gives the problem of a record that exists and may not be named, as (code, message).
    """

    column: str
    snapshot: str
    noun: str
    entity: type[TenantEntity]
    model: type[ReadModel]
    refusal: Callable[[Any], tuple[str, str] | None] = lambda _: None


async def take_snapshots(uow: UnitOfWork, entry: Any, columns: Iterable[str]) -> None:
    """Fill the snapshots of the picks among `columns`. One statement for each record; it is locked FOR SHARE.

    A later change of the record, its retirement or its deletion changes no chart.
    Raises ValidationFailed for a record that is unknown, deleted or another agency's, or that may not be named.
    """
    named = set(columns)
    for pick in entry.picks:
        if pick.column in named:
            setattr(entry, pick.snapshot, await _snapshot(uow, pick, getattr(entry, pick.column)))


async def _snapshot(uow: UnitOfWork, pick: Pick, record_id: uuid.UUID | None) -> dict[str, Any] | None:
    if record_id is None:
        return None
    records: ReferenceRepository[Any] = ReferenceRepository(uow, pick.entity)
    record = await records.find_for_share(uow.tenant_id, record_id)
    if record is None:
        raise ValidationFailed.of(pick.column, f"unknown_{pick.noun}", f"The agency has no such {pick.noun}.")
    refusal = pick.refusal(record)
    if refusal is not None:
        raise ValidationFailed.of(pick.column, *refusal)
    return pick.model.model_validate(record).model_dump(mode="json")
