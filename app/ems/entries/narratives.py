"""How narratives are written: as a kind of entry."""

from __future__ import annotations

from enum import StrEnum

from app.ems.entries.children import ChildActions, ChildKind
from app.ems.parts import NARRATIVE


class NarrativeAction(StrEnum):
    CREATED = "narrative.created"
    REVISED = "narrative.revised"
    AMENDED = "narrative.amended"
    DELETED = "narrative.deleted"
    RESTORED = "narrative.restored"


NARRATIVES = ChildKind(
    part=NARRATIVE,
    actions=ChildActions(
        NarrativeAction.CREATED,
        NarrativeAction.REVISED,
        NarrativeAction.AMENDED,
        NarrativeAction.DELETED,
        NarrativeAction.RESTORED,
    ),
)
