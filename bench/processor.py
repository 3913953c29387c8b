"""Reads the CPU time of PostgreSQL's backends, and the memory of a process, where this machine's kernel tells them."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg


async def backend_seconds(database: asyncpg.Connection) -> float | None:
    """CPU seconds so far of all other backends of `database`'s database, or None where they cannot be read."""
    backends = await database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    try:
        return sum(_nanoseconds(pid) for (pid,) in backends) / 1e9
    except (OSError, ValueError):
        return None


def _nanoseconds(pid: int) -> int:
    process = Path(f"/proc/{pid}")
    if not (process / "comm").read_text().startswith("postgres"):
        raise ValueError("another machine's process id")
    return int((process / "schedstat").read_text().split()[0])


def resident_bytes(pid: int) -> int:
    """Bytes of memory that the process holds. Raises OSError where they cannot be read."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
