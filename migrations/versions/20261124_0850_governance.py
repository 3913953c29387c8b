"""Governance: the access log; partitions of both logs made and, after the retention time, detached by the system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import SYSTEM, append_only, no_truncate, secure

revision = "governance"
down_revision = "identity"
branch_labels = None
depends_on = None


# A UUIDv7 begins with 48 bits of milliseconds: a month is a range of ids.
_ENSURE_PARTITION = """
CREATE FUNCTION fusionems_ensure_partition(log text, month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
  next timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
  partition text := log || '_' || to_char(month, 'YYYYMM');
BEGIN
  IF log NOT IN ('audit_events', 'access_log') THEN
    RAISE EXCEPTION '% is not partitioned by month', log USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF to_regclass('public.' || partition) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format(
    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', partition, log,
    rpad(lpad(to_hex((extract(epoch FROM first) * 1000)::bigint), 12, '0'), 32, '0')::uuid,
    rpad(lpad(to_hex((extract(epoch FROM next) * 1000)::bigint), 12, '0'), 32, '0')::uuid);
  EXECUTE format(
    'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION fusionems_append_only()',
    partition);
END $$
"""
# The version of the service before this one calls it by its old name.
_OLD_NAME = """
CREATE OR REPLACE FUNCTION fusionems_ensure_audit_partition(month date) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT fusionems_ensure_partition('audit_events', month)
$$
"""
# A detached partition keeps its rows and stays append-only: it is for the operator to archive. Detaching drops the
# row triggers that were inherited.
_DETACH = """
CREATE FUNCTION fusionems_detach_expired_partitions(years int) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  expired record;
BEGIN
  IF years < 10 THEN
    RAISE EXCEPTION 'the logs are kept for ten years at least' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR expired IN
    SELECT child.relname AS name, parent.relname AS log FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid JOIN pg_class AS parent ON parent.oid = inhparent
    WHERE parent.relname IN ('audit_events', 'access_log') AND child.relname ~ '_[0-9]{6}$'
      AND to_date(right(child.relname, 6), 'YYYYMM') + interval '1 month' <= now() - make_interval(years => years)
    ORDER BY child.relname
  LOOP
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', expired.log, expired.name);
    EXECUTE format(
      'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I'
      ' FOR EACH ROW EXECUTE FUNCTION fusionems_append_only()', expired.name);
    RETURN NEXT expired.name;
  END LOOP;
END $$
"""
_OF_THE_SYSTEM = ("fusionems_ensure_partition(text, date)", "fusionems_detach_expired_partitions(int)")
_FIRST_VERSION = """
CREATE OR REPLACE FUNCTION fusionems_ensure_audit_partition(month date) RETURNS void
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
        "access_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("incident_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_access_log_tenant_id", "access_log", ["tenant_id", "id"])
    op.create_index("ix_access_log_tenant_created_at", "access_log", ["tenant_id", "created_at"])
    op.create_index("ix_access_log_tenant_incident_id", "access_log", ["tenant_id", "incident_id", "id"])
    op.create_index("ix_access_log_tenant_actor", "access_log", ["tenant_id", "actor_user_id", "id"])
    op.create_index(
        "ix_access_log_lists",
        "access_log",
        ["tenant_id", "id"],
        postgresql_where=sa.text("incident_ids IS NOT NULL"),
    )
    op.create_index("ix_audit_events_tenant_id", "audit_events", ["tenant_id", "id"])
    secure("access_log", app="SELECT, INSERT")
    append_only("access_log")
    for function in (_ENSURE_PARTITION, _OLD_NAME, _DETACH):
        op.execute(function)
    for signature in _OF_THE_SYSTEM:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {SYSTEM}")
    op.execute("CREATE TABLE access_log_default PARTITION OF access_log DEFAULT")
    no_truncate("access_log_default")
    op.execute(
        "SELECT fusionems_ensure_partition("
        " 'access_log', (date_trunc('month', now()) + make_interval(months => n))::date)"
        " FROM generate_series(-1, 24) AS n"
    )


def downgrade() -> None:
    op.execute(_FIRST_VERSION)
    op.execute("DROP FUNCTION fusionems_detach_expired_partitions(int)")
    op.execute("DROP FUNCTION fusionems_ensure_partition(text, date)")
    op.drop_index("ix_audit_events_tenant_id", "audit_events")
    op.drop_table("access_log")
