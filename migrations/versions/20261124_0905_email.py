"""E-mail: messages and suppressions; the inbox takes notices of SES."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "email"
down_revision = "reference"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "email_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("context_json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("provider_message_id", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "failure_code IN ('SUPPRESSED', 'BAD_ADDRESS', 'NOT_RENDERED', 'REJECTED', 'THROTTLED', 'UNAVAILABLE',"
            " 'UNANSWERED', 'LEASE_EXPIRED', 'TRANSIENT_BOUNCE', 'PERMANENT_BOUNCE', 'COMPLAINT')",
            name=op.f("ck_email_messages_failure_code"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'failed', 'bounced', 'complained')",
            name=op.f("ck_email_messages_status"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_email_messages_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_messages")),
        sa.UniqueConstraint("tenant_id", "cause_id", "template", name="uq_email_messages_cause"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_email_messages_tenant"),
    )
    op.create_index(
        "ix_email_messages_lease_until",
        "email_messages",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "ix_email_messages_provider_message_id",
        "email_messages",
        ["provider_message_id"],
        unique=False,
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    )
    op.create_index(
        "ix_email_messages_tenant_created_at", "email_messages", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_email_messages_tenant_status", "email_messages", ["tenant_id", "status", "created_at"], unique=False
    )
    op.create_index(
        "ix_email_messages_tenant_template", "email_messages", ["tenant_id", "template", "created_at"], unique=False
    )
    op.create_table(
        "email_suppressions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("reason IN ('bounce', 'complaint')", name=op.f("ck_email_suppressions_reason")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["email_messages.tenant_id", "email_messages.id"],
            name="fk_email_suppressions_message_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_email_suppressions_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_suppressions")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_email_suppressions_tenant"),
    )
    op.create_index(
        "ix_email_suppressions_tenant_created_at", "email_suppressions", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_email_suppressions_address",
        "email_suppressions",
        ["tenant_id", "address"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    _let_receipts_come_from("stripe", "telnyx", "ses")
    secure("email_messages", system="SELECT")
    secure("email_suppressions")


def downgrade() -> None:
    op.execute("DELETE FROM webhook_receipts WHERE provider = 'ses'")
    _let_receipts_come_from("stripe", "telnyx")
    op.drop_index(
        "uq_email_suppressions_address", table_name="email_suppressions", postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.drop_index("ix_email_suppressions_tenant_created_at", table_name="email_suppressions")
    op.drop_table("email_suppressions")
    op.drop_index("ix_email_messages_tenant_template", table_name="email_messages")
    op.drop_index("ix_email_messages_tenant_status", table_name="email_messages")
    op.drop_index("ix_email_messages_tenant_created_at", table_name="email_messages")
    op.drop_index(
        "ix_email_messages_provider_message_id",
        table_name="email_messages",
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_email_messages_lease_until",
        table_name="email_messages",
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.drop_table("email_messages")


def _let_receipts_come_from(*providers: str) -> None:
    allowed = ", ".join(f"'{provider}'" for provider in providers)
    op.drop_constraint(op.f("ck_webhook_receipts_provider"), "webhook_receipts", type_="check")
    op.create_check_constraint(op.f("ck_webhook_receipts_provider"), "webhook_receipts", f"provider IN ({allowed})")
