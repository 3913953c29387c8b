"""Documents and narratives of calls without a patient: their `patient_id` may be null."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "documents_without_patient"
down_revision = "api_keys"
branch_labels = None
depends_on = None

TABLES = ("nemsis_exports", "narratives")


def upgrade() -> None:
    for table in TABLES:
        op.alter_column(table, "patient_id", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    """Refused while there is such a document or narrative: it is not thrown away."""
    for table in TABLES:
        op.alter_column(table, "patient_id", existing_type=sa.Uuid(), nullable=False)
