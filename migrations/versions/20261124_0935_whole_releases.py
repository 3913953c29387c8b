"""Whether a release is its code system itself, or a selection of it."""

import sqlalchemy as sa
from alembic import op

revision = "whole_releases"
down_revision = "crew"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("code_releases", sa.Column("whole", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    # ICD-10-CM is always imported whole; of RxNorm only RRF files have relations of brands (a CSV has has_ingredient).
    op.execute("UPDATE code_releases SET whole = true WHERE code_system = 'icd10cm'")
    op.execute(
        "UPDATE code_releases SET whole = true WHERE code_system = 'rxnorm' AND EXISTS"
        " (SELECT FROM rxnorm_relations WHERE relation = 'tradename_of' AND deleted_at IS NULL)"
    )


def downgrade() -> None:
    op.drop_column("code_releases", "whole")
