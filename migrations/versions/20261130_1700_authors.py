"""Authors of a chart, who may not review it; whether an agency lets them; the witness among the signers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "authors"
down_revision = "patient_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("authors", postgresql.ARRAY(sa.Uuid()), nullable=True))
    op.add_column(
        "tenants", sa.Column("authors_may_review", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    # Charts that wait for their review now: whoever created or submitted them, or did anything to an entry of theirs.
    op.execute(
        """
        UPDATE incidents AS chart SET authors = ARRAY(
            SELECT chart.created_by
            UNION
            SELECT submitted_by FROM chart_reviews
            WHERE tenant_id = chart.tenant_id AND incident_id = chart.id AND status = 'waiting'
            UNION
            SELECT event.actor_user_id
            FROM chart_revisions AS revision
            JOIN audit_events AS event ON event.tenant_id = revision.tenant_id AND event.entity_id = revision.entity_id
            WHERE revision.tenant_id = chart.tenant_id AND revision.incident_id = chart.id
            AND revision.entity NOT IN ('incident', 'signature', 'attachment') AND event.actor_user_id IS NOT NULL
        )
        WHERE status = 'ready_for_review'
        """
    )
    _signers("'patient', 'guardian', 'crew', 'witness'")


def downgrade() -> None:
    _signers("'patient', 'guardian', 'crew'")
    op.drop_column("tenants", "authors_may_review")
    op.drop_column("incidents", "authors")


def _signers(roles: str) -> None:
    """A downgrade is refused while a witness's signature stands: it is not thrown away."""
    op.drop_constraint(op.f("ck_signatures_signer_role"), "signatures", type_="check")
    op.create_check_constraint(op.f("ck_signatures_signer_role"), "signatures", f"signer_role IN ({roles})")
