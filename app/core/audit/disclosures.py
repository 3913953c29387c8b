"""Disclosures: the declared ways by which protected health information leaves the service, besides reads of entities.

A repository does not load a rendered file or the target of a link, so these would be missing in the access log. So
each such way is declared, listed in `app/registry.py`, named by its routes (`dependencies.discloses`) and recorded
with `disclose` before the answer (ADR 0031).
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
    """DOWNLOAD answers with the content, LINK with a link that anybody may follow, EXPORT with many records at once,
    SEARCH with whatever is about the person who was looked for."""

    DOWNLOAD = "download"
    LINK = "link"
    EXPORT = "export"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One declared way out. `what` is the category under which the access log names it.

    `action` is its name in the audit log, unique among disclosures. If `purpose` is None, the person's role decides it
    (`access.PURPOSES`).
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
    """Records in `uow` who gets what, of which charts and for which purpose: one audit event, one access log row.

    The answer must wait until `uow` has committed. `incident_ids` names every chart inside. A disclosure without charts
    has an audit event only. `metadata` may hold no PHI.
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
