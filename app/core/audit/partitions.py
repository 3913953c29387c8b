"""Monthly partitions of both logs. They are made ahead of time, and detached for archiving after the retention time.

Rows of a month without a partition would go to the default partition.
"""

from __future__ import annotations

from app.core.jobs.queue import Schedule
from app.core.logging import get_logger
from app.core.runtime import Runtime

LOGS = ("audit_events", "access_log")
MONTHS_AHEAD = 12
_ENSURE = (
    "SELECT fusionems_ensure_partition($1, (date_trunc('month', now()) + make_interval(months => n))::date)"
    " FROM generate_series(0, $2) AS n"
)
_DETACH = "SELECT fusionems_detach_expired_partitions($1)"

_log = get_logger(__name__)


async def ensure_partitions(runtime: Runtime) -> None:
    """Makes the missing partitions of this month and the next MONTHS_AHEAD months."""
    lease = await runtime.system.acquire()
    try:
        for log in LOGS:
            await lease.conn.execute(_ENSURE, log, MONTHS_AHEAD)
    finally:
        await runtime.system.release(lease)


async def detach_expired_partitions(runtime: Runtime) -> list[str]:
    """Detaches months that are older than AUDIT_RETENTION_YEARS and returns their names. Nothing is deleted."""
    lease = await runtime.system.acquire()
    try:
        rows = await lease.conn.fetch(_DETACH, runtime.settings.audit_retention_years)
    finally:
        await runtime.system.release(lease)
    return [row[0] for row in rows]


async def _keep_partitions(runtime: Runtime) -> None:
    await ensure_partitions(runtime)
    for name in await detach_expired_partitions(runtime):
        _log.info("partition detached", location=name)


KEEP_PARTITIONS = Schedule("core.audit_partitions", "17 3 * * *", _keep_partitions)
