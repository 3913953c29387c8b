"""Queries for billing accounts and the patients who are joined to them."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from app.billing.accounts.models import AccountPatient, BillingAccount
from app.core.db.sql import CompiledStatement
from app.core.ids import TenantId
from app.core.repository import Repository

_accounts: Any = BillingAccount.__table__
_patients: Any = AccountPatient.__table__
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_OF_PATIENT = CompiledStatement(
    sa.select(*_accounts.c)
    .join(_patients, sa.and_(_patients.c.tenant_id == _accounts.c.tenant_id, _patients.c.account_id == _accounts.c.id))
    .where(
        _accounts.c.tenant_id == _TENANT,
        _accounts.c.deleted_at.is_(None),
        _patients.c.patient_id == sa.bindparam("patient_id", type_=sa.Uuid),
        _patients.c.deleted_at.is_(None),
    )
)
_HAS_PATIENTS = CompiledStatement(
    sa.select(
        sa.exists().where(
            _patients.c.tenant_id == _TENANT,
            _patients.c.account_id == sa.bindparam("account_id", type_=sa.Uuid),
            _patients.c.deleted_at.is_(None),
        )
    )
)


class AccountRepository(Repository[BillingAccount]):
    entity = BillingAccount

    async def find_of_patient(self, tenant_id: TenantId, patient_id: uuid.UUID) -> BillingAccount | None:
        """The account that the patient is joined to."""
        row = await self.uow.fetch_row(_OF_PATIENT, {"tenant_id": tenant_id, "patient_id": patient_id})
        return None if row is None else self._built((row,))[0]


class AccountPatientRepository(Repository[AccountPatient]):
    entity = AccountPatient
    filters = ("account_id",)

    async def has_patients(self, tenant_id: TenantId, account_id: uuid.UUID) -> bool:
        """True if a patient is joined to the account."""
        row = await self.uow.fetch_row(_HAS_PATIENTS, {"tenant_id": tenant_id, "account_id": account_id})
        return bool(row[0])
