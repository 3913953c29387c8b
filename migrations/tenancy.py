"""What every tenant table gets: row-level security, forced, and the grants of the three roles."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy.util import await_only

OWNER, APP, SYSTEM = "fusionems_owner", "fusionems_app", "fusionems_system"
CURRENT_TENANT = "nullif(current_setting('app.tenant_id', true), '')::uuid"


def secure(table: str, *, app: str = "SELECT, INSERT, UPDATE", system: str = "") -> None:
    """Rows of the current tenant for the app, all rows for the owner (data migrations) and, if granted, the system.

    FORCE hides rows from the owner too, hence its explicit policy. Nobody is granted DELETE or TRUNCATE.
    """
    condition = f"tenant_id = {CURRENT_TENANT}"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_isolation ON {table} TO {APP} USING ({condition}) WITH CHECK ({condition})")
    op.execute(f"CREATE POLICY owner_all ON {table} TO {OWNER} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT {app} ON {table} TO {APP}")
    if system:
        op.execute(f"CREATE POLICY system_all ON {table} TO {SYSTEM} USING (true) WITH CHECK (true)")
        op.execute(f"GRANT {system} ON {table} TO {SYSTEM}")


def append_only(table: str) -> None:
    """Refuse UPDATE, DELETE and TRUNCATE for every role, the owner included. Needs fusionems_append_only()."""
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION fusionems_append_only()"
    )
    no_truncate(table)


def no_truncate(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION fusionems_append_only()"
    )


def run_script(script: str) -> None:
    """Several statements at once, which prepared statements refuse, in the migration's own transaction."""
    connection: Any = op.get_bind().connection.driver_connection
    await_only(connection.execute(script))
