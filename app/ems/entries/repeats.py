"""What became of a change that comes too late: the same person made it before, or somebody deleted the entry.

A client whose answer was lost sends its change again. The versions of an entry and the audit log tell such a
repetition from a real conflict. They are asked only when the version is not the present one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from app.core.audit.actions import AuditAction
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
from app.ems.errors import EntryHeld
from app.ems.late_entries.repository import LateEntryRepository

C = TypeVar("C", bound=ChartEntry)
E = TypeVar("E", bound=ChartChild)


async def patched_before(uow: ReadUnitOfWork, entry: ChartEntry, patch: ChartPatch) -> bool:
    """True if this very person saved this very PATCH before.

    They did, if they made the version after the one that the PATCH names, and the PATCH changes nothing in it. What
    was written later stays: the answer to a repetition shows the entry as it stands now.
    """
    made = await find_own_version(uow, entry, patch.version + 1)
    if made is None or made.deleted_at is not None:
        return False
    state = made.__dict__
    return not plan_of(type(made)).changed(state, state | changes_of(made, patch))


async def find_own_version(
    uow: ReadUnitOfWork, entry: C, version: int, actions: Collection[AuditAction] = ()
) -> C | None:
    """The entry as it was at a version, if this very person made that version; by one of `actions`, if some are given.

    None for a version that is still to come.
    """
    if version > entry.version:
        return None
    made = entry if version == entry.version else await _at(uow, entry, version)
    if made is None:
        return None
    written = await _writing_of(uow, made)
    own = written.by is not None and written.by == uow.principal.user_id
    return made if own and (not actions or written.action in actions) else None


@dataclass(frozen=True, slots=True)
class Deletion:
    """The last change of a deleted row. `by` is None if the system made it; `own`: the person who asks did."""

    version: int
    at: dt.datetime
    by: uuid.UUID | None
    own: bool

    def conflict(self) -> Conflict:
        return Conflict.deleted(self.version, self.at, self.by)


async def deletion_of(uow: ReadUnitOfWork, deleted: ChartEntry) -> Deletion:
    by = (await _writing_of(uow, deleted)).by
    return Deletion(deleted.version, deleted.updated_at, by, own=by is not None and by == uow.principal.user_id)


async def _get_deletion(
    uow: ReadUnitOfWork, entries: Repository[E], incident_id: uuid.UUID, entry_id: uuid.UUID
) -> Deletion:
    """The deletion of an entry of this incident. Raises EntryHeld for one that came in late, NotFound for others."""
    try:
        entry = await entries.get_including_deleted(uow.tenant_id, entry_id)
    except NotFound:
        late = await LateEntryRepository(uow).find_by_entry(uow.tenant_id, entry_id)
        if late is None or (late.incident_id, late.entity) != (incident_id, entries.entity.entity_type):
            raise
        raise EntryHeld(late_entry_id=str(late.id), status=late.status.value) from None
    if entry.incident_id != incident_id or entry.deleted_at is None:
        raise NotFound
    return await deletion_of(uow, entry)


async def get_live(
    uow: ReadUnitOfWork,
    entries: Repository[E],
    incident_id: uuid.UUID,
    entry_id: uuid.UUID,
    *,
    for_update: bool = False,
) -> E:
    """The entry of this incident that a request wants to change.

    Raises Conflict if it was deleted; EntryHeld if it came in late; NotFound if there is none, or if it is another
    incident's.
    """
    find = entries.find_for_update if for_update else entries.find
    entry = await find(uow.tenant_id, entry_id)
    if entry is None:
        raise (await _get_deletion(uow, entries, incident_id, entry_id)).conflict()
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
    deletion = await _get_deletion(uow, entries, incident_id, entry_id)
    if deletion.own and deletion.version == version + 1:
        return None
    raise deletion.conflict()


async def _at(uow: ReadUnitOfWork, entry: C, version: int) -> C | None:
    chart: Any = plan_of(type(entry)).chart
    snapshots = await ContentRepository(uow).get_snapshots(uow.tenant_id, entry.__dict__[chart], [(entry.id, version)])
    return next((entity_of(type(entry), snapshot) for snapshot in snapshots.values()), None)


class _Writing(NamedTuple):
    by: uuid.UUID | None
    action: str | None


async def _writing_of(uow: ReadUnitOfWork, entry: ChartEntry) -> _Writing:
    """Who wrote this version, and what the audit log calls it. A row and its audit event have the same time."""
    events = await AuditEventRepository(uow).list_page(
        uow.tenant_id,
        limit=1,
        since=entry.updated_at,
        until=entry.updated_at + dt.timedelta.resolution,
        entity_id=entry.id,
    )
    return _Writing(events[0]["actor_user_id"], events[0]["action"]) if events else _Writing(None, None)
