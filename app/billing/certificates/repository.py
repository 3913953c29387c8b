"""The certification that serves a transport."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from app.billing.accounts.models import AccountPatient
from app.billing.certificates.models import Certificate
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_table: Any = Certificate.__table__
_mine: Any = AccountPatient.__table__.alias("mine")
_same: Any = AccountPatient.__table__.alias("same")
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_PATIENT = sa.bindparam("patient_id", type_=sa.Uuid)
_ON = sa.bindparam("served_on", type_=sa.Date)
_OF_THE_PERSON = (
    sa.select(_same.c.patient_id)
    .join(_mine, sa.and_(_mine.c.tenant_id == _same.c.tenant_id, _mine.c.account_id == _same.c.account_id))
    .where(
        _same.c.tenant_id == _TENANT,
        _mine.c.patient_id == _PATIENT,
        _mine.c.deleted_at.is_(None),
        _same.c.deleted_at.is_(None),
    )
)
_SERVING = CompiledStatement(
    sa.select(*_table.c)
    .where(
        _table.c.tenant_id == _TENANT,
        _table.c.deleted_at.is_(None),
        sa.or_(
            sa.and_(sa.not_(_table.c.is_repetitive), _table.c.patient_id == _PATIENT),
            sa.and_(
                _table.c.is_repetitive,
                sa.or_(_table.c.patient_id == _PATIENT, _table.c.patient_id.in_(_OF_THE_PERSON)),
                _table.c.valid_from <= _ON,
                _table.c.valid_to >= _ON,
            ),
        ),
    )
    .order_by((_table.c.patient_id == _PATIENT).desc(), _table.c.signed_on.desc().nulls_last(), _table.c.id)
    .limit(sa.literal_column("1"))
)


class CertificateRepository(Repository[Certificate]):
    entity = Certificate

    async def find_serving(self, tenant_id: TenantId, patient_id: uuid.UUID, served_on: dt.date) -> Certificate | None:
        """The patient's own, a signed one first; else an order in force that came with another call of the account."""
        values = {"tenant_id": tenant_id, "patient_id": patient_id, "served_on": served_on}
        row = await self.uow.fetch_row(_SERVING, values)
        return None if row is None else self._built((row,))[0]
