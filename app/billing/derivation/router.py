"""billing/claims/{claim_id}/derivation and …/overrides."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.billing.derivation.schemas import DerivationRead, DeriveRequest, OverridableName, OverrideRequest
from app.billing.derivation.service import DerivationReads, Derivations
from app.billing.permissions import CLAIM_READ, CLAIM_WRITE
from app.core.dependencies import requires
from app.core.schemas import VersionQuery

router = APIRouter(prefix="/billing/claims", tags=["billing"])


@router.get("/{claim_id}/derivation", dependencies=[requires(CLAIM_READ)])
async def get_claim_derivation(claim_id: uuid.UUID, derivations: DerivationReads) -> DerivationRead:
    """Where each value of a claim comes from: reasons, rule, cited fields of the chart, and what changed in them."""
    return await derivations.get(claim_id)


@router.post("/{claim_id}/derivation", dependencies=[requires(CLAIM_WRITE)])
async def derive_claim(claim_id: uuid.UUID, given: DeriveRequest, derivations: Derivations) -> DerivationRead:
    """Derive a claim that is pending review from the chart as it stands. Overrides and entered values stay."""
    return await derivations.derive_again(claim_id, given.version)


@router.post("/{claim_id}/overrides", dependencies=[requires(CLAIM_WRITE)])
async def override_claim_value(claim_id: uuid.UUID, given: OverrideRequest, derivations: Derivations) -> DerivationRead:
    """Put another value in the place of a derived one, with a reason. What follows from it is derived again."""
    return await derivations.override(claim_id, given)


@router.delete("/{claim_id}/overrides/{value_name}", status_code=204, dependencies=[requires(CLAIM_WRITE)])
async def lift_claim_override(
    claim_id: uuid.UUID, value_name: OverridableName, version: VersionQuery, derivations: Derivations
) -> None:
    """Take an override back: the derived value stands again."""
    await derivations.lift(claim_id, str(value_name), version)
