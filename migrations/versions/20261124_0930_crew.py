"""The crew of a call, from the agency's personnel."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "crew"
down_revision = "content"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crew_members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("personnel_id", sa.Uuid(), nullable=False),
        sa.Column("licensure_id", sa.Text(), nullable=True),
        sa.Column("licensure_level", sa.Text(), nullable=True),
        sa.Column("response_roles", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column(
            "elements",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "licensure_level IN ('9925001', '9925002', '9925003', '9925005', '9925007', '9925023', '9925025', "
            "'9925027', '9925029', '9925031', '9925033', '9925035', '9925037', '9925039', '9925041', '9925043')",
            name=op.f("ck_crew_members_licensure_level"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_crew_members_incident_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "personnel_id"], ["personnel.tenant_id", "personnel.id"], name="fk_crew_members_personnel_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_crew_members_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_members")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_crew_members_tenant"),
    )
    op.create_index(
        "ix_crew_members_tenant_created_at", "crew_members", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_crew_members_tenant_incident_id", "crew_members", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_index(
        "uq_crew_members_personnel_id",
        "crew_members",
        ["tenant_id", "incident_id", "personnel_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("crew_members")


def downgrade() -> None:
    op.drop_table("crew_members")
