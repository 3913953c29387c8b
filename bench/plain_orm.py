"""(b) The autosave the plain ORM way: a session, mapped objects, `add`, `commit`."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.exc import StaleDataError

from app.core.audit.models import AuditEvent
from app.core.clock import utcnow
from app.core.context import current_request_id
from app.core.db.columns import Digest
from app.core.db.plan import plan_of
from app.core.db.revisions import ChartRevision
from app.core.db.sql import dump_json
from app.core.dependencies import CurrentUser, runtime_of
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.outbox.models import OutboxEvent
from app.core.permissions import Principal
from app.core.repository import require_version
from app.ems.chart.columns import element_diff
from app.ems.chart.gate import check_entry_elements, require_consistent, require_editable
from app.ems.elements import from_json, merge, to_json
from app.ems.incidents.models import Incident
from app.ems.incidents.schemas import IncidentPatch, IncidentRead
from app.ems.lifecycle import IncidentStatus, incident_lifecycle
from app.ems.permissions import CHART_WRITE

_incidents: Any = Incident.__table__


class _Base(DeclarativeBase):
    """A registry apart from the kernel's, because a plain session flushes these objects."""


class OrmIncident(_Base):
    __table__ = _incidents
    __mapper_args__ = {"version_id_col": _incidents.c.version}


def create_sessions(dsn: str, size: int) -> async_sessionmaker[AsyncSession]:
    """Sessions on as many connections as the service has."""
    url = make_url(dsn).set(drivername="postgresql+asyncpg")
    return async_sessionmaker(
        create_async_engine(url, pool_size=size, max_overflow=0, json_serializer=dump_json), expire_on_commit=False
    )


async def save_by_orm(
    incident_id: uuid.UUID, patch: IncidentPatch, principal: CurrentUser, request: Request
) -> IncidentRead:
    """This route answers a PATCH as the real route does."""
    principal.require(CHART_WRITE)
    async with request.app.state.orm_sessions() as session, session.begin():
        await session.execute(
            sa.text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(principal.tenant_id)}
        )
        incident = await session.scalar(
            sa.select(OrmIncident).where(
                _incidents.c.tenant_id == principal.tenant_id,
                _incidents.c.id == incident_id,
                _incidents.c.deleted_at.is_(None),
            )
        )
        if incident is None:
            raise NotFound
        digest = runtime_of(request).keys.value_digest(principal.tenant_id, incident_id)
        changed = await _save(session, incident, patch, principal, digest)
    on_publish = runtime_of(request).on_publish
    if changed and on_publish is not None:
        on_publish()
    return IncidentRead.of(incident, allowed_actions=incident_lifecycle.allowed_actions(incident, principal))


async def _save(
    session: AsyncSession, incident: Any, patch: IncidentPatch, principal: Principal, digest: Digest
) -> list[str]:
    require_editable(incident, principal, patch.reason)
    require_version(incident, patch.version)
    fields = _apply(incident, patch, digest)
    changed = sorted({name.partition(".")[0] for name in fields})
    if not changed:
        return changed
    incident.updated_at = utcnow()  # now() would make the session read the row again
    try:
        await session.flush()
    except StaleDataError as error:
        raise Conflict("Somebody changed this since you loaded it.") from error
    action = "incident.amended" if incident.status is IncidentStatus.COMPLETED else "incident.revised"
    records = {"id": new_id(), "tenant_id": principal.tenant_id}
    session.add_all(
        [
            AuditEvent(
                **records,
                actor_user_id=principal.user_id,
                entity_type="incident",
                entity_id=incident.id,
                action=action,
                changed_fields_json=fields,
                metadata_json=None if patch.reason is None else {"reason": patch.reason},
                request_id=current_request_id(),
            ),
            OutboxEvent(
                **{**records, "id": new_id()},
                topic="incident.updated",
                aggregate_id=incident.id,
                payload={
                    "entity_type": "incident",
                    "entity_id": incident.id,
                    "version": incident.version,
                    "action": action,
                    "changed": changed,
                    "status": incident.status,
                },
            ),
            ChartRevision(
                **{**records, "id": new_id()},
                incident_id=incident.id,
                entity="incident",
                entity_id=incident.id,
                version=incident.version,
                snapshot=_stored_row(incident.id),
            ),
        ]
    )
    return changed


def _apply(incident: Any, patch: IncidentPatch, digest: Digest) -> dict[str, list[Any]]:
    """Assign what differs. The result is the audit's {field: [old, new]}."""
    changes = patch.changes()
    if "elements" in changes:
        changes["elements"] = to_json(merge(from_json(incident.elements), changes["elements"]))
    redacted = plan_of(Incident).redacted
    fields: dict[str, list[Any]] = {}
    for name, new in changes.items():
        old = getattr(incident, name)
        if old == new:
            continue
        setattr(incident, name, new)
        if name == "elements":
            fields.update(element_diff(old, new, digest))
        elif name in redacted:
            fields[name] = [digest(name, old), digest(name, new)]
        else:
            fields[name] = [old, new]
    revised = plan_of(Incident).build([getattr(incident, column.key) for column in _incidents.c])
    require_consistent(revised)
    if "elements" in changes or any(Incident.element_columns.get(name) in incident.elements for name in changes):
        check_entry_elements(revised)
    return fields


def _stored_row(incident_id: uuid.UUID) -> Any:
    """The flushed row as PostgreSQL's own JSON."""
    row = sa.func.to_jsonb(sa.literal_column("incidents"))
    return sa.select(row).select_from(_incidents).where(_incidents.c.id == incident_id).scalar_subquery()
