"""Entities with every kind of column that the write path knows, on tables of their own.

The kernel's own entities have no PHI, no heavy text, no revisions and no composite key. These are mapped on a metadata
of their own and live in the schema `probe`, so that migrations and catalogue tests never see them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Mapped

from app.core.audit.actions import AuditAction
from app.core.db.columns import Digest, EnumText, MoneyColumn, internal, phi, plain, secret, values_check
from app.core.db.entity import NAMING, TenantEntity
from app.core.events import Topic
from app.core.repository import Repository
from migrations.tenancy import APP, secure

SCHEMA = "probe"

CHART_CHANGED = Topic("probe.chart_changed", "A chart of the kernel's tests changed.")


class ChartStatus(StrEnum):
    DRAFT = "draft"
    CLOSED = "closed"


class ChartAction(AuditAction):
    OPENED = "chart.opened"
    REVISED = "chart.revised"
    CLOSED = "chart.closed"
    REOPENED = "chart.reopened"
    SWEPT = "chart.swept"


def _findings_diff(old: Any, new: Any, digest: Digest) -> dict[str, list[Any]]:
    """Names the findings that changed, and digests of their values."""
    names = sorted({*(old or {}), *(new or {})})
    return {
        f"findings.{name}": [digest(name, (old or {}).get(name)), digest(name, (new or {}).get(name))]
        for name in names
        if (old or {}).get(name) != (new or {}).get(name)
    }


class TestEntity(TenantEntity):
    __abstract__ = True
    __test__ = False
    metadata = sa.MetaData(naming_convention=NAMING, schema=SCHEMA)


class Chart(TestEntity):
    __tablename__ = "charts"
    entity_type: ClassVar[str] = "chart"
    aggregate: ClassVar[str] = "incident_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id",)
    revisions: ClassVar[bool] = True

    incident_id: Mapped[uuid.UUID] = internal()
    status: Mapped[ChartStatus] = plain(EnumText(ChartStatus), default=ChartStatus.DRAFT)
    number: Mapped[str] = plain()
    charge: Mapped[Decimal | None] = plain(MoneyColumn, default=None)
    seen_at: Mapped[dt.datetime | None] = plain(default=None)
    tags: Mapped[list[Any] | None] = plain(default=None)
    patient_name: Mapped[str | None] = phi(default=None)
    vitals: Mapped[dict[str, Any] | None] = phi(default=None)
    findings: Mapped[dict[str, Any] | None] = phi(default=None, diff=_findings_diff)
    narrative: Mapped[str | None] = phi(default=None, heavy=True)
    report: Mapped[dict[str, Any] | None] = plain(default=None, heavy=True)
    access_code: Mapped[str | None] = secret(default=None)

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "id", name="uq_charts_tenant"),
        sa.UniqueConstraint("tenant_id", "number", name="uq_charts_number"),
        sa.CheckConstraint("number <> 'forbidden'", name="number"),
        sa.Index("ix_charts_tenant_created_at", "tenant_id", "created_at", "id"),
        values_check("status", ChartStatus),
    )


class ChartNote(TestEntity):
    __tablename__ = "chart_notes"
    entity_type: ClassVar[str] = "chart_note"

    chart_id: Mapped[uuid.UUID] = internal()
    text: Mapped[str] = phi()

    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "id", name="uq_chart_notes_tenant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "chart_id"],
            [f"{SCHEMA}.charts.tenant_id", f"{SCHEMA}.charts.id"],
            name="fk_chart_notes_chart",
        ),
        sa.Index("ix_chart_notes_tenant_created_at", "tenant_id", "created_at", "id"),
    )


class ChartRepository(Repository[Chart]):
    entity = Chart
    filters = ("status", "number")


class ChartNoteRepository(Repository[ChartNote]):
    entity = ChartNote
    filters = ("chart_id",)


def _create(connection: sa.Connection) -> None:
    connection.execute(sa.schema.CreateSchema(SCHEMA))
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {APP}")
    TestEntity.metadata.create_all(connection)
    with Operations.context(MigrationContext.configure(connection)):
        for table in TestEntity.metadata.sorted_tables:
            secure(f"{SCHEMA}.{table.name}")  # what every tenant table of a migration gets


async def create_tables(owner_dsn: str) -> None:
    """Create the tables as the owner role, secured by the migrations' own function."""
    engine = create_async_engine(sa.make_url(owner_dsn).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(_create)
    await engine.dispose()
