"""`Creation` decides, inside the unit of work, whether a creating request is new or a repetition."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response
from sqlalchemy.dialects.postgresql import insert

from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import IdempotencyKeyReused, IdTaken
from app.core.idempotency.models import IdempotencyKey
from app.core.ids import new_id
from app.core.schemas import CreateModel, RequestModel

_table: Any = IdempotencyKey.__table__
_COLUMNS = ("id", "tenant_id", "key", "fingerprint", "entity_id")
_RESERVE = CompiledStatement(
    insert(_table)
    .values({name: sa.bindparam(name, type_=_table.c[name].type) for name in _COLUMNS})
    .on_conflict_do_nothing(index_elements=["tenant_id", "key"])
    .returning(_table.c.entity_id)
)
_FIND = CompiledStatement(
    sa.select(_table.c.fingerprint, _table.c.entity_id).where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=_table.c.tenant_id.type),
        _table.c.key == sa.bindparam("key", type_=_table.c.key.type),
    )
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """`repeated`: the resource `entity_id` exists already, and the answer shows its present state."""

    entity_id: uuid.UUID
    repeated: bool


class Creation:
    """One creating request. A client-made id counts as a key of its own."""

    def __init__(self, response: Response, route: str, key: str | None) -> None:
        self._response = response
        self._route = route
        self._key = key

    async def reserve(self, uow: UnitOfWork, given: RequestModel, *, entity_id: uuid.UUID | None = None) -> Reservation:
        """The id for the new resource, or the id that the same request created before.

        A repeated client-made id answers 200; a repeated Idempotency-Key answers the first status. Raises
        IdempotencyKeyReused or IdTaken when the key or the id was used with another body. Of two equal requests at
        once, the second waits.
        `entity_id`: the id to use if it had to be known before this unit of work.
        """
        named = given.id if isinstance(given, CreateModel) else None
        entity_id = named or entity_id or new_id()
        if self._key is None and named is None:
            return Reservation(entity_id, repeated=False)
        fingerprint = self._fingerprint(given)
        if self._key is not None:
            first = await self._first(uow, f"key:{self._key}", fingerprint, entity_id)
            if first is not None:
                if first[0] != fingerprint:
                    raise IdempotencyKeyReused
                return Reservation(first[1], repeated=True)
        if named is not None:
            first = await self._first(uow, f"id:{named}", fingerprint, entity_id)
            if first is not None:
                if first[0] != fingerprint:
                    raise IdTaken
                self._response.status_code = 200
                return Reservation(entity_id, repeated=True)
        return Reservation(entity_id, repeated=False)

    async def find_repeated(self, uow: ReadUnitOfWork, given: RequestModel) -> uuid.UUID | None:
        """The id that this request created before by its Idempotency-Key, or None. Raises IdempotencyKeyReused.

        It reserves nothing. Endpoints that record their result in a later unit of work use it; `reserve` decides there.
        """
        if self._key is None:
            return None
        first = await uow.fetch_row(_FIND, {"tenant_id": uow.tenant_id, "key": f"key:{self._key}"})
        if first is None:
            return None
        if first[0] != self._fingerprint(given):
            raise IdempotencyKeyReused
        entity_id: uuid.UUID = first[1]
        return entity_id

    def _fingerprint(self, given: RequestModel) -> bytes:
        return hashlib.sha256(f"{self._route}\n{given.model_dump_json(exclude_unset=True)}".encode()).digest()

    async def _first(self, uow: UnitOfWork, key: str, fingerprint: bytes, entity_id: uuid.UUID) -> Any:
        """None when this request is the first; else (fingerprint, entity_id) of the first one."""
        values = {"id": new_id(), "tenant_id": uow.tenant_id, "key": key, "fingerprint": fingerprint}
        if await uow.fetch_row(_RESERVE, {**values, "entity_id": entity_id}) is not None:
            return None
        return await uow.fetch_row(_FIND, values)


async def creation(
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="The same key and body return the first result; another body answers 409",
        ),
    ] = None,
) -> Creation:
    return Creation(response, request.url.path, idempotency_key)


CreationDependency = Annotated[Creation, Depends(creation)]
