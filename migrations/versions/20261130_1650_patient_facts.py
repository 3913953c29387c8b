"""Times of a transport that are one patient's own."""

import sqlalchemy as sa
from alembic import op

revision = "patient_facts"
down_revision = "file_names"
branch_labels = None
depends_on = None

_TIMES = ("depart_scene_time", "arrived_destination_time")


def upgrade() -> None:
    for name in _TIMES:
        op.add_column("patients", sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    for name in reversed(_TIMES):
        op.drop_column("patients", name)
