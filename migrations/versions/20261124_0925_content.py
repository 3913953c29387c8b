"""CorrelationIDs of the vital, medication and procedure groups; doses of a million units and more."""

import sqlalchemy as sa
from alembic import op

revision = "content"
down_revision = "email"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("vitals", "interventions"):
        op.add_column(table, sa.Column("correlation_id", sa.Text(), nullable=True))
    op.alter_column("interventions", "dose", type_=sa.Numeric(precision=12, scale=3))


def downgrade() -> None:
    op.alter_column("interventions", "dose", type_=sa.Numeric(precision=9, scale=3))
    for table in ("interventions", "vitals"):
        op.drop_column(table, "correlation_id")
