"""Documents of calls without a patient: `nemsis_exports.patient_id` may be null."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "documents_without_patient"
down_revision = "authors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("nemsis_exports", "patient_id", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    """Refused while there is such a document: it is not thrown away."""
    op.alter_column("nemsis_exports", "patient_id", existing_type=sa.Uuid(), nullable=False)
