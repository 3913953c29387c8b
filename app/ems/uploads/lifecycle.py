"""The state machine that all uploads share: pending, then kept or rejected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Guard, Transition
from app.ems.events import INCIDENT_UPDATED
from app.ems.permissions import CHART_WRITE

S = TypeVar("S", bound=StrEnum)


class UploadTransition(StrEnum):
    """The transitions of an upload. The client asks for `complete`; it becomes `reject` when the content is refused."""

    COMPLETE = "complete"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """The facts that guards check. `uploaded`: the client has sent a content to the upload link."""

    uploaded: bool


INSPECTED = UploadFacts(uploaded=True)
UPLOADED: Guard[UploadFacts] = Guard(
    "uploaded", "Send the content to the upload link first.", lambda facts: facts.uploaded
)


def upload_transitions(
    pending: S, kept: S, rejected: S, *, kept_as: AuditAction, rejected_as: AuditAction
) -> tuple[Transition[S, UploadFacts], ...]:
    """The transitions of a kind of upload. `kept_as` and `rejected_as` are their audit actions."""
    common: dict[str, Any] = {"permission": CHART_WRITE, "guards": (UPLOADED,), "event": INCIDENT_UPDATED}
    sources = frozenset({pending})
    return (
        Transition(UploadTransition.COMPLETE, sources, kept, audit_action=kept_as, **common),
        Transition(
            UploadTransition.REJECT,
            sources,
            rejected,
            audit_action=rejected_as,
            offered_as=UploadTransition.COMPLETE,
            **common,
        ),
    )
