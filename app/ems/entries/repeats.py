"""What became of a change that comes too late: the same person made it before, or somebody deleted the entry.

A client whose answer was lost sends its change again. The versions of an entry and the audit log tell such a
repetition from a real conflict. They are asked only when the version is not the present one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.audit.repository import AuditEventRepository
from app.core.db.plan import plan_of
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Conflict, NotFound
from app.core.repository import Repository
from app.ems.chart.columns import ChartChild, ChartEntry
from app.ems.chart.gate import changes_of
from app.ems.chart.schemas import ChartPatch
from app.ems.content.repository import ContentRepository
from app.ems.content.snapshots import entity_of
from app.ems.entries.checks import of_incident

C = TypeVar("C", bound=ChartEntry)
E = TypeVar("E", bound=ChartChild)


async def patched_before(uow: ReadUnitOfWork, entry: ChartEntry, patch: ChartPatch) -> bool:
    """True if this very person saved this very PATCH before.

    They did, if they made the version after the one that the PATCH names, and the PATCH changes nothing in it. What
    was written later stays: the answer to a repetition shows the entry as it stands now.
    """
    made = await version_made_here(uow, entry, patch.version + 1)
    if made is None or made.deleted_at is not None:
        return False
    state = made.__dict__
    return not plan_of(type(made)).changed(state, state | changes_of(made, patch))


async def version_made_here(uow: ReadUnitOfWork, entry: C, version: int) -> C | None:
    """The entry as it was at a version, if this very person made that version. None for a version still to come."""
    if version > entry.version:
        return None
    made = entry if version == entry.version else await _at(uow, entry, version)
    if made is None or uow.principal.user_id is None:
        return None
    return made if await _writer_of(uow, made.id, made.updated_at) == uow.principal.user_id else None


@dataclass(frozen=True, slots=True)
class Deletion(Generic[E]):
    """A deleted entry, and the user who deleted it. The system has no user."""

    entry: E
    by: uuid.UUID | None

    def by_themselves(self, uow: ReadUnitOfWork) -> bool:
        """True if the person who asks now deleted it."""
        return self.by is not None and self.by == uow.principal.user_id

    def conflict(self) -> Conflict:
        return Conflict.deleted(self.entry.version, self.entry.updated_at, self.by)


async def get_deletion(
    uow: ReadUnitOfWork, entries: Repository[E], incident_id: uuid.UUID, entry_id: uuid.UUID
) -> Deletion[E]:
    """The deletion of an entry of this incident. Raises NotFound for every other id."""
    entry = await entries.get_including_deleted(uow.tenant_id, entry_id)
    if entry.incident_id != incident_id or entry.deleted_at is None:
        raise NotFound
    return Deletion(entry, await _writer_of(uow, entry.id, entry.updated_at))


async def get_live(
    uow: ReadUnitOfWork,
    entries: Repository[E],
    incident_id: uuid.UUID,
    entry_id: uuid.UUID,
    *,
    for_update: bool = False,
) -> E:
    """The entry of this incident that a request wants to change.

    Raises Conflict if it was deleted; NotFound if there is none, or if it is another incident's.
    """
    find = entries.find_for_update if for_update else entries.find
    entry = await find(uow.tenant_id, entry_id)
    if entry is None:
        raise (await get_deletion(uow, entries, incident_id, entry_id)).conflict()
    return of_incident(entry, incident_id)


async def find_undeleted(
    uow: ReadUnitOfWork, entries: Repository[E], incident_id: uuid.UUID, entry_id: uuid.UUID, version: int
) -> E | None:
    """The entry to be deleted, locked FOR UPDATE; None if this very person deleted that very version before.

    Raises as `get_live` does.
    """
    entry = await entries.find_for_update(uow.tenant_id, entry_id)
    if entry is not None:
        return of_incident(entry, incident_id)
    deletion = await get_deletion(uow, entries, incident_id, entry_id)
    if deletion.by_themselves(uow) and deletion.entry.version == version + 1:
        return None
    raise deletion.conflict()


async def _at(uow: ReadUnitOfWork, entry: C, version: int) -> C | None:
    chart: Any = plan_of(type(entry)).chart
    snapshots = await ContentRepository(uow).get_snapshots(uow.tenant_id, entry.__dict__[chart], [(entry.id, version)])
    return next((entity_of(type(entry), snapshot) for snapshot in snapshots.values()), None)


async def _writer_of(uow: ReadUnitOfWork, entry_id: uuid.UUID, written_at: dt.datetime) -> uuid.UUID | None:
    """The user who wrote the version of that time. A row and its audit event have the same time."""
    events = await AuditEventRepository(uow).list_page(
        uow.tenant_id,
        limit=1,
        since=written_at,
        until=written_at + dt.timedelta.resolution,
        entity_id=entry_id,
    )
    writer: uuid.UUID | None = events[0]["actor_user_id"] if events else None
    return writer
