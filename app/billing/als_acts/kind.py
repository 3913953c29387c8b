"""Acts of advanced life support as a kind of reference record."""

from __future__ import annotations

from app.billing.als_acts.models import ActKind, AlsAct, StaffLevel
from app.billing.als_acts.schemas import AlsActCreate, AlsActPatch, AlsActRead
from app.billing.permissions import ALS_ACT_WRITE, CLAIM_READ
from app.core.audit.actions import AuditAction
from app.core.errors import Problem, refuse
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.schemas import Filter


class AlsActAction(AuditAction):
    CREATED = "als_act.created"
    REVISED = "als_act.revised"
    DELETED = "als_act.deleted"
    RESTORED = "als_act.restored"


def _check(act: AlsAct) -> None:
    if act.effective_to is not None and act.effective_to < act.effective_from:
        refuse([Problem("effective_to", "before_effective_from", "The last day lies before the first.")])


ALS_ACTS = ReferenceKind(
    noun="ALS act",
    plural="ALS acts",
    path="billing/als-acts",
    tag="billing",
    about="Acts that a state reserves for ALS staff, or does not. They precede the shipped national scope of practice.",
    entity=AlsAct,
    create=AlsActCreate,
    patch=AlsActPatch,
    read=AlsActRead,
    may_read=CLAIM_READ,
    may_write=ALS_ACT_WRITE,
    actions={
        Verb.CREATE: AlsActAction.CREATED,
        Verb.REVISE: AlsActAction.REVISED,
        Verb.DELETE: AlsActAction.DELETED,
        Verb.RESTORE: AlsActAction.RESTORED,
    },
    filters={"state": Filter, "kind": ActKind, "code": Filter, "level": StaffLevel},
    check=_check,
)
