"""The kernel: tenants, users, audit log, outbox, inbox, idempotency keys, chart revisions, the job queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from sqlalchemy.dialects import postgresql

from migrations.tenancy import APP, SYSTEM, append_only, no_truncate, run_script, secure

revision = "kernel"
down_revision = None
branch_labels = None
depends_on = None


_REFUSE = """
CREATE FUNCTION fusionems_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
# A UUIDv7 begins with 48 bits of milliseconds: a month is a range of ids.
_ENSURE_PARTITION = """
CREATE FUNCTION fusionems_ensure_audit_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
  next timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
  partition text := 'audit_events_' || to_char(month, 'YYYYMM');
BEGIN
  IF to_regclass('public.' || partition) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format(
    'CREATE TABLE %I PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)', partition,
    rpad(lpad(to_hex((extract(epoch FROM first) * 1000)::bigint), 12, '0'), 32, '0')::uuid,
    rpad(lpad(to_hex((extract(epoch FROM next) * 1000)::bigint), 12, '0'), 32, '0')::uuid);
  EXECUTE format(
    'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION fusionems_append_only()',
    partition);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("changed_fields_json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("metadata_json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_audit_events_tenant_created_at", "audit_events", ["tenant_id", "created_at"], unique=False)
    op.create_index(
        "ix_audit_events_tenant_entity", "audit_events", ["tenant_id", "entity_id", "created_at"], unique=False
    )
    op.create_table(
        "chart_revisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_revisions")),
        sa.UniqueConstraint("tenant_id", "entity_id", "version", name="uq_chart_revisions_version"),
    )
    op.create_index(
        "ix_chart_revisions_tenant_created_at", "chart_revisions", ["tenant_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_chart_revisions_tenant_incident_id",
        "chart_revisions",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("tenant_id", "key", name="uq_idempotency_keys_key"),
    )
    op.create_index(
        "ix_idempotency_keys_tenant_created_at", "idempotency_keys", ["tenant_id", "created_at"], unique=False
    )
    op.create_table(
        "outbox_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_deliveries")),
        sa.UniqueConstraint("event_id", "handler", name="uq_outbox_deliveries_handler"),
    )
    op.create_index(
        "ix_outbox_deliveries_tenant_created_at", "outbox_deliveries", ["tenant_id", "created_at"], unique=False
    )
    op.create_table(
        "outbox_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("payload", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
    )
    op.create_index(
        "ix_outbox_events_pending",
        "outbox_events",
        ["sequence"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL AND failed_at IS NULL"),
    )
    op.create_index("ix_outbox_events_tenant_created_at", "outbox_events", ["tenant_id", "created_at"], unique=False)
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("trade_name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("agency_state_id", sa.Text(), nullable=False),
        sa.Column("agency_number", sa.Text(), nullable=False),
        sa.Column("software_creator", sa.Text(), server_default="FusionEMS", nullable=False),
        sa.Column("software_name", sa.Text(), server_default="FusionEMS Quantum", nullable=False),
        sa.Column("software_version", sa.Text(), server_default="0.1", nullable=False),
        sa.Column("npi", sa.Text(), nullable=True),
        sa.Column("ein", sa.Text(), nullable=True),
        sa.Column("taxonomy", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("zip", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("billing_contact_name", sa.Text(), nullable=True),
        sa.Column("submitter_qualifier", sa.Text(), server_default="ZZ", nullable=False),
        sa.Column("submitter_id", sa.Text(), nullable=True),
        sa.Column("receiver_name", sa.Text(), nullable=True),
        sa.Column("receiver_qualifier", sa.Text(), server_default="30", nullable=False),
        sa.Column("receiver_id", sa.Text(), nullable=True),
        sa.Column("auto_lock_hours", sa.Integer(), server_default=sa.text("24"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f("ck_tenants_status")),
        sa.CheckConstraint("tenant_id = id", name=op.f("ck_tenants_own_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name="uq_tenants_slug"),
    )
    op.create_index("ix_tenants_tenant_created_at", "tenants", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_tenants_tenant_status", "tenants", ["tenant_id", "status", "created_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("is_reviewer", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('admin', 'ems', 'billing', 'founder')", name=op.f("ck_users_role")),
        sa.CheckConstraint("status IN ('invited', 'active', 'locked', 'disabled')", name=op.f("ck_users_status")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_lower")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_users_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("tenant_id", "email", name="uq_users_email"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_users_tenant"),
    )
    op.create_index("ix_users_tenant_created_at", "users", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_users_tenant_status", "users", ["tenant_id", "status", "created_at"], unique=False)
    op.create_table(
        "webhook_receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("raw_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("processed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("provider IN ('stripe', 'telnyx')", name=op.f("ck_webhook_receipts_provider")),
        sa.CheckConstraint(
            "status IN ('received', 'processed', 'failed', 'ignored')", name=op.f("ck_webhook_receipts_status")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_webhook_receipts_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_receipts")),
        sa.UniqueConstraint("provider", "event_id", name="uq_webhook_receipts_event"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_webhook_receipts_tenant"),
    )
    op.create_index(
        "ix_webhook_receipts_tenant_created_at", "webhook_receipts", ["tenant_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_webhook_receipts_tenant_status", "webhook_receipts", ["tenant_id", "status", "created_at"], unique=False
    )
    _secure_tables()
    _make_audit_log_append_only()
    _install_job_queue()


def _secure_tables() -> None:
    for role in (APP, SYSTEM):
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        op.execute(f"GRANT SELECT ON alembic_version TO {role}")
    secure("tenants", app="SELECT, UPDATE", system="SELECT")
    secure("users", system="SELECT")
    secure("audit_events", app="SELECT, INSERT")
    secure("outbox_events", app="SELECT, INSERT", system="SELECT, UPDATE")
    secure("outbox_deliveries", app="SELECT, INSERT")
    secure("idempotency_keys", app="SELECT, INSERT")
    secure("chart_revisions", app="SELECT, INSERT")
    secure("webhook_receipts", app="SELECT, UPDATE", system="SELECT, INSERT, UPDATE")


def _make_audit_log_append_only() -> None:
    """Row triggers (a partition addressed directly fires no statement trigger) and TRUNCATE triggers per partition."""
    op.execute(_REFUSE)
    append_only("chart_revisions")
    append_only("audit_events")
    op.execute(_ENSURE_PARTITION)
    op.execute("REVOKE ALL ON FUNCTION fusionems_ensure_audit_partition(date) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION fusionems_ensure_audit_partition(date) TO {SYSTEM}")
    op.execute("CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT")
    no_truncate("audit_events_default")
    op.execute(
        "SELECT fusionems_ensure_audit_partition((date_trunc('month', now()) + make_interval(months => n))::date)"
        " FROM generate_series(-1, 24) AS n"
    )


def _install_job_queue() -> None:
    run_script(QueryBuilderEnvironment().build_install_query(create_schema=False))
    for table in ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SYSTEM}")
    for table in ("pgqueuer", "pgqueuer_log"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
    for role in (APP, SYSTEM):
        op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")


def downgrade() -> None:
    run_script(QueryBuilderEnvironment().build_uninstall_query())
    for table in (
        "webhook_receipts",
        "users",
        "tenants",
        "outbox_events",
        "outbox_deliveries",
        "idempotency_keys",
        "chart_revisions",
        "audit_events",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION fusionems_ensure_audit_partition(date)")
    op.execute("DROP FUNCTION fusionems_append_only()")
