"""Stores verdicts and finds the last one of each claim."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from app.billing.edits.models import ClaimScrub
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.ids import TenantId, new_id

_table: Any = ClaimScrub.__table__
_COLUMNS = ("id", "tenant_id", "claim_id", "claim_version", "blocking", "warnings", "findings")
_INSERT = CompiledStatement(
    sa.insert(_table).values({name: sa.bindparam(name, type_=_table.c[name].type) for name in _COLUMNS})
)
_LATEST = CompiledStatement(
    sa.select(_table.c.claim_id, _table.c.claim_version, _table.c.findings, _table.c.created_at)
    .ext(distinct_on(_table.c.claim_id))
    .where(
        _table.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid),
        _table.c.claim_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
    )
    .order_by(_table.c.claim_id, _table.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """A verdict as it was stored: {edit, severity, field, code, message} of each finding."""

    claim_version: int
    findings: Sequence[Mapping[str, str]]
    judged_at: dt.datetime


class ScrubRepository:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def latest(self, tenant_id: TenantId, claim_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, KeptVerdict]:
        """The last verdict on each claim. A claim that was never judged is absent."""
        rows = await self._uow.fetch(_LATEST, {"tenant_id": tenant_id, "ids": list(claim_ids)})
        return {row["claim_id"]: KeptVerdict(row["claim_version"], row["findings"], row["created_at"]) for row in rows}


async def add_verdict(
    uow: UnitOfWork, claim_id: uuid.UUID, claim_version: int, findings: list[dict[str, str]], *, blocking: int
) -> None:
    """Stores a verdict. The claim's own counts follow."""
    await uow.fetch(
        _INSERT,
        {
            "id": new_id(),
            "tenant_id": uow.tenant_id,
            "claim_id": claim_id,
            "claim_version": claim_version,
            "blocking": blocking,
            "warnings": len(findings) - blocking,
            "findings": findings,
        },
    )
