"""The audit log's monthly partitions are made ahead of time: a month without one would fill the default partition."""

from __future__ import annotations

from app.core.jobs.queue import Schedule
from app.core.runtime import Runtime

MONTHS_AHEAD = 12
_ENSURE = (
    "SELECT fusionems_ensure_audit_partition((date_trunc('month', now()) + make_interval(months => n))::date)"
    " FROM generate_series(0, $1) AS n"
)


async def ensure_partitions(runtime: Runtime) -> None:
    """Make what is missing of this month and the next MONTHS_AHEAD ones."""
    lease = await runtime.system.acquire()
    try:
        await lease.conn.execute(_ENSURE, MONTHS_AHEAD)
    finally:
        await runtime.system.release(lease)


ENSURE_PARTITIONS = Schedule("core.audit_partitions", "17 3 * * *", ensure_partitions)
