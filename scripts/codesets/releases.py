"""What imports have in common: the transaction, the order of releases, the report, provenance."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
import orjson
from sqlalchemy.engine import make_url

from app.coding.releases.models import CodeSystem
from app.core.config import Settings
from app.core.ids import new_id
from scripts.codesets.reading import BadRelease, Source

RETIRING_FEW = 50
RETIRING_SHARE = 0.02
"""A release that takes away more than this is more likely a truncated file: fiscal years retire less than one in a
hundred."""


@dataclass(frozen=True, slots=True)
class Release:
    """`effective_from`: the first day on which its codes are used; for ICD-10-CM October 1, or April 1."""

    system: CodeSystem
    name: str
    effective_from: dt.date


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did. `withdrawn`: codes that an earlier import of the same release should not have had."""

    rows: int
    added: int
    changed: int
    retired: int
    withdrawn: int = 0
    relations_added: int = 0
    relations_dropped: int = 0

    @property
    def nothing(self) -> bool:
        """True if everything was there already."""
        counts = asdict(self)
        return not any(number for name, number in counts.items() if name != "rows")


@dataclass(frozen=True, slots=True)
class Standing:
    """What was there before. `first`: this release is the only one that the code system has had.

    `first_whole`: there were selections at most before it. `whole`: the code system itself is loaded already, perhaps
    with selections on top of it.
    """

    first: bool
    first_whole: bool
    whole: bool


@contextlib.asynccontextmanager
async def owner_connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner of the tables, because the app may only read codes."""
    url = make_url((settings.migration_database_url or settings.database_url).get_secret_value())
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()


async def newest(connection: asyncpg.Connection, system: CodeSystem) -> Any:
    """The row of the newest release, or None."""
    return await connection.fetchrow(
        "SELECT * FROM code_releases WHERE code_system = $1 AND deleted_at IS NULL"
        " ORDER BY effective_from DESC, created_at DESC LIMIT 1",
        system.value,
    )


async def begin(connection: asyncpg.Connection, release: Release) -> Standing:
    """Begin an import; only one runs at a time. Raises BadRelease for a release older than what is loaded."""
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('code_releases'))")
    before = await newest(connection, release.system)
    if before is not None and before["effective_from"] > release.effective_from:
        raise BadRelease(
            f"release {before['release']} (from {before['effective_from']}) is loaded already and is newer;"
            " import releases in their order"
        )
    [(earlier, earlier_whole)] = await connection.fetch(
        "SELECT count(*), count(*) FILTER (WHERE whole) FROM code_releases"
        " WHERE code_system = $1 AND effective_from < $2 AND deleted_at IS NULL",
        release.system.value,
        release.effective_from,
    )
    return Standing(first=not earlier, first_whole=not earlier_whole, whole=before is not None and before["whole"])


async def earlier_selections(connection: asyncpg.Connection, release: Release, source: Source) -> list[uuid.UUID]:
    """Releases of this source that were loaded before any whole one.

    What such a selection alone brought was made in its transaction (`created_at`) and changed by no other source.
    """
    rows = await connection.fetch(
        "SELECT id FROM code_releases WHERE code_system = $1 AND source = $2 AND NOT whole AND deleted_at IS NULL",
        release.system.value,
        source.name,
    )
    return [row["id"] for row in rows]


async def announce(connection: asyncpg.Connection, release: Release, source: Source, *, whole: bool) -> uuid.UUID:
    """The release's row, which its codes refer to. `finish` completes it, or takes it back.

    `whole`: what is loaded with it is the code system itself: the release is, or it is a selection on top of that.
    """
    release_id = new_id()
    await connection.execute(
        "INSERT INTO code_releases (id, code_system, release, effective_from, source, sha256, report, whole)"
        " VALUES ($1, $2, $3, $4, $5, $6, '{}', $7)",
        release_id,
        release.system.value,
        release.name,
        release.effective_from,
        source.name,
        source.sha256,
        whole,
    )
    return release_id


async def finish(connection: asyncpg.Connection, release_id: uuid.UUID, report: Report, *, completes: bool) -> None:
    """End an import. One that changed nothing leaves no trace, unless it `completes` what was a selection."""
    if report.nothing and not completes:
        await connection.execute("DELETE FROM code_releases WHERE id = $1", release_id)
    else:
        await connection.execute(
            "UPDATE code_releases SET report = $2::jsonb WHERE id = $1",
            release_id,
            orjson.dumps(asdict(report)).decode(),
        )


def require_plausible(lost: int, held: int, *, allowed: bool) -> None:
    """Raises BadRelease when a release takes away too much to be whole."""
    if not allowed and lost > max(RETIRING_FEW, held * RETIRING_SHARE):
        raise BadRelease(
            f"the release lacks {lost} of the {held} codes in force: is the file whole? --allow-retiring imports it"
        )


async def count(connection: asyncpg.Connection, statement: str, *arguments: object) -> int:
    """How many rows a statement changed."""
    status = await connection.execute(statement, *arguments)
    return int(status.rsplit(" ", 1)[1])
