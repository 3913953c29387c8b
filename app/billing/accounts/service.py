"""Keeping billing accounts, and finding the one of a patient."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends

from app.billing.accounts.models import BillingAccount
from app.billing.accounts.numbers import new_account_number
from app.billing.accounts.repository import AccountPatientRepository, AccountRepository
from app.billing.accounts.schemas import AccountCreate, AccountPatch, AccountPatientRead, AccountRead
from app.billing.errors import AccountInUse
from app.billing.permissions import ACCOUNT_WRITE, CLAIM_RESTORE
from app.core.addresses import address_problems
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import Problem, refuse
from app.core.idempotency.creation import Creation
from app.core.pagination import Page, Paging, PagingWithDeleted
from app.core.repository import require_version


class AccountAction(AuditAction):
    CREATED = "billing_account.created"
    REVISED = "billing_account.revised"
    DELETED = "billing_account.deleted"
    RESTORED = "billing_account.restored"


async def account_of(uow: ReadUnitOfWork, patient_id: uuid.UUID) -> BillingAccount | None:
    """The billing account that the patient of a call is joined to; None before a biller confirmed a match."""
    return await AccountRepository(uow).find_of_patient(uow.tenant_id, patient_id)


class AccountReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._accounts = AccountRepository(uow)

    async def get(self, account_id: uuid.UUID) -> AccountRead:
        """Raises NotFound."""
        return AccountRead.of(await self._accounts.get(self._uow.tenant_id, account_id))

    async def list_page(self, paging: PagingWithDeleted) -> Page[AccountRead]:
        """Newest first. Raises Forbidden when deleted ones are asked for by anyone but an admin."""
        listed = self._accounts.list_page
        if paging.include_deleted:
            self._uow.principal.require(CLAIM_RESTORE)
            listed = self._accounts.list_including_deleted
        page = await listed(self._uow.tenant_id, paging)
        return Page(items=[AccountRead.of(account) for account in page.items], next_cursor=page.next_cursor)

    async def list_patients(self, account_id: uuid.UUID, paging: Paging) -> Page[AccountPatientRead]:
        """The patients who are joined to the account. Raises NotFound for the account."""
        await self._accounts.get(self._uow.tenant_id, account_id)
        joined = AccountPatientRepository(self._uow)
        page = await joined.list_page(self._uow.tenant_id, paging, account_id=account_id)
        return Page(items=[AccountPatientRead.of(one) for one in page.items], next_cursor=page.next_cursor)


class AccountService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._accounts = AccountRepository(uow)
        self._patients = AccountPatientRepository(uow)

    async def create(self, given: AccountCreate, creation: Creation) -> AccountRead:
        """Raises Forbidden, ValidationFailed."""
        self._uow.principal.require(ACCOUNT_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return AccountRead.of(await self._accounts.get(self._uow.tenant_id, reservation.entity_id))
        account = BillingAccount(
            id=reservation.entity_id,
            tenant_id=self._uow.tenant_id,
            account_number=new_account_number(),
            **given.values(),
        )
        refuse(_problems(account))
        await self._uow.create(account, AccountAction.CREATED)
        return AccountRead.of(account)

    async def revise(self, account_id: uuid.UUID, patch: AccountPatch) -> AccountRead:
        """Raises Forbidden, NotFound, Conflict (stale), ValidationFailed."""
        self._uow.principal.require(ACCOUNT_WRITE)
        account = await self._accounts.get(self._uow.tenant_id, account_id)
        require_version(account, patch.version)
        async with self._uow.change(account, AccountAction.REVISED):
            for name, value in patch.changes().items():
                setattr(account, name, value)
            refuse(_problems(account))
        return AccountRead.of(account)

    async def delete(self, account_id: uuid.UUID, version: int) -> None:
        """Soft delete. Raises Forbidden, NotFound, AccountInUse, Conflict (stale)."""
        self._uow.principal.require(ACCOUNT_WRITE)
        account = await self._accounts.get_for_update(self._uow.tenant_id, account_id)
        require_version(account, version)
        if await self._patients.has_patients(self._uow.tenant_id, account_id):
            raise AccountInUse
        async with self._uow.change(account, AccountAction.DELETED):
            account.deleted_at = utcnow()

    async def restore(self, account_id: uuid.UUID, version: int) -> AccountRead:
        """Raises Forbidden, NotFound, Conflict (stale)."""
        self._uow.principal.require(CLAIM_RESTORE)
        account = await self._accounts.get_including_deleted(self._uow.tenant_id, account_id)
        require_version(account, version)
        async with self._uow.change(account, AccountAction.RESTORED):
            account.deleted_at = None
        return AccountRead.of(account)


def _problems(account: BillingAccount) -> Iterator[Problem]:
    yield from address_problems(account)
    born, died = account.date_of_birth, account.date_of_death
    if born is not None and died is not None and died < born:
        yield Problem("date_of_death", "before_the_birth", "Nobody dies before their birth.")


async def account_service(uow: Uow) -> AccountService:
    return AccountService(uow)


async def account_reader(uow: ReadUow) -> AccountReader:
    return AccountReader(uow)


Accounts = Annotated[AccountService, Depends(account_service)]
AccountReads = Annotated[AccountReader, Depends(account_reader)]
