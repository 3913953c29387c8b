"""What the claim edits found. The claim counts it, and a line may describe a code that has no words of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import append_only, run_script, secure

revision = "claim_scrubs"
down_revision = "appeals"
branch_labels = None
depends_on = None

_COUNTS = ("blocking_edits", "warning_edits")
# The counts are no content of the claim: they change neither its version nor its time.
_TRIGGER = """
CREATE FUNCTION fusionems_count_edits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE claims SET blocking_edits = NEW.blocking, warning_edits = NEW.warnings
  WHERE tenant_id = NEW.tenant_id AND id = NEW.claim_id;
  RETURN NULL;
END $$;
CREATE TRIGGER claim_scrubs_count_edits AFTER INSERT ON claim_scrubs
FOR EACH ROW EXECUTE FUNCTION fusionems_count_edits();
"""


def upgrade() -> None:
    op.create_table(
        "claim_scrubs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("claim_version", sa.Integer(), nullable=False),
        sa.Column("blocking", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("findings", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_claim_scrubs_tenant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_scrubs_claim_id"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_scrubs")),
    )
    op.create_index("ix_claim_scrubs_tenant_claim_id", "claim_scrubs", ["tenant_id", "claim_id", "id"])
    op.create_index("ix_claim_scrubs_tenant_created_at", "claim_scrubs", ["tenant_id", "created_at", "id"])
    secure("claim_scrubs", app="SELECT, INSERT")
    append_only("claim_scrubs")
    for name in _COUNTS:
        op.add_column("claims", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("claim_lines", sa.Column("description", sa.Text(), nullable=True))
    op.create_index("ix_claims_tenant_member_id", "claims", ["tenant_id", "member_id", "service_date"])
    op.create_index("ix_claims_tenant_blocking_edits", "claims", ["tenant_id", "blocking_edits", "created_at"])
    run_script(_TRIGGER)


def downgrade() -> None:
    op.drop_table("claim_scrubs")
    op.execute("DROP FUNCTION fusionems_count_edits()")
    op.drop_index("ix_claims_tenant_blocking_edits", "claims")
    op.drop_index("ix_claims_tenant_member_id", "claims")
    op.drop_column("claim_lines", "description")
    for name in reversed(_COUNTS):
        op.drop_column("claims", name)
