"""How narratives are written: as a kind of entry."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.ems.entries.children import ChildActions, ChildKind
from app.ems.parts import NARRATIVE


class NarrativeAction(AuditAction):
    CREATED = "narrative.created"
    REVISED = "narrative.revised"
    AMENDED = "narrative.amended"
    DELETED = "narrative.deleted"
    RESTORED = "narrative.restored"
    MOVED = "narrative.moved"


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
)
