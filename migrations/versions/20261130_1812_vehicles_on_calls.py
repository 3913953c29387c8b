"""The vehicle of a call, and what its record said when the chart named it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "vehicles_on_calls"
down_revision = "documents_without_patient"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("vehicle_id", sa.Uuid(), nullable=True))
    op.add_column("incidents", sa.Column("vehicle", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_foreign_key(
        "fk_incidents_vehicle_id", "incidents", "vehicles", ["tenant_id", "vehicle_id"], ["tenant_id", "id"]
    )
    op.create_index("ix_incidents_tenant_vehicle_id", "incidents", ["tenant_id", "vehicle_id", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_incidents_tenant_vehicle_id", table_name="incidents")
    op.drop_constraint("fk_incidents_vehicle_id", "incidents", type_="foreignkey")
    op.drop_column("incidents", "vehicle")
    op.drop_column("incidents", "vehicle_id")
