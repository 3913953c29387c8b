"""Webhook receipts: the verified body until they are settled, any declared provider, and their own audit rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import SYSTEM

revision = "receipt_bodies"
down_revision = "whole_releases"
branch_labels = None
depends_on = None

# As the owner: nobody else may delete, and the app role may not touch the table at all.
_FOLLOW = """
CREATE FUNCTION fusionems_webhook_body_follows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.status IN ('processed', 'ignored') THEN
    DELETE FROM webhook_bodies WHERE receipt_id = NEW.id;
  ELSIF NEW.status = 'received' THEN
    UPDATE webhook_bodies SET attempts = 0, next_attempt_at = now() WHERE receipt_id = NEW.id;
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.drop_constraint(op.f("ck_webhook_receipts_provider"), "webhook_receipts", type_="check")
    op.add_column("webhook_receipts", sa.Column("reason", sa.Text(), nullable=True))
    op.create_index(
        "ix_webhook_receipts_unclaimed",
        "webhook_receipts",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("tenant_id IS NULL"),
    )
    op.create_table(
        "webhook_bodies",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["receipt_id"], ["webhook_receipts.id"], name="fk_webhook_bodies_receipt"),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_webhook_bodies")),
    )
    op.create_index("ix_webhook_bodies_next_attempt_at", "webhook_bodies", ["next_attempt_at"], unique=False)
    # No tenant and no policy: the grant to the system role alone is what closes the table to everybody else.
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON webhook_bodies TO {SYSTEM}")
    op.execute(_FOLLOW)
    op.execute("REVOKE ALL ON FUNCTION fusionems_webhook_body_follows() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER webhook_body_follows AFTER UPDATE OF status ON webhook_receipts FOR EACH ROW"
        " WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION fusionems_webhook_body_follows()"
    )
    # The system role stores and assigns receipts: it tells the tenant's audit log so, in the same statement.
    op.execute(f"CREATE POLICY system_all ON audit_events TO {SYSTEM} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT INSERT ON audit_events TO {SYSTEM}")


def downgrade() -> None:
    op.execute(f"REVOKE INSERT ON audit_events FROM {SYSTEM}")
    op.execute("DROP POLICY system_all ON audit_events")
    op.execute("DROP TRIGGER webhook_body_follows ON webhook_receipts")
    op.execute("DROP FUNCTION fusionems_webhook_body_follows()")
    op.drop_index("ix_webhook_bodies_next_attempt_at", table_name="webhook_bodies")
    op.drop_table("webhook_bodies")
    op.drop_index(
        "ix_webhook_receipts_unclaimed",
        table_name="webhook_receipts",
        postgresql_where=sa.text("tenant_id IS NULL"),
    )
    op.drop_column("webhook_receipts", "reason")
    op.execute("DELETE FROM webhook_receipts WHERE provider NOT IN ('stripe', 'telnyx', 'ses')")
    op.create_check_constraint(
        op.f("ck_webhook_receipts_provider"), "webhook_receipts", "provider IN ('stripe', 'telnyx', 'ses')"
    )
