"""An account's statement, and billing/ageing."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.permissions import LEDGER_READ
from app.billing.statements.schemas import AgeingTable, StatementRead
from app.billing.statements.service import Statements
from app.core.dependencies import requires

router = APIRouter(prefix="/billing", tags=["billing"])


@router.get("/accounts/{account_id}/statement", dependencies=[requires(LEDGER_READ)])
async def get_account_statement(account_id: uuid.UUID, statements: Statements) -> StatementRead:
    """What the claims of a billing account come to, one by one and together."""
    return await statements.of_account(account_id)


@router.get("/ageing", dependencies=[requires(LEDGER_READ)])
async def get_ageing(statements: Statements) -> AgeingTable:
    """Open balances of each payer by days since the service."""
    return await statements.ageing()
