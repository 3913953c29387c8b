"""Billing below HTTP: what other domains import, and services that refuse by themselves (directive 4.2)."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pydantic
import pytest

from app.billing.claims.line_service import LineService
from app.billing.claims.schemas import ClaimPatch, ClaimTransitionRequest, LinePatch
from app.billing.claims.service import ClaimService
from app.billing.exports.schemas import ExportCreate
from app.billing.exports.service import ClaimExportService
from app.billing.public import CLAIM_STATUS_CHANGED, ClaimRead, ClaimStatus, get_claim
from app.core.db.uow import UnitOfWork
from app.core.errors import Forbidden, NotFound
from app.core.permissions import Principal, Role
from app.core.runtime import Runtime
from tests.billing.support.claims import new_claim
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency


async def test_other_domains_read_a_frozen_claim(agency: Agency, found: Any, runtime: Runtime) -> None:
    made = await new_claim(agency)
    claim_id = uuid.UUID(made["id"])
    async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
        claim = await get_claim(uow, claim_id)
    assert isinstance(claim, ClaimRead)
    assert (claim.status, claim.allowed_actions) == (ClaimStatus.PENDING_REVIEW, [])
    assert claim.model_dump(mode="json") | {"allowed_actions": ["approve", "close"]} == made
    with pytest.raises(pydantic.ValidationError):
        claim.status = ClaimStatus.PAID  # type: ignore[misc]
    async with runtime.read_unit_of_work(Principal(agency.tenant_id, Role.FOUNDER)) as uow:
        assert (await get_claim(uow, claim_id)).diagnoses is None
    stranger: Agency = await found()
    async with runtime.read_unit_of_work(Principal.system(stranger.tenant_id)) as uow:
        with pytest.raises(NotFound):
            await get_claim(uow, claim_id)
    assert CLAIM_STATUS_CHANGED.name == "claim.status_changed"


UNUSED: Any = None
CALLS: dict[str, Callable[[UnitOfWork, uuid.UUID, uuid.UUID], Awaitable[Any]]] = {
    "create": lambda uow, _, __: ClaimService(uow).create(UNUSED, UNUSED),
    "revise": lambda uow, claim, _: ClaimService(uow).revise(claim, ClaimPatch(version=1, payer_id="60054")),
    "transition": lambda uow, claim, _: ClaimService(uow).transition(
        claim, ClaimTransitionRequest.model_validate({"action": "close", "version": 1})
    ),
    "delete": lambda uow, claim, _: ClaimService(uow).delete(claim, 1),
    "restore": lambda uow, claim, _: ClaimService(uow).restore(claim, 1),
    "add a line": lambda uow, claim, _: LineService(uow).create(claim, UNUSED, UNUSED),
    "revise a line": lambda uow, claim, line: LineService(uow).revise(claim, line, LinePatch(version=1, hcpcs="A0427")),
    "delete a line": lambda uow, claim, line: LineService(uow).delete(claim, line, 1),
}
Units = Callable[[], UnitOfWork]
OUTSIDE: dict[str, Callable[[Units, uuid.UUID], Awaitable[Any]]] = {
    "export": lambda units, claim: ClaimExportService(units, UNUSED, "T").create(
        ExportCreate(claim_ids=[claim]), UNUSED
    ),
    "download": lambda units, claim: ClaimExportService(units, UNUSED, "T").artifact(claim, None),
}
"""Those that open units of work themselves, since they ask the object store between two."""


@pytest.mark.parametrize("role", [Role.EMS, Role.FOUNDER])
async def test_services_refuse_by_themselves(agency: Agency, runtime: Runtime, evidence: Evidence, role: Role) -> None:
    claim = await new_claim(agency)
    before = await evidence.digest(agency.tenant_id)
    for call in CALLS.values():
        with pytest.raises(Forbidden):
            async with runtime.unit_of_work(Principal(agency.tenant_id, role)) as uow:
                await call(uow, uuid.UUID(claim["id"]), uuid.UUID(claim["lines"][0]["id"]))
    for call_outside in OUTSIDE.values():
        with pytest.raises(Forbidden):
            await call_outside(lambda: runtime.unit_of_work(Principal(agency.tenant_id, role)), uuid.UUID(claim["id"]))
    assert await evidence.digest(agency.tenant_id) == before


async def test_deleting_is_the_admins(agency: Agency, runtime: Runtime) -> None:
    claim = await new_claim(agency)
    for name in ("delete", "restore"):
        with pytest.raises(Forbidden):
            async with runtime.unit_of_work(Principal(agency.tenant_id, Role.BILLING)) as uow:
                await CALLS[name](uow, uuid.UUID(claim["id"]), uuid.uuid4())
