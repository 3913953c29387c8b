"""Pricing the lines of claims by the fee schedules of their day of service."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Annotated

from fastapi import Depends

from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.claims.schemas import ClaimRead
from app.billing.claims.service import ClaimReader, require_editable, total_charge
from app.billing.events import CLAIM_UPDATED
from app.billing.evidence.models import ClaimDerivation
from app.billing.evidence.repository import DerivationRepository
from app.billing.fee_schedules.models import FeeSchedule
from app.billing.fee_schedules.prices import Price, PriceBook, prices, read_prices
from app.billing.fee_schedules.repository import FeeScheduleRepository
from app.billing.permissions import CLAIM_WRITE
from app.billing.repricing.models import ClaimRepricing
from app.billing.repricing.repository import OPEN, PricedClaimRepository, RepricingRepository
from app.billing.repricing.schemas import RepricingRead
from app.core.audit.actions import AuditAction
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import ValidationFailed
from app.core.pagination import Page, Paging
from app.core.repository import require_version

_CENT = Decimal("0.01")


class PricingAction(AuditAction):
    CLAIM = "claim.priced"
    LINE = "claim_line.priced"
    REPORTED = "claim_repricing.reported"


def charge_of(price: Price, units: Decimal) -> Decimal:
    """SV102: the price of all units, to the cent, half a cent upwards."""
    return (price.amount * units).quantize(_CENT, ROUND_HALF_UP)


async def reprice_open_claims(uow: UnitOfWork, schedule_id: uuid.UUID, schedule_version: int) -> None:
    """Prices the open claims again that a changed schedule may concern, and reports each whose charge differs now.

    A service that had no price when its claim was derived gets one. Charges that somebody typed stay. So does the
    charge of a service that no schedule has a price for any more.
    """
    schedule = await FeeScheduleRepository(uow).get_including_deleted(uow.tenant_id, schedule_id)
    ids = await PricedClaimRepository(uow).list_open(uow.tenant_id, schedule.payer_record_id)
    if not ids:
        return
    claims = [claim for claim in await ClaimRepository(uow).list_for_update(uow.tenant_id, ids) if claim.status in OPEN]
    lines = await ClaimLineRepository(uow).list_of_claims(uow.tenant_id, ids)
    derivations = await DerivationRepository(uow).list_of_claims(uow.tenant_id, ids)
    book = await _book(uow, claims, [line for found in lines.values() for line in found])
    for claim in claims:
        if claim.service_date is not None:
            before = claim.charge_amount
            derivation = derivations.get(claim.id)
            priced = [line for line in lines[claim.id] if line.fee_item_id is not None or _wants(line, derivation)]
            find = partial(book.find, claim.payer_record_id, on=claim.service_date)
            await _price(uow, claim, lines[claim.id], {line.id: find(line.hcpcs) for line in priced})
            if claim.charge_amount != before:
                await _report(uow, schedule, schedule_version, claim, before)


def _wants(line: ClaimLine, derivation: ClaimDerivation | None) -> bool:
    """True if the line is charged nothing because its derivation found no price for it."""
    made = () if derivation is None else derivation.lines
    return not line.charge and any(one["hcpcs"] == line.hcpcs and not Decimal(one["charge"]) for one in made)


async def _book(uow: UnitOfWork, claims: Sequence[Claim], lines: Sequence[ClaimLine]) -> PriceBook:
    days = [claim.service_date for claim in claims if claim.service_date is not None]
    if not days:
        return PriceBook(())
    payers = sorted({claim.payer_record_id for claim in claims if claim.payer_record_id is not None})
    return await read_prices(uow, payers, sorted({line.hcpcs for line in lines}), min(days), max(days))


async def _price(
    uow: UnitOfWork, claim: Claim, lines: Sequence[ClaimLine], found: Mapping[uuid.UUID, Price | None]
) -> None:
    """Gives each line the price found for it, and the claim the sum of all lines, if anything differs.

    A line without a price stays as it is.
    """
    versions = [line.version for line in lines]
    for line in lines:
        price = found.get(line.id)
        if price is not None:
            async with uow.change(line, PricingAction.LINE):
                line.charge, line.fee_item_id = charge_of(price, line.units), price.item_id
    if [line.version for line in lines] != versions:
        async with uow.change(claim, PricingAction.CLAIM, event=CLAIM_UPDATED):
            claim.charge_amount = total_charge(line.charge for line in lines)
            claim.lines_revision += 1


async def _report(uow: UnitOfWork, schedule: FeeSchedule, version: int, claim: Claim, before: Decimal) -> None:
    repricing = ClaimRepricing(
        tenant_id=uow.tenant_id,
        schedule_id=schedule.id,
        schedule_version=version,
        changed_by=schedule.changed_by,
        claim_id=claim.id,
        old_charge=before,
        new_charge=claim.charge_amount,
    )
    await uow.create(repricing, PricingAction.REPORTED)


class PricingReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def list_repricings(self, schedule_id: uuid.UUID, paging: Paging) -> Page[RepricingRead]:
        """Raises NotFound for a schedule that never was."""
        await FeeScheduleRepository(self._uow).get_including_deleted(self._uow.tenant_id, schedule_id)
        repository = RepricingRepository(self._uow)
        page = await repository.list_page(self._uow.tenant_id, paging, schedule_id=schedule_id)
        return Page(items=[RepricingRead.of(item) for item in page.items], next_cursor=page.next_cursor)


class PricingService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def price(self, claim_id: uuid.UUID, version: int) -> ClaimRead:
        """Prices every line that a schedule has a price for.

        Raises Forbidden, NotFound, ClaimNotEditable, Conflict (stale), ValidationFailed (the chart does not say when).
        """
        self._uow.principal.require(CLAIM_WRITE)
        claim = await ClaimRepository(self._uow).get_for_update(self._uow.tenant_id, claim_id)
        require_editable(claim)
        require_version(claim, version)
        if claim.service_date is None:
            raise ValidationFailed.of("service_date", "missing", "The chart does not say when the service was.")
        lines = (await ClaimLineRepository(self._uow).list_of_claims(self._uow.tenant_id, [claim.id]))[claim.id]
        codes = [line.hcpcs for line in lines]
        found = await prices(self._uow, claim.payer_record_id, codes, claim.service_date)
        await _price(self._uow, claim, lines, {line.id: found.get(line.hcpcs) for line in lines})
        return await ClaimReader(self._uow).present(claim)


async def pricing_service(uow: Uow) -> PricingService:
    return PricingService(uow)


async def pricing_reader(uow: ReadUow) -> PricingReader:
    return PricingReader(uow)


Pricing = Annotated[PricingService, Depends(pricing_service)]
PricingReads = Annotated[PricingReader, Depends(pricing_reader)]
