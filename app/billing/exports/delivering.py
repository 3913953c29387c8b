"""Delivering a file is an outbound attempt. By SFTP, the claims of the file are then submitted.

A process that dies between the delivery and its record leaves the delivery running. The next attempt finds the file
under its name and records it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from app.billing.claims.lifecycle import UNJUDGED, ClaimStatus, ClaimTransition, claim_lifecycle, consequences
from app.billing.claims.repository import ClaimRepository
from app.billing.clearinghouses.models import Clearinghouse, DeliveryChannel
from app.billing.clearinghouses.repository import ClearinghouseRepository
from app.billing.delivery.failures import DeliveryFailure, DeliveryPostponed, DeliveryRefused
from app.billing.delivery.gateway import SFTP, OutboundFile, SftpServer, put_into
from app.billing.delivery.lifecycle import DeliveryAction, DeliveryTransition, delivery_lifecycle
from app.billing.delivery.login import CLEARINGHOUSE_LOGIN, SftpLogin, read_login
from app.billing.delivery.models import ClaimDelivery
from app.billing.delivery.repository import DeliveryRepository
from app.billing.delivery.settings import DeliverySettings
from app.billing.exports.formats import FORMATS
from app.billing.exports.models import ExportFile
from app.billing.exports.repository import ExportRepository
from app.core.audit.access import Purpose
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.clock import utcnow
from app.core.db.uow import UnitOfWork
from app.core.errors import NotFound, ServiceUnavailable
from app.core.ids import TenantId
from app.core.outbound.kind import Backoff, HeldAttempt, Moves, OutboundKind
from app.core.outbound.service import Attempts
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.secrets.public import SecretNotSet, SecretUnreadable, use_secret

LEASE = dt.timedelta(minutes=15)
MAX_ATTEMPTS = 12
_PURPOSE = "claim_delivery"
SENT_FILE = Disclosure(DeliveryAction.DISCLOSED, Means.EXPORT, "claim_file", Purpose.PAYMENT)
"""The disclosure of a file by the service itself. It covers the charts of all claims in the file."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """The facts of a delivery that its attempt needs. Without a server the file goes into the directory."""

    artifact_key: str
    file_name: str
    sha256: str
    channel: DeliveryChannel
    server: SftpServer | None


async def queue_delivery(
    uow: UnitOfWork, export_id: uuid.UUID, file: ExportFile, clearinghouse: Clearinghouse | None
) -> None:
    """Queues the delivery of a file that is being recorded. What is not transmitted goes into the directory."""
    by_sftp = (
        FORMATS[file.format].transmitted
        and clearinghouse is not None
        and clearinghouse.delivery is DeliveryChannel.SFTP
    )
    delivery = ClaimDelivery(
        tenant_id=uow.tenant_id,
        export_id=export_id,
        file_number=file.file_number,
        artifact_key=file.artifact_key,
        file_name=file.file_name or "",
        sha256=file.sha256 or "",
        channel=DeliveryChannel.SFTP if by_sftp else DeliveryChannel.DIRECTORY,
        clearinghouse_id=clearinghouse.id if by_sftp and clearinghouse is not None else None,
    )
    await _queue(uow, delivery)


async def queue_again(uow: UnitOfWork, failed: ClaimDelivery, delivery_id: uuid.UUID) -> ClaimDelivery:
    """Queues another delivery of the same file by the same way."""
    same = ("export_id", "file_number", "artifact_key", "file_name", "sha256", "channel", "clearinghouse_id")
    delivery = ClaimDelivery(id=delivery_id, tenant_id=uow.tenant_id, **{name: getattr(failed, name) for name in same})
    await _queue(uow, delivery)
    return delivery


async def _queue(uow: UnitOfWork, delivery: ClaimDelivery) -> None:
    attempts = Attempts(uow, DELIVERIES)
    delivery.lease_until = attempts.first_lease()
    await uow.create(delivery, DeliveryAction.QUEUED)
    await attempts.queue(delivery)


async def _parcel(uow: UnitOfWork, delivery: ClaimDelivery) -> Parcel:
    """The server as the clearinghouse names it now: a correction counts for files that wait."""
    server = None
    if delivery.clearinghouse_id is not None:
        house = await ClearinghouseRepository(uow).find(uow.tenant_id, delivery.clearinghouse_id)
        if house is not None and house.sftp_host is not None and house.sftp_host_key is not None:
            server = SftpServer(house.sftp_host, house.sftp_port, house.sftp_directory, house.sftp_host_key)
    return Parcel(delivery.artifact_key, delivery.file_name, delivery.sha256, delivery.channel, server)


async def _deliver(runtime: Runtime, held: HeldAttempt[Parcel]) -> None:
    """Raises DeliveryRefused, DeliveryPostponed, DeliveryUnanswered."""
    parcel = held.material
    try:
        content = await runtime.objects.get(parcel.artifact_key)
    except NotFound:
        raise DeliveryRefused(DeliveryFailure.FILE_CHANGED) from None
    except ServiceUnavailable:
        raise DeliveryPostponed(DeliveryFailure.UNAVAILABLE) from None
    if hashlib.sha256(content).hexdigest() != parcel.sha256:
        raise DeliveryRefused(DeliveryFailure.FILE_CHANGED)
    file = OutboundFile(parcel.file_name, content)
    if parcel.channel is DeliveryChannel.DIRECTORY:
        directory = runtime.settings.group(DeliverySettings).claims_dir or runtime.settings.data_dir / "claims"
        await put_into(directory / str(held.tenant_id), file)
        return
    if parcel.server is None:
        raise DeliveryRefused(DeliveryFailure.NOT_CONFIGURED)
    login = await _login(runtime, held.tenant_id)
    sender = await runtime.gateways.reach(SFTP)
    await sender.send(parcel.server, login, file)


async def _login(runtime: Runtime, tenant_id: TenantId) -> SftpLogin:
    try:
        values = await use_secret(runtime, Principal.system(tenant_id), CLEARINGHOUSE_LOGIN, purpose=_PURPOSE)
    except SecretNotSet:
        raise DeliveryRefused(DeliveryFailure.LOGIN_MISSING) from None
    except (SecretUnreadable, ServiceUnavailable):
        raise DeliveryPostponed(DeliveryFailure.UNAVAILABLE) from None
    return read_login(values[0].reveal())


async def _delivered(uow: UnitOfWork, delivery: ClaimDelivery, _: None) -> dict[str, Any]:
    """Submits the claims that are still out with this file. From a directory, a biller sends the file and says so."""
    at = utcnow()
    await disclose(
        uow,
        SENT_FILE,
        entity_type=ClaimDelivery.entity_type,
        entity_id=delivery.id,
        incident_ids=await ExportRepository(uow).list_incident_ids(uow.tenant_id, delivery.artifact_key),
        metadata={"export_id": delivery.export_id, "channel": delivery.channel},
    )
    if delivery.channel is DeliveryChannel.SFTP:
        out = await ExportRepository(uow).list_last_of_file(uow.tenant_id, delivery.artifact_key)
        claims = await ClaimRepository(uow).list_for_update(uow.tenant_id, out)
        waiting = [claim for claim in claims if claim.status is ClaimStatus.EXPORTED]
        submit = ClaimTransition.SUBMIT
        also = consequences(submit, at=at, reason=None, patient_responsibility=None)
        await claim_lifecycle.fire_all(uow, waiting, submit, lambda _: UNJUDGED, **also)
    return {"delivered_at": at}


DELIVERIES: OutboundKind[ClaimDelivery, Parcel, None] = OutboundKind(
    name="billing.deliver",
    repository=DeliveryRepository,
    lifecycle=delivery_lifecycle,
    moves=Moves(
        start=DeliveryTransition.START,
        succeed=DeliveryTransition.SUCCEED,
        fail=DeliveryTransition.FAIL,
        retry=DeliveryTransition.RETRY,
    ),
    requeued=DeliveryAction.TAKEN_UP,
    lease_expired=DeliveryFailure.LEASE_EXPIRED,
    lease=LEASE,
    max_attempts=MAX_ATTEMPTS,
    backoff=Backoff(dt.timedelta(minutes=1), 3, dt.timedelta(hours=2)),
    material=_parcel,
    call=_deliver,
    record=_delivered,
    disclosure=SENT_FILE,
)
