"""Who submitted a chart and may recall it; reviews that ended by a recall."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "recall"
down_revision = "facilities"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("submitted_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_incidents_submitted_by", "incidents", "users", ["tenant_id", "submitted_by"], ["tenant_id", "id"]
    )
    _states("'waiting', 'returned', 'recalled', 'completed'")
    op.execute(
        """
        UPDATE incidents AS chart SET submitted_by = review.submitted_by
        FROM chart_reviews AS review
        WHERE review.tenant_id = chart.tenant_id AND review.incident_id = chart.id AND review.status = 'waiting'
        AND chart.status = 'ready_for_review'
        """
    )


def downgrade() -> None:
    """A downgrade is refused while a recalled review is kept: it is not thrown away."""
    _states("'waiting', 'returned', 'completed'")
    op.drop_constraint("fk_incidents_submitted_by", "incidents", type_="foreignkey")
    op.drop_column("incidents", "submitted_by")


def _states(states: str) -> None:
    op.drop_constraint(op.f("ck_chart_reviews_status"), "chart_reviews", type_="check")
    op.create_check_constraint(op.f("ck_chart_reviews_status"), "chart_reviews", f"status IN ({states})")
