"""Published events beyond the retention time are deleted in batches. What is not published, or set aside, stays."""

from __future__ import annotations

from app.core.jobs.queue import Schedule
from app.core.runtime import Runtime

BATCH = 2000
_PURGE = "SELECT fusionems_purge_outbox($1, $2)"


async def purge(runtime: Runtime) -> None:
    """Deletes what is older than OUTBOX_RETENTION_HOURS. Each batch is a transaction of its own."""
    lease = await runtime.system.acquire()
    try:
        while await lease.conn.fetchval(_PURGE, runtime.settings.outbox_retention_hours, BATCH) == BATCH:
            pass
    finally:
        await runtime.system.release(lease)


PURGE_OUTBOX = Schedule("core.outbox_retention", "37 * * * *", purge)
