"""How narratives are written: as a kind of entry."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.errors import Problem, refuse
from app.core.pagination import Paging
from app.ems.entries.children import ChildActions, ChildKind
from app.ems.narratives.models import Narrative
from app.ems.parts import NARRATIVE
from app.ems.patients.models import Patient
from app.ems.patients.repository import PatientRepository


class NarrativeAction(AuditAction):
    CREATED = "narrative.created"
    REVISED = "narrative.revised"
    AMENDED = "narrative.amended"
    DELETED = "narrative.deleted"
    RESTORED = "narrative.restored"
    MOVED = "narrative.moved"


async def _check(uow: UnitOfWork, narrative: Narrative, patient: Patient | None) -> None:
    """Require that a story about nobody stands on a call without a patient. Raises ValidationFailed."""
    if patient is not None:
        return
    there = await PatientRepository(uow).list_page(uow.tenant_id, Paging(limit=1), incident_id=narrative.incident_id)
    if there.items:
        message = "Say which patient this narrative is about. One that is stored already is moved to its patient."
        refuse([Problem.missing("patient_id", message)])


NARRATIVES = ChildKind(
    part=NARRATIVE,
    actions=ChildActions(
        NarrativeAction.CREATED,
        NarrativeAction.REVISED,
        NarrativeAction.AMENDED,
        NarrativeAction.DELETED,
        NarrativeAction.RESTORED,
        NarrativeAction.MOVED,
    ),
    check=_check,
)
