"""Finds the billing accounts that may be a patient's."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.accounts.models import AccountPatient, BillingAccount
from app.billing.coverages.models import Coverage
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

MOST_CANDIDATES = 200
_accounts: Any = BillingAccount.__table__
_patients: Any = AccountPatient.__table__
_coverages: Any = Coverage.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)


def _bound(name: str, kind: Any = sa.Text) -> Any:
    return sa.bindparam(name, type_=kind)


def _holding(*conditions: Any) -> Any:
    """Ids of accounts by what they say of their person."""
    return sa.select(_accounts.c.id).where(
        _accounts.c.tenant_id == _TENANT, _accounts.c.deleted_at.is_(None), *conditions
    )


_JOINED = sa.select(_patients.c.account_id).where(_patients.c.tenant_id == _TENANT, _patients.c.deleted_at.is_(None))
_OF_PERSONS = _JOINED.where(_patients.c.patient_id == sa.any_(_bound("persons", ARRAY(sa.Uuid()))))
_OF_MEMBERS = _JOINED.join(
    _coverages,
    sa.and_(_coverages.c.tenant_id == _patients.c.tenant_id, _coverages.c.patient_id == _patients.c.patient_id),
).where(_coverages.c.member_id == sa.any_(_bound("member_ids", ARRAY(sa.Text))), _coverages.c.deleted_at.is_(None))
_NAMED = (_accounts.c.last_name_key == _bound("last_name"), _accounts.c.first_name_key == _bound("first_name"))
_BORN = _accounts.c.date_of_birth == _bound("date_of_birth", sa.Date)
_FOUND = sa.union(
    _holding(*_NAMED),
    _holding(_NAMED[0], _BORN),
    _holding(_NAMED[1], _BORN),
    _holding(
        _accounts.c.last_name_key == _bound("guarantor_last_name"),
        _accounts.c.first_name_key == _bound("guarantor_first_name"),
    ),
    _OF_PERSONS,
    _OF_MEMBERS,
).subquery()
_CANDIDATES = CompiledStatement(
    sa.select(
        *_accounts.c,
        _accounts.c.id.in_(_OF_PERSONS).label("same_person"),
        _accounts.c.id.in_(_OF_MEMBERS).label("same_member"),
    )
    .where(
        _accounts.c.tenant_id == _TENANT,
        _accounts.c.deleted_at.is_(None),
        _accounts.c.id.in_(sa.select(_FOUND.c[0])),
    )
    .order_by(sa.desc("same_person"), sa.desc("same_member"), _accounts.c.created_at, _accounts.c.id)
    .limit(sa.literal_column(str(MOST_CANDIDATES)))
)


class Wanted(NamedTuple):
    """What candidates are looked for by. Names are keys. An empty part finds nothing."""

    last_name: str | None
    first_name: str | None
    date_of_birth: dt.date | None
    guarantor_last_name: str | None
    guarantor_first_name: str | None
    persons: Collection[uuid.UUID]
    member_ids: Collection[str]


class CandidateRepository(Repository[BillingAccount]):
    entity = BillingAccount

    async def list_candidates(self, tenant_id: TenantId, wanted: Wanted) -> list[tuple[BillingAccount, bool, bool]]:
        """Live accounts, each with whether one of the persons, and whether one of the members, is joined to it."""
        values = {**wanted._asdict(), "persons": list(wanted.persons), "member_ids": list(wanted.member_ids)}
        rows = await self.uow.fetch(_CANDIDATES, {**values, "tenant_id": tenant_id})
        accounts = self._built(row[: len(_accounts.c)] for row in rows)
        return [(account, row["same_person"], row["same_member"]) for account, row in zip(accounts, rows, strict=True)]
