"""Answers to ems: which claims were made from a chart, and which of them went out."""

from __future__ import annotations

import uuid

from app.billing.claims.repository import ClaimRepository
from app.billing.exports.repository import ExportRepository
from app.core.db.uow import ReadUnitOfWork
from app.core.pagination import Paging
from app.ems.public import ExportedDocument, ExportSource


async def list_exported(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> list[ExportedDocument]:
    """Each claim that was in a file, with the time of its last file."""
    claims = await ClaimRepository(uow).list_all(uow.tenant_id, incident_id=incident_id)
    exported = await ExportRepository(uow).last_exported(uow.tenant_id, [claim.id for claim in claims])
    return [
        ExportedDocument(claim.id, claim.patient_id, claim.status.value, exported[claim.id])
        for claim in claims
        if claim.id in exported
    ]


async def has_claim(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> bool:
    """True if the incident has a claim in any state. A deleted claim does not count."""
    return bool((await ClaimRepository(uow).list_page(uow.tenant_id, Paging(limit=1), incident_id=incident_id)).items)


CLAIM_DOCUMENTS = ExportSource("claim", frozenset({"incident", "patient"}), list_exported, has_claim)
"""The claim holds what it bills. From the chart it reads who the patient is, and when and where they were taken."""
