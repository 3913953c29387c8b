"""Remittances sent over HTTP and posted as the job does: the vocabulary of the tests of money."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.billing.remittances.posting import POST_DECISIONS
from app.core.permissions import Principal
from app.core.runtime import Runtime
from tests.billing.support.adjudications import Decided, DecidedLine, Payment, remittance_file
from tests.billing.support.claims import CLAIMS, approved_claim, export, fire
from tests.support.actors import Agency

REMITTANCES, DECISIONS = "billing/remittances", "billing/remittance-claims"
D = Decimal
PAID_BASE = (("CO", "45", D("81.00")), ("CO", "253", D("9.10")), ("PR", "2", D("113.80")))
PAID_MILES = (("CO", "45", D("202.50")), ("CO", "253", D("2.60")), ("PR", "2", D("32.62")))
Adjustments = Sequence[tuple[str, str, Decimal]]


async def exported_claim(agency: Agency, **changes: Any) -> dict[str, Any]:
    claim = await approved_claim(agency, **changes)
    await export(agency, claim)
    return await claim_of(agency, claim)


async def submitted_claim(agency: Agency, **changes: Any) -> dict[str, Any]:
    """A claim that the clearinghouse has, by default of 650.00 for the base and 365.60 for the miles."""
    sent: dict[str, Any] = await fire(agency, await exported_claim(agency, **changes), "submit")
    return sent


async def claim_of(agency: Agency, claim: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")
    return found


def decided(
    claim: Mapping[str, Any],
    base: Adjustments = PAID_BASE,
    miles: Adjustments = PAID_MILES,
    *,
    status: str = "1",
) -> Decided:
    """What a payer decides about a claim of two lines: all that it does not adjust, it pays."""
    lines = tuple(
        DecidedLine(
            line["line_number"],
            line["hcpcs"],
            tuple(line["modifiers"]),
            D(line["charge"]),
            D(line["charge"]) - sum((amount for _, _, amount in adjusted), D(0)),
            tuple(adjusted),
        )
        for line, adjusted in zip(claim["lines"], (base, miles), strict=True)
    )
    return Decided(claim["claim_number"], lines, status=status)


def denied(claim: Mapping[str, Any], reason: str = "50", *, status: str = "4") -> Decided:
    charges = [(("CO", reason, D(line["charge"])),) for line in claim["lines"]]
    return decided(claim, *charges, status=status)


async def upload(agency: Agency, content: bytes, *, status: int = 201, who: str = "biller") -> Any:
    headers = {"Content-Type": "application/octet-stream"}
    return await agency.actors[who].expect(status, "POST", REMITTANCES, content=content, headers=headers)


async def run_posting(runtime: Runtime, agency: Agency, source_id: str) -> None:
    """What the job does."""
    await POST_DECISIONS.handle(runtime, Principal.system(agency.tenant_id), {"source_id": uuid.UUID(source_id)})


async def pay(runtime: Runtime, agency: Agency, *claims: Decided, **payment: Any) -> list[dict[str, Any]]:
    """Send one payment and post it: what became of each claim, in order."""
    taken = await upload(agency, remittance_file(Payment(claims, **payment)))
    [file] = taken["files"]
    await run_posting(runtime, agency, file["file"]["id"])
    [remittance] = file["remittances"]
    return await decisions_of(agency, remittance["id"])


async def decisions_of(agency: Agency, remittance_id: str) -> list[dict[str, Any]]:
    params = {"remittance_id": remittance_id, "limit": 200}
    page = await agency.biller.expect(200, "GET", DECISIONS, params=params)
    return sorted(page["items"], key=lambda one: one["position"])


async def ledger_of(agency: Agency, claim: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}/ledger")
    return found


async def balances_of(agency: Agency, claim: Mapping[str, Any]) -> dict[str, Decimal]:
    """The balances that are not zero."""
    balances = (await ledger_of(agency, claim))["balances"]
    return {account: D(amount) for account, amount in balances.items() if D(amount)}
