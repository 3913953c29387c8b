"""The place of each event in the channels that carry it, and the end of what is older than the retention time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import SYSTEM, secure

revision = "positions"
down_revision = "audit_filters"
branch_labels = None
depends_on = None

PURGE = "fusionems_purge_outbox(int, int)"

# Positions go first and in their order: one that is left has all later ones. What is not published stays.
_PURGE = """
CREATE FUNCTION fusionems_purge_outbox(hours int, most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  until timestamptz := now() - make_interval(hours => hours);
  positions int;
  events int;
BEGIN
  IF hours < 1 THEN
    RAISE EXCEPTION 'events are kept for an hour at least' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  DELETE FROM outbox_positions WHERE placed_at < until
    AND id IN (SELECT id FROM outbox_positions ORDER BY id LIMIT most);
  GET DIAGNOSTICS positions = ROW_COUNT;
  WITH gone AS (
    DELETE FROM outbox_events WHERE id IN (
      SELECT id FROM outbox_events AS event WHERE published_at < until
        AND NOT EXISTS (
          SELECT FROM outbox_positions AS held
          WHERE held.tenant_id = event.tenant_id AND held.event_id = event.id)
      ORDER BY published_at LIMIT most)
    RETURNING id
  ), taken AS (
    DELETE FROM outbox_deliveries WHERE event_id IN (SELECT id FROM gone)
  )
  SELECT count(*) INTO events FROM gone;
  RETURN greatest(positions, events);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "outbox_streams",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "channel", "stream", name=op.f("pk_outbox_streams")),
    )
    op.create_table(
        "outbox_positions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("placed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_positions")),
        sa.UniqueConstraint("tenant_id", "channel", "stream", "sequence", name="uq_outbox_positions_sequence"),
        sa.UniqueConstraint("tenant_id", "event_id", "channel", name="uq_outbox_positions_event"),
    )
    op.create_index("ix_outbox_positions_tenant_channel", "outbox_positions", ["tenant_id", "channel", "id"])
    op.create_index(
        "ix_outbox_events_published",
        "outbox_events",
        ["published_at"],
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    secure("outbox_streams", app="SELECT", system="SELECT, INSERT, UPDATE")
    secure("outbox_positions", app="SELECT", system="SELECT, INSERT")
    op.execute(_PURGE)
    op.execute(f"REVOKE ALL ON FUNCTION {PURGE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {PURGE} TO {SYSTEM}")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {PURGE}")
    op.drop_index("ix_outbox_events_published", "outbox_events")
    op.drop_table("outbox_positions")
    op.drop_table("outbox_streams")
