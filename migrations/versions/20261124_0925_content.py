"""CorrelationIDs of vital, medication and procedure groups; doses of a million units and more; custom elements."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "content"
down_revision = "review"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("vitals", "interventions"):
        op.add_column(table, sa.Column("correlation_id", sa.Text(), nullable=True))
    op.alter_column("interventions", "dose", type_=sa.Numeric(precision=12, scale=3))
    op.create_table(
        "custom_elements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("custom_element_id", sa.Text(), nullable=False),
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
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_custom_elements_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_elements")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_custom_elements_tenant"),
    )
    op.create_index(
        "ix_custom_elements_tenant_created_at", "custom_elements", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_custom_elements_custom_element_id",
        "custom_elements",
        ["tenant_id", "custom_element_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("custom_elements")


def downgrade() -> None:
    op.drop_table("custom_elements")
    op.alter_column("interventions", "dose", type_=sa.Numeric(precision=9, scale=3))
    for table in ("interventions", "vitals"):
        op.drop_column(table, "correlation_id")
