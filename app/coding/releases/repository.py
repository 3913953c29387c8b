"""The loaded releases. Each lookup reads them together with the agency's vocabulary version, in one statement."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.coding.releases.models import CodeRelease, CodeSystem
from app.coding.vocabulary.models import VocabularyTerm
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork, Transaction

_releases: Any = CodeRelease.__table__
_terms: Any = VocabularyTerm.__table__
_SYSTEM = sa.bindparam("code_system", type_=sa.Text)
NEWEST = (
    sa.select(*_releases.c)
    .where(_releases.c.code_system == _SYSTEM, _releases.c.deleted_at.is_(None))
    .order_by(_releases.c.effective_from.desc(), _releases.c.created_at.desc(), _releases.c.id.desc())
    .limit(1)
)
"""The newest row of `code_system`."""
_CURRENT = CompiledStatement(NEWEST)
_STATE = CompiledStatement(
    sa.select(
        sa.select(NEWEST.subquery().c.id).scalar_subquery().label("release_id"),
        # It grows only with committed changes, deletions included.
        sa.select(sa.func.coalesce(sa.func.sum(_terms.c.version), 0))
        .where(_terms.c.tenant_id == sa.bindparam("tenant_id", type_=sa.Uuid))
        .scalar_subquery()
        .label("vocabulary_version"),
    )
)


@dataclass(frozen=True, slots=True)
class CodeState:
    """`release_id` is None before the first import. `vocabulary_version` is 0 for an agency without own terms."""

    release_id: uuid.UUID | None
    vocabulary_version: int


async def read_state(uow: ReadUnitOfWork, system: CodeSystem | None) -> CodeState:
    """The state. A `system` of None is a code set that ships with the service; only its vocabulary has a version."""
    row = await uow.fetch_row(_STATE, {"code_system": system, "tenant_id": uow.tenant_id})
    return CodeState(row["release_id"], row["vocabulary_version"])


async def find_current_release(transaction: Transaction, system: CodeSystem) -> Any:
    """The newest row of the code system, or None before the first import."""
    return await transaction.fetch_row(_CURRENT, {"code_system": system})
