"""What of billing/accounts is about the patients of calls."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.accounts.schemas import AccountPatientRead
from app.billing.matching.schemas import AccountJoin, AccountMatches
from app.billing.matching.service import JoinsAccounts, MatchesAccounts
from app.billing.permissions import ACCOUNT_READ, ACCOUNT_WRITE
from app.core.dependencies import requires
from app.core.idempotency.creation import CreationDependency
from app.core.openapi import errors
from app.core.schemas import VersionQuery

router = APIRouter(prefix="/billing/accounts", tags=["billing"])


@router.get("/matches", responses=errors(404), dependencies=[requires(ACCOUNT_READ)])
async def match_billing_accounts(
    incident_id: uuid.UUID, patient_id: uuid.UUID, accounts: MatchesAccounts
) -> AccountMatches:
    """Accounts that may be the patient's, with score and reasons, and a new one as the chart suggests it."""
    return await accounts.matches(incident_id, patient_id)


@router.post("/{account_id}/patients", status_code=201, dependencies=[requires(ACCOUNT_WRITE)])
async def join_billing_account(
    account_id: uuid.UUID, given: AccountJoin, accounts: JoinsAccounts, creation: CreationDependency
) -> AccountPatientRead:
    """Confirm that the patient's bills go to the account. The patient's claims name it from now on."""
    return await accounts.join(account_id, given, creation)


@router.delete("/{account_id}/patients/{account_patient_id}", status_code=204, dependencies=[requires(ACCOUNT_WRITE)])
async def part_billing_account(
    account_id: uuid.UUID, account_patient_id: uuid.UUID, version: VersionQuery, accounts: JoinsAccounts
) -> None:
    """Undo a join. The patient's claims name no account any more; the patient may be joined to another one."""
    await accounts.part(account_id, account_patient_id, version)
