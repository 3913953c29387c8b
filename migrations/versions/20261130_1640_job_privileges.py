"""Jobs: the app role adds them through one function, for the tenant of its transaction, and reads none."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import APP, SYSTEM

revision = "job_privileges"
down_revision = "decimals_as_charted"
branch_labels = None
depends_on = None

QUEUE = ("pgqueuer", "pgqueuer_log")
SEQUENCES = ("pgqueuer_id_seq", "pgqueuer_log_id_seq", "pgqueuer_schedules_id_seq", "pgqueuer_statistics_id_seq")
ENQUEUE = "fusionems_enqueue_job(text, jsonb, text, interval, text)"

# What pgqueuer's own enqueue does. Waiting jobs of one agency never keep another's from being added: dedupe keys begin
# with the tenant. jsonb_each_text raises for what is no object, and the cast for what is no id.
_ENQUEUE = """
CREATE FUNCTION fusionems_enqueue_job(kind text, ids jsonb, seal text, delay interval, dedupe text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  found text;
  job bigint;
BEGIN
  IF tenant IS NULL OR kind IS NULL OR seal IS NULL THEN
    RAISE EXCEPTION 'a job has a kind, a tenant and a seal' USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOR found IN SELECT value FROM jsonb_each_text(ids) LOOP
    IF found::uuid IS NULL THEN
      RAISE EXCEPTION 'a job carries ids' USING ERRCODE = 'null_value_not_allowed';
    END IF;
  END LOOP;
  INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
  VALUES (
    0, kind, convert_to((ids || jsonb_build_object('tenant_id', tenant, 'seal', seal))::text, 'UTF8'),
    now() + coalesce(delay, interval '0'), tenant::text || ':' || dedupe, 'queued'
  )
  ON CONFLICT DO NOTHING
  RETURNING id INTO job;
  IF job IS NOT NULL THEN
    INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority) VALUES (job, 'queued', kind, 0);
  END IF;
END $$
"""


def upgrade() -> None:
    op.execute(_ENQUEUE)
    op.execute(f"REVOKE ALL ON FUNCTION {ENQUEUE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {ENQUEUE} TO {APP}")
    for table in QUEUE:
        op.execute(f"REVOKE ALL ON {table} FROM {APP}")
    for sequence in SEQUENCES:
        op.execute(f"REVOKE ALL ON SEQUENCE {sequence} FROM {APP}")


def downgrade() -> None:
    for sequence in SEQUENCES:
        op.execute(f"REVOKE USAGE ON SEQUENCE {sequence} FROM {SYSTEM}")  # privileges are listed in order of grants
        op.execute(f"GRANT USAGE ON SEQUENCE {sequence} TO {APP}")
        op.execute(f"GRANT USAGE ON SEQUENCE {sequence} TO {SYSTEM}")
    for table in QUEUE:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
    op.execute(f"DROP FUNCTION {ENQUEUE}")
