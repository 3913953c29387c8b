"""billing/accounts."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.accounts.schemas import AccountCreate, AccountPatch, AccountPatientRead, AccountRead
from app.billing.accounts.service import AccountReads, Accounts
from app.billing.permissions import ACCOUNT_READ, ACCOUNT_WRITE, CLAIM_RESTORE
from app.core.dependencies import requires
from app.core.idempotency.creation import CreationDependency
from app.core.pagination import Page, PagingQuery, PagingWithDeletedQuery
from app.core.schemas import RestoreRequest, VersionQuery

router = APIRouter(prefix="/billing/accounts", tags=["billing"])


@router.post("", status_code=201, dependencies=[requires(ACCOUNT_WRITE)])
async def create_billing_account(given: AccountCreate, accounts: Accounts, creation: CreationDependency) -> AccountRead:
    """Open an account of a person who is responsible for bills. It gets a number that no other account has."""
    return await accounts.create(given, creation)


@router.get("", dependencies=[requires(ACCOUNT_READ)])
async def list_billing_accounts(accounts: AccountReads, paging: PagingWithDeletedQuery) -> Page[AccountRead]:
    """Accounts, newest first. `include_deleted` is for admins."""
    return await accounts.list_page(paging)


@router.get("/{account_id}", dependencies=[requires(ACCOUNT_READ)])
async def get_billing_account(account_id: uuid.UUID, accounts: AccountReads) -> AccountRead:
    """One account."""
    return await accounts.get(account_id)


@router.patch("/{account_id}", dependencies=[requires(ACCOUNT_WRITE)])
async def revise_billing_account(account_id: uuid.UUID, patch: AccountPatch, accounts: Accounts) -> AccountRead:
    """Change an account: `version` and the fields that changed. Its number stays."""
    return await accounts.revise(account_id, patch)


@router.delete("/{account_id}", status_code=204, dependencies=[requires(ACCOUNT_WRITE)])
async def delete_billing_account(account_id: uuid.UUID, version: VersionQuery, accounts: Accounts) -> None:
    """Soft-delete an account that no patient is joined to."""
    await accounts.delete(account_id, version)


@router.post("/{account_id}/restore", dependencies=[requires(CLAIM_RESTORE)])
async def restore_billing_account(account_id: uuid.UUID, given: RestoreRequest, accounts: Accounts) -> AccountRead:
    """Bring a deleted account back."""
    return await accounts.restore(account_id, given.version)


@router.get("/{account_id}/patients", dependencies=[requires(ACCOUNT_READ)])
async def list_billing_account_patients(
    account_id: uuid.UUID, accounts: AccountReads, paging: PagingQuery
) -> Page[AccountPatientRead]:
    """The patients of calls whose bills go to the account, newest first."""
    return await accounts.list_patients(account_id, paging)
