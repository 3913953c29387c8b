"""A kind of outbound attempt with a table of its own, and an outside system that the tests decide about.

As `charts`, it is mapped on a metadata of its own and lives in the schema `probe`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import uuid
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Mapped

from app.core import lifecycle
from app.core.audit.actions import AuditAction
from app.core.db.columns import EnumText, phi, plain, values_check
from app.core.db.entity import NAMING
from app.core.db.uow import UnitOfWork
from app.core.lifecycle import Lifecycle, Transition
from app.core.outbound.columns import OutboundEntity, lease_index
from app.core.outbound.kind import Backoff, HeldAttempt, Moves, OutboundKind
from app.core.outbound.service import Attempts
from app.core.permissions import Principal
from app.core.repository import Repository
from app.core.runtime import Runtime
from migrations.tenancy import SYSTEM, secure
from tests.core.charts import SCHEMA

LEASE = dt.timedelta(minutes=10)


class ParcelStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Move(StrEnum):
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "retry"


class Code(StrEnum):
    LEASE_EXPIRED = "LEASE_EXPIRED"
    BUSY = "BUSY"
    SILENT = "SILENT"
    UNWANTED = "UNWANTED"
    NO_BUDGET = "NO_BUDGET"
    OUTAGE = "OUTAGE"


class ParcelAction(AuditAction):
    CREATED = "parcel.created"
    REQUEUED = "parcel.requeued"
    STARTED = "parcel.started"
    DELIVERED = "parcel.delivered"
    GIVEN_UP = "parcel.given_up"
    POSTPONED = "parcel.postponed"


_RUNNING = frozenset({ParcelStatus.RUNNING})
parcel_lifecycle: Lifecycle[ParcelStatus, None] = Lifecycle(
    name="probe.parcel",
    states=ParcelStatus,
    initial=ParcelStatus.QUEUED,
    transitions=(
        Transition(
            Move.START,
            frozenset({ParcelStatus.QUEUED}),
            ParcelStatus.RUNNING,
            audit_action=ParcelAction.STARTED,
            system=True,
        ),
        Transition(Move.SUCCEED, _RUNNING, ParcelStatus.SUCCEEDED, audit_action=ParcelAction.DELIVERED, system=True),
        Transition(Move.FAIL, _RUNNING, ParcelStatus.FAILED, audit_action=ParcelAction.GIVEN_UP, system=True),
        Transition(Move.RETRY, _RUNNING, ParcelStatus.QUEUED, audit_action=ParcelAction.POSTPONED, system=True),
    ),
    internal=frozenset(Move),
)
lifecycle._REGISTRY.pop(parcel_lifecycle.name)  # generated documents list the service's lifecycles, not the tests'


class _Probe(OutboundEntity):
    __abstract__ = True
    metadata = sa.MetaData(naming_convention=NAMING, schema=SCHEMA)


class Parcel(_Probe):
    __tablename__ = "parcels"
    entity_type: ClassVar[str] = "parcel"

    status: Mapped[ParcelStatus] = plain(EnumText(ParcelStatus), default=ParcelStatus.QUEUED)
    failure_code: Mapped[Code | None] = plain(EnumText(Code), default=None)
    content: Mapped[str] = phi()
    receipt: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "id", name="uq_parcels_tenant"),
        lease_index("parcels"),
        values_check("failure_code", Code),
        parcel_lifecycle.check(),
    )


class ParcelRepository(Repository[Parcel]):
    entity = Parcel


def _create(connection: sa.Connection) -> None:
    _Probe.metadata.create_all(connection)
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {SYSTEM}")
    with Operations.context(MigrationContext.configure(connection)):
        secure(f"{SCHEMA}.parcels", system="SELECT")


async def create_parcels(owner_dsn: str) -> None:
    """Create the table as the owner role. The schema is there (`charts`)."""
    engine = create_async_engine(sa.make_url(owner_dsn).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(_create)
    await engine.dispose()


class Carrier:
    """The outside system. It delivers once for each key, and tells the transactions that were open while it was called.

    `script`: what the next calls meet, in order: an error is raised before the delivery, an event is waited for after
    it (the answer is on its way). Nothing: the call succeeds.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.script: list[Exception | asyncio.Event] = []
        self.called: list[uuid.UUID] = []
        self.keys: list[str] = []
        self.delivered: dict[str, str] = {}
        self.open_transactions: list[int] = []
        self.took = asyncio.Event()

    async def call(self, _: Runtime, held: HeldAttempt[str]) -> str:
        self.called.append(held.entity_id)
        self.keys.append(held.idempotency_key())
        self.open_transactions.append(self._runtime.database.checked_out())
        meets = self.script.pop(0) if self.script else None
        if isinstance(meets, Exception):
            raise meets
        receipt = self.delivered.setdefault(held.idempotency_key(), f"receipt-{len(self.delivered) + 1}")
        self.took.set()
        if meets is not None:
            await meets.wait()
        return receipt


ParcelKind = OutboundKind[Parcel, str, str]


async def _content(_: UnitOfWork, parcel: Parcel) -> str:
    return parcel.content


async def _receipt(_: UnitOfWork, __: Parcel, receipt: str) -> dict[str, Any]:
    return {"receipt": receipt}


def parcel_kind(carrier: Carrier, **changes: Any) -> ParcelKind:
    """A kind with a job name of its own, so that tests do not see each other's jobs."""
    kind = ParcelKind(
        name=f"probe.{uuid.uuid4().hex}",
        repository=ParcelRepository,
        lifecycle=parcel_lifecycle,
        moves=Moves(start=Move.START, succeed=Move.SUCCEED, fail=Move.FAIL, retry=Move.RETRY),
        requeued=ParcelAction.REQUEUED,
        lease_expired=Code.LEASE_EXPIRED,
        lease=LEASE,
        max_attempts=3,
        backoff=Backoff(dt.timedelta(seconds=10), 3, dt.timedelta(minutes=1)),
        material=_content,
        call=carrier.call,
        record=_receipt,
    )
    return dataclasses.replace(kind, **changes)


async def queue_parcel(runtime: Runtime, principal: Principal, kind: ParcelKind) -> uuid.UUID:
    async with runtime.unit_of_work(principal) as uow:
        attempts = Attempts(uow, kind)
        parcel = Parcel(tenant_id=principal.tenant_id, content="CANARYquill7731", lease_until=attempts.first_lease())
        await uow.create(parcel, ParcelAction.CREATED)
        await attempts.queue(parcel)
    return parcel.id
