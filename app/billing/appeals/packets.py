"""The packet of an appeal: read in one unit of work that records the disclosure, then typeset."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends

from app.billing.appeals.content import PacketMaterial, packet_content, printable_packets
from app.billing.appeals.models import Appeal
from app.billing.appeals.repository import AppealRepository
from app.billing.certificates.service import certificate_for
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository
from app.billing.denials.repository import DenialRepository
from app.billing.payers.service import find_payer
from app.billing.permissions import CLAIM_EXPORT
from app.core.audit.access import Purpose
from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import UowFactory
from app.core.tenants.public import current_tenant
from app.core.typesetting import typeset
from app.ems.public import CareReports, ReportService

_TEMPLATE = Path(__file__).with_name("packet.typ")


class PacketAction(AuditAction):
    DISCLOSED = "appeal.packet_disclosed"


APPEAL_PACKET = Disclosure(PacketAction.DISCLOSED, Means.DOWNLOAD, "appeal_packet", Purpose.PAYMENT)


@dataclass(frozen=True)
class Packet:
    pdf: bytes
    file_name: str


class PacketService:
    def __init__(self, factory: Callable[[], UnitOfWork], reports: ReportService) -> None:
        self._factory = factory
        self._reports = reports

    async def make(self, appeal_id: uuid.UUID) -> Packet:
        """Letter, claim, certification and patient care report as one PDF. The same records make the same bytes.

        The disclosure is recorded before anything is typeset. No transaction is open while images are fetched and pages
        are made. Raises Forbidden, NotFound, ServiceUnavailable.
        """
        async with self._factory() as uow:
            uow.principal.require(CLAIM_EXPORT)
            appeal = await AppealRepository(uow).get(uow.tenant_id, appeal_id)
            packet = await _read(uow, appeal)
            chart, stored = await self._reports.read(uow, packet.claim.incident_id, packet.claim.patient_id)
            await disclose(
                uow,
                APPEAL_PACKET,
                entity_type=Appeal.entity_type,
                entity_id=appeal.id,
                incident_ids=[appeal.incident_id],
                metadata={"level": appeal.level, "chart_version": chart.chart_version()},
            )
        report = await self._reports.content(chart, stored)
        changed = max(packet.changed_at(), dt.datetime.fromisoformat(report["last_change"]))
        pdf = await typeset(_TEMPLATE, printable_packets(packet_content(packet, report)), changed)
        return Packet(pdf, f"appeal-{packet.claim.claim_number}-{appeal.level}.pdf")


async def _read(uow: ReadUnitOfWork, appeal: Appeal) -> PacketMaterial:
    tenant_id = uow.tenant_id
    claim = await ClaimRepository(uow).get(tenant_id, appeal.claim_id)
    served_on = claim.service_date
    return PacketMaterial(
        tenant=await current_tenant(uow),
        appeal=appeal,
        denial=await DenialRepository(uow).get(tenant_id, appeal.denial_id),
        claim=claim,
        lines=(await ClaimLineRepository(uow).list_of_claims(tenant_id, [claim.id]))[claim.id],
        payer=None if claim.payer_record_id is None else await find_payer(uow, claim.payer_record_id),
        certificate=None if served_on is None else await certificate_for(uow, claim.patient_id, served_on),
    )


async def packet_service(factory: UowFactory, reports: CareReports) -> PacketService:
    return PacketService(factory, reports)


Packets = Annotated[PacketService, Depends(packet_service)]
