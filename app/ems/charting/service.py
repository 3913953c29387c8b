"""The service of the incident: create, revise, transitions, soft delete, restore, and the lock job."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, Uow
from app.core.errors import Forbidden, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.jobs.queue import Job, enqueue
from app.core.permissions import Principal
from app.core.repository import require_version
from app.core.runtime import Runtime
from app.core.tenants.public import current_tenant
from app.ems.amendments.models import AmendmentChange
from app.ems.amendments.service import record_amendment
from app.ems.chart.gate import (
    check_entry_elements,
    reason_metadata,
    require_consistent,
    require_editable,
    revise_entry,
)
from app.ems.chart.picks import take_snapshots
from app.ems.charting.repository import AuthorRepository
from app.ems.charting.schemas import IncidentTransitionRequest
from app.ems.coverage import is_attested
from app.ems.elements import to_json
from app.ems.entries.checks import made_before
from app.ems.entries.kinds import KINDS
from app.ems.entries.repeats import patched_before
from app.ems.errors import ChartInUse
from app.ems.events import INCIDENT_UPDATED
from app.ems.exports import EXPORTS, ExportSource
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.incidents.schemas import IncidentCreate, IncidentPatch, IncidentRead
from app.ems.late_entries.lifecycle import LateEntryStatus
from app.ems.late_entries.repository import LateEntryRepository
from app.ems.lifecycle import (
    IncidentFacts,
    IncidentStatus,
    IncidentStatusAction,
    IncidentTransition,
    incident_lifecycle,
)
from app.ems.patient_charts import list_patient_charts
from app.ems.permissions import CHART_DELETE, CHART_RESTORE
from app.ems.plausibility.judging import blocking_problems, doubts_of
from app.ems.review.lifecycle import ReviewTransition
from app.ems.review.service import Reviews


class IncidentAction(AuditAction):
    CREATED = "incident.created"
    REVISED = "incident.revised"
    AMENDED = "incident.amended"
    DELETED = "incident.deleted"
    RESTORED = "incident.restored"


AUTHORING: tuple[AuditAction, ...] = (
    IncidentAction.CREATED,
    IncidentAction.REVISED,
    IncidentAction.AMENDED,
    IncidentStatusAction.SUBMITTED_FOR_REVIEW,
    *(action for kind in KINDS for action in kind.actions.all()),
)
"""What makes somebody an author of a chart: any write of its content, and submitting it."""


def present(incident: Incident, principal: Principal) -> IncidentRead:
    return IncidentRead.of(incident, allowed_actions=incident_lifecycle.allowed_actions(incident, principal))


class IncidentReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._incidents = IncidentRepository(uow)

    async def get(self, incident_id: uuid.UUID) -> IncidentRead:
        """One incident. Raises NotFound."""
        return present(await self._incidents.get(self._uow.tenant_id, incident_id), self._uow.principal)


class IncidentService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._incidents = IncidentRepository(uow)

    async def create(self, given: IncidentCreate, creation: Creation) -> IncidentRead:
        """Open a chart. Its author is the signed-in user.

        Raises Forbidden (nobody is signed in), EntryDeleted (it was opened before), ValidationFailed.
        """
        author = self._uow.principal.user_id
        if author is None:
            raise Forbidden
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return self._present(await made_before(self._incidents, self._uow.tenant_id, reservation.entity_id))
        values = {**given.values(), "elements": to_json(given.elements)}
        incident = Incident(id=reservation.entity_id, tenant_id=self._uow.tenant_id, created_by=author, **values)
        await take_snapshots(self._uow, incident, values)
        require_consistent(incident)
        check_entry_elements(incident)
        await self._uow.create(incident, IncidentAction.CREATED, event=INCIDENT_UPDATED)
        return self._present(incident)

    async def revise(self, incident_id: uuid.UUID, patch: IncidentPatch) -> IncidentRead:
        """Save changed fields, once for a PATCH that is sent again.

        Raises NotFound, ChartNotEditable, Conflict (stale), ValidationFailed.
        """
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        if patch.version < incident.version and await patched_before(self._uow, incident, patch):
            return self._present(incident)
        require_editable(incident, self._uow.principal, patch.reason)
        action = IncidentAction.REVISED if incident.status is not IncidentStatus.COMPLETED else IncidentAction.AMENDED
        await revise_entry(self._uow, incident, patch, action)
        await self._amended(incident, AmendmentChange.REVISED, patch.version, patch.reason)
        return self._present(incident)

    async def transition(self, incident_id: uuid.UUID, given: IncidentTransitionRequest) -> IncidentRead:
        """Move the chart to another state, and its review with it.

        Raises NotFound, Forbidden, InvalidTransition, Conflict (stale), and ValidationFailed for a missing reason or a
        comment on something that the chart does not have.
        """
        incident = await self._incidents.get_for_update(self._uow.tenant_id, incident_id)
        facts = await self._facts(incident, given.action)
        incident_lifecycle.require(incident, given.action, self._uow.principal, facts, reason=given.reason)
        require_version(incident, given.version)
        await self._fire(incident, given.action, facts, given.reason)
        await self._review(incident, given)
        return self._present(incident)

    async def lock_if_due(self, incident_id: uuid.UUID) -> None:
        """Lock a completed chart `auto_lock_hours` after its completion. The system calls this.

        A chart that has left `completed` is left alone. A job that comes too early (the hours were raised, or clocks
        differ) is enqueued again for the time at which the chart is due.
        """
        incident = await self._incidents.find_for_update(self._uow.tenant_id, incident_id)
        if incident is None or incident.status is not IncidentStatus.COMPLETED or incident.completed_at is None:
            return
        due_in = incident.completed_at + await self._auto_lock_delay() - utcnow()
        if due_in <= dt.timedelta():
            await self._fire(incident, IncidentTransition.LOCK, IncidentFacts(), None)
        else:
            await enqueue(self._uow, AUTO_LOCK, {"incident_id": incident.id}, after=due_in)

    async def delete(
        self, incident_id: uuid.UUID, version: int, reason: str | None, sources: Sequence[ExportSource]
    ) -> None:
        """Soft-delete a chart, with a reason: its creator or an admin may; a completed one by amendment.

        `sources` are asked whether something stands on the chart. The incident is locked FOR UPDATE, so nothing is
        made of it meanwhile.

        Raises NotFound, Forbidden, ChartNotEditable, ValidationFailed (no reason), Conflict (stale), ChartInUse.
        """
        incident = await self._incidents.get_for_update(self._uow.tenant_id, incident_id)
        if incident.created_by != self._uow.principal.user_id:
            self._uow.principal.require(CHART_DELETE)
        require_editable(incident, self._uow.principal, reason)
        if reason is None:
            raise ValidationFailed.of("reason", "missing", "Give a reason: a chart is a legal record.")
        require_version(incident, version)
        used_by = [source.kind for source in sources if await source.keeps(self._uow, incident_id)]
        if used_by:
            raise ChartInUse(used_by=used_by)
        metadata = reason_metadata(reason)
        async with self._uow.change(incident, IncidentAction.DELETED, event=INCIDENT_UPDATED, metadata=metadata):
            incident.deleted_at = utcnow()
        await self._amended(incident, AmendmentChange.DELETED, version, reason)

    async def restore(self, incident_id: uuid.UUID, version: int, reason: str | None = None) -> IncidentRead:
        """Bring a deleted chart back; one that is not deleted stays as it is.

        Raises Forbidden, NotFound, ChartNotEditable, Conflict (stale), ValidationFailed (no reason).
        """
        self._uow.principal.require(CHART_RESTORE)
        incident = await self._incidents.get_including_deleted(self._uow.tenant_id, incident_id)
        if incident.deleted_at is not None:
            require_editable(incident, self._uow.principal, reason)
        require_version(incident, version)
        metadata = reason_metadata(reason)
        async with self._uow.change(incident, IncidentAction.RESTORED, event=INCIDENT_UPDATED, metadata=metadata):
            incident.deleted_at = None
        await self._amended(incident, AmendmentChange.RESTORED, version, reason)
        if incident.status is IncidentStatus.COMPLETED and incident.version != version:
            await self._enqueue_lock(incident)  # the job that came while it was deleted left it alone
        return self._present(incident)

    async def _facts(self, incident: Incident, action: IncidentTransition) -> IncidentFacts:
        """The facts for the guards of the action. For actions without guards nothing is looked up."""
        if action is IncidentTransition.RECALL:
            return IncidentFacts(taken_up=await Reviews(self._uow).is_taken_up(incident.id))
        if action not in (IncidentTransition.SUBMIT_FOR_REVIEW, IncidentTransition.COMPLETE):
            return IncidentFacts()
        waiting = await LateEntryRepository(self._uow).has_pending(self._uow.tenant_id, incident.id)
        if action is IncidentTransition.SUBMIT_FOR_REVIEW:
            return IncidentFacts(late_entries=waiting)
        tenant, shown = await current_tenant(self._uow), self._present(incident)
        charts = await list_patient_charts(self._uow, shown)
        return IncidentFacts(
            lacks_crew_signature=tenant.require_crew_signature and not await is_attested(self._uow, incident),
            implausible=blocking_problems(doubts_of(shown, charts, tenant.time_zone, utcnow())),
            late_entries=waiting,
        )

    async def _fire(
        self, incident: Incident, action: IncidentTransition, facts: IncidentFacts, reason: str | None
    ) -> None:
        also: dict[str, Any] = {}
        if action in (IncidentTransition.COMPLETE, IncidentTransition.UNLOCK):
            also["completed_at"] = utcnow()
        if action is IncidentTransition.SUBMIT_FOR_REVIEW:
            also["authors"] = await self._authors(incident)
            also["submitted_by"] = self._uow.principal.user_id
        await incident_lifecycle.fire(self._uow, incident, action, facts, reason=reason, **also)
        if "completed_at" in also:
            await self._enqueue_lock(incident)

    async def _authors(self, incident: Incident) -> list[uuid.UUID]:
        """The users who may not review the chart that is being submitted: its authors, and who submits it.

        Who charted an entry that came in late and was admitted is an author, too.

        The incident is locked FOR UPDATE, so nobody writes to the chart until it is returned.
        """
        if (await current_tenant(self._uow)).authors_may_review:
            return []
        writers = await AuthorRepository(self._uow).list_all(
            self._uow.tenant_id, incident.id, AUTHORING, since=incident.created_at
        )
        admitted = await LateEntryRepository(self._uow).list_all(
            self._uow.tenant_id, incident_id=incident.id, status=LateEntryStatus.ADMITTED
        )
        late = (entry.charted_by for entry in admitted)
        return sorted({incident.created_by, *writers, *late, *filter(None, [self._uow.principal.user_id])})

    async def _review(self, incident: Incident, given: IncidentTransitionRequest) -> None:
        reviews = Reviews(self._uow)
        if given.action is IncidentTransition.SUBMIT_FOR_REVIEW:
            await reviews.open(incident.id, incident.created_by)
        elif given.action is IncidentTransition.COMPLETE:
            await reviews.close(incident.id, ReviewTransition.COMPLETE)
        elif given.action is IncidentTransition.RECALL:
            await reviews.close(incident.id, ReviewTransition.RECALL)
        elif given.action is IncidentTransition.RETURN_FOR_CORRECTION:
            review = await reviews.close(incident.id, ReviewTransition.RETURN)
            await reviews.comment(incident, review, given.comments)

    async def _amended(self, incident: Incident, change: AmendmentChange, before: int, reason: str | None) -> None:
        await record_amendment(self._uow, incident, incident, change, version_before=before, reason=reason)

    async def _enqueue_lock(self, incident: Incident) -> None:
        await enqueue(self._uow, AUTO_LOCK, {"incident_id": incident.id}, after=await self._auto_lock_delay())

    async def _auto_lock_delay(self) -> dt.timedelta:
        return dt.timedelta(hours=(await current_tenant(self._uow)).auto_lock_hours)

    def _present(self, incident: Incident) -> IncidentRead:
        return present(incident, self._uow.principal)


async def _auto_lock(runtime: Runtime, principal: Principal, ids: dict[str, uuid.UUID]) -> None:
    async with runtime.unit_of_work(principal) as uow:
        await IncidentService(uow).lock_if_due(ids["incident_id"])


AUTO_LOCK = Job("ems.auto_lock", _auto_lock)


async def incident_service(uow: Uow) -> IncidentService:
    return IncidentService(uow)


async def incident_reader(uow: ReadUow) -> IncidentReader:
    return IncidentReader(uow)


async def export_sources(runtime: RuntimeDependency) -> tuple[ExportSource, ...]:
    return runtime.composition.sources(EXPORTS)


ExportSources = Annotated[tuple[ExportSource, ...], Depends(export_sources)]
Incidents = Annotated[IncidentService, Depends(incident_service)]
IncidentReads = Annotated[IncidentReader, Depends(incident_reader)]
