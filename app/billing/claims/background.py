"""What stands around a claim: its payer, the patient's coverages, the same person's other claims, and prices.

The number of statements does not depend on the number of claims.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.billing.certificates.repository import CertificateRepository
from app.billing.claims.lifecycle import ClaimStatus
from app.billing.claims.models import Claim, ClaimLine
from app.billing.coverages.models import Coverage
from app.billing.edits.background import Background, Derived, OtherClaim
from app.billing.evidence.models import ClaimDerivation
from app.billing.fee_schedules.prices import PriceBook, read_prices
from app.billing.notices.repository import NoticeRepository
from app.billing.payers.models import PayerRecord
from app.core.db.plan import plan_of
from app.core.db.sql import CompiledStatement
from app.core.db.uow import ReadUnitOfWork

_claims: Any = Claim.__table__
_lines: Any = ClaimLine.__table__
_payers: Any = PayerRecord.__table__
_coverages: Any = Coverage.__table__
_incidents = sa.table("incidents", *(sa.column(name) for name in ("tenant_id", "id", "depart_scene_time")))
_UNDECIDED = frozenset(
    {ClaimStatus.PENDING_REVIEW, ClaimStatus.READY_TO_EXPORT, ClaimStatus.EXPORTED, ClaimStatus.SUBMITTED}
)
_TENANT = sa.bindparam("tenant_id", type_=sa.Uuid)
_IDS = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))
_PAYERS = CompiledStatement(
    sa.select(*_payers.c).where(
        _payers.c.tenant_id == _TENANT, _payers.c.id == sa.any_(_IDS), _payers.c.deleted_at.is_(None)
    )
)
_COVERAGES = CompiledStatement(
    sa.select(*_coverages.c)
    .where(
        _coverages.c.tenant_id == _TENANT, _coverages.c.patient_id == sa.any_(_IDS), _coverages.c.deleted_at.is_(None)
    )
    .order_by(_coverages.c.patient_id, _coverages.c.sequence)
)
_other: Any = _claims.alias("other")
_LINES_OF_OTHER = (
    sa.select(
        sa.func.coalesce(
            sa.func.jsonb_agg(sa.func.jsonb_build_array(_lines.c.hcpcs, _lines.c.modifiers)), sa.text("'[]'::jsonb")
        )
    )
    .where(_lines.c.tenant_id == _other.c.tenant_id, _lines.c.claim_id == _other.c.id, _lines.c.deleted_at.is_(None))
    .scalar_subquery()
)
# a family shares one member id
_own, _theirs = (
    sa.table("patients", *(sa.column(name) for name in ("tenant_id", "id", "first_name", "date_of_birth"))).alias(name)
    for name in ("own", "theirs")
)
_same_first_name = sa.func.lower(_own.c.first_name) == sa.func.lower(_theirs.c.first_name)
_same_patient = _other.c.patient_id == _claims.c.patient_id
_OTHERS = CompiledStatement(
    sa.select(
        _claims.c.id.label("claim_id"),
        _same_patient.label("same_patient"),
        _other.c.status,
        _other.c.payer_sequence,
        _LINES_OF_OTHER.label("lines"),
        _incidents.c.depart_scene_time.label("departed_at"),
    )
    .select_from(_claims)
    .join(
        _other,
        sa.and_(
            _other.c.tenant_id == _claims.c.tenant_id,
            _other.c.id != _claims.c.id,
            _other.c.deleted_at.is_(None),
            sa.or_(
                _same_patient,
                sa.and_(
                    _other.c.incident_id != _claims.c.incident_id,
                    _other.c.member_id == _claims.c.member_id,
                    _other.c.service_date == _claims.c.service_date,
                    _other.c.payer_sequence == _claims.c.payer_sequence,
                ),
            ),
        ),
    )
    .join(_own, sa.and_(_own.c.tenant_id == _claims.c.tenant_id, _own.c.id == _claims.c.patient_id))
    .join(_theirs, sa.and_(_theirs.c.tenant_id == _other.c.tenant_id, _theirs.c.id == _other.c.patient_id))
    .join(
        _incidents,
        sa.and_(_incidents.c.tenant_id == _other.c.tenant_id, _incidents.c.id == _other.c.incident_id),
    )
    .where(
        _claims.c.tenant_id == _TENANT,
        _claims.c.id == sa.any_(_IDS),
        sa.or_(_same_patient, sa.and_(_own.c.date_of_birth == _theirs.c.date_of_birth, _same_first_name)),
    )
    .order_by(_claims.c.id, _other.c.id)
)


async def read_backgrounds(
    uow: ReadUnitOfWork,
    claims: Sequence[Claim],
    lines: Mapping[uuid.UUID, Sequence[ClaimLine]],
    derivations: Mapping[uuid.UUID, ClaimDerivation],
) -> dict[uuid.UUID, Background]:
    """The background of each claim, by the claim's id: six statements at most.

    `lines` and `derivations` are those of each claim.
    """
    payers = await _payers_of(uow, claims)
    coverages = await _coverages_of(uow, claims)
    others = await _others_of(uow, claims)
    prices = await _prices_of(uow, claims, lines)
    ids = [claim.id for claim in claims]
    certificates = await CertificateRepository(uow).list_serving(uow.tenant_id, ids)
    notices = await NoticeRepository(uow).list_of_patients(uow.tenant_id, [claim.patient_id for claim in claims])
    return {
        claim.id: Background(
            payer=payers.get(claim.payer_record_id),
            coverages=coverages.get(claim.patient_id, ()),
            others=others.get(claim.id, ()),
            prices=prices,
            certificates=certificates.get(claim.id, ()),
            notices=notices.get(claim.patient_id, ()),
            derived=_derived(derivations.get(claim.id)),
        )
        for claim in claims
    }


def _derived(derivation: ClaimDerivation | None) -> Derived | None:
    if derivation is None:
        return None
    return Derived(
        values={one["name"]: one["value"] for one in derivation.values_json},
        lines=[(line["hcpcs"], line["modifiers"]) for line in derivation.lines],
    )


async def _payers_of(uow: ReadUnitOfWork, claims: Sequence[Claim]) -> dict[uuid.UUID | None, PayerRecord]:
    ids = {claim.payer_record_id for claim in claims} - {None}
    if not ids:
        return {}
    rows = await uow.fetch(_PAYERS, {"tenant_id": uow.tenant_id, "ids": list(ids)})
    return {payer.id: payer for payer in map(plan_of(PayerRecord).build, rows)}


async def _coverages_of(uow: ReadUnitOfWork, claims: Sequence[Claim]) -> dict[uuid.UUID, list[Coverage]]:
    ids = list({claim.patient_id for claim in claims})
    found: dict[uuid.UUID, list[Coverage]] = {}
    for row in await uow.fetch(_COVERAGES, {"tenant_id": uow.tenant_id, "ids": ids}):
        coverage = plan_of(Coverage).build(row)
        found.setdefault(coverage.patient_id, []).append(coverage)
    return found


async def _others_of(uow: ReadUnitOfWork, claims: Sequence[Claim]) -> dict[uuid.UUID, list[OtherClaim]]:
    found: dict[uuid.UUID, list[OtherClaim]] = {}
    for row in await uow.fetch(_OTHERS, {"tenant_id": uow.tenant_id, "ids": [claim.id for claim in claims]}):
        other = OtherClaim(
            same_patient=row["same_patient"],
            is_closed=row["status"] == ClaimStatus.CLOSED,
            is_decided=row["status"] not in _UNDECIDED,
            payer_sequence=row["payer_sequence"],
            lines=tuple((hcpcs, tuple(modifiers)) for hcpcs, modifiers in row["lines"]),
            departed_at=row["departed_at"],
        )
        found.setdefault(row["claim_id"], []).append(other)
    return found


async def _prices_of(
    uow: ReadUnitOfWork, claims: Sequence[Claim], lines: Mapping[uuid.UUID, Sequence[ClaimLine]]
) -> PriceBook:
    days = [claim.service_date for claim in claims if claim.service_date is not None]
    codes = {line.hcpcs for claim in claims for line in lines.get(claim.id, ())}
    if not days or not codes:
        return PriceBook(())
    payer_ids = {claim.payer_record_id for claim in claims if claim.payer_record_id is not None}
    return await read_prices(uow, sorted(payer_ids), sorted(codes), min(days), max(days))
