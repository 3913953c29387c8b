"""Reads what the ledger comes to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends

from app.billing.accounts.repository import AccountRepository
from app.billing.claims.repository import ClaimRepository
from app.billing.ledger.accounts import Account
from app.billing.ledger.entries import Standing
from app.billing.ledger.repository import EntryRepository
from app.billing.permissions import LEDGER_READ
from app.billing.statements.repository import BalanceRepository
from app.billing.statements.schemas import AgeingRead, AgeingTable, MoneyRead, StatementClaimRead, StatementRead
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow
from app.core.tenants.public import current_tenant


class StatementReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def of_account(self, account_id: uuid.UUID) -> StatementRead:
        """Three statements. Raises Forbidden, NotFound."""
        self._uow.principal.require(LEDGER_READ)
        tenant_id = self._uow.tenant_id
        await AccountRepository(self._uow).get(tenant_id, account_id)
        claims = await ClaimRepository(self._uow).list_all(tenant_id, account_id=account_id)
        standings = await EntryRepository(self._uow).standings(tenant_id, [claim.id for claim in claims])
        shown = [
            StatementClaimRead(
                claim_id=claim.id,
                claim_number=claim.claim_number,
                status=claim.status,
                service_date=claim.service_date,
                payer_name=claim.payer_name,
                **_money(standings[claim.id]),
            )
            for claim in claims
        ]
        return StatementRead(account_id=account_id, total=_total(shown), claims=shown)

    async def ageing(self) -> AgeingTable:
        """Two statements. Raises Forbidden."""
        self._uow.principal.require(LEDGER_READ)
        zone = ZoneInfo((await current_tenant(self._uow)).time_zone)
        today = utcnow().astimezone(zone).date()
        rows = await BalanceRepository(self._uow).list_by_age(self._uow.tenant_id, today)
        return AgeingTable(as_of=today, items=[AgeingRead.model_validate(dict(row)) for row in rows])


def _money(standing: Standing) -> dict[str, Decimal]:
    taken_off = (Account.CONTRACTUAL, Account.OTHER, Account.WRITTEN_OFF)
    return {
        "charged": -standing.balance(Account.CHARGES),
        "payer_paid": standing.balance(Account.PAYER_CASH),
        "patient_paid": standing.balance(Account.PATIENT_CASH),
        "adjusted": sum((standing.balance(account) for account in taken_off), Decimal("0.00")),
        "payer_owes": standing.balance(Account.PAYER) + standing.balance(Account.NEXT_PAYER),
        "denied": standing.balance(Account.DENIED),
        "patient_owes": standing.balance(Account.PATIENT),
    }


def _total(claims: Iterable[MoneyRead]) -> MoneyRead:
    given = list(claims)
    return MoneyRead(
        **{name: sum((getattr(one, name) for one in given), Decimal("0.00")) for name in MoneyRead.model_fields}
    )


async def statement_reader(uow: ReadUow) -> StatementReader:
    return StatementReader(uow)


Statements = Annotated[StatementReader, Depends(statement_reader)]
