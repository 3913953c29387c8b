"""The declared ways by which protected health information leaves the service as anything else than a read of entities.

What was rendered to the object store, or is fetched with a link, is no entity that a repository loads: the access log
would not learn of it. So each such way is declared, listed in `app/registry.py`, named by its routes
(`dependencies.discloses`) and recorded with `disclose` before anything is answered (ADR 0031).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.audit.access import Purpose
from app.core.audit.actions import AuditAction
from app.core.audit.writer import record
from app.core.context import current_context
from app.core.db.uow import UnitOfWork


class Means(StrEnum):
    """DOWNLOAD answers with the content, LINK with a link that anybody may follow, EXPORT with many records at once."""

    DOWNLOAD = "download"
    LINK = "link"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One declared way out. `what` is the category under which the access log names it.

    `action` is what the audit log calls it: no two disclosures have the same. A `purpose` of None means that of the
    person's role (`access.PURPOSES`).
    """

    action: AuditAction
    means: Means
    what: str
    purpose: Purpose | None = None


async def disclose(
    uow: UnitOfWork,
    disclosure: Disclosure,
    *,
    entity_type: str,
    entity_id: uuid.UUID,
    incident_ids: Collection[uuid.UUID] = (),
    metadata: dict[str, Any] | None = None,
) -> None:
    """Record in `uow` who is given what, of which charts and for which purpose: one audit event, one access log row.

    Nothing may be answered before `uow` has committed. `incident_ids` names every chart inside; what holds no chart
    names none and has an audit event only. `metadata` may hold no PHI.
    """
    for incident_id in incident_ids:
        uow.note_phi(disclosure.what, incident_id, disclosure.purpose)
    told: dict[str, Any] = {"means": disclosure.means, "what": disclosure.what}
    if disclosure.purpose is not None:
        told["purpose"] = disclosure.purpose
    if incident_ids:
        told["incident_ids"] = sorted(incident_ids)
    await record(
        uow, disclosure.action, entity_type=entity_type, entity_id=entity_id, metadata={**told, **(metadata or {})}
    )
    context = current_context()
    if context is not None:
        context.disclosed.add(disclosure.action)
