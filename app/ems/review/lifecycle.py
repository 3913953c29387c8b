"""State machines of a review (moved by the chart's own transitions) and of a reviewer's comment."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition
from app.core.permissions import Principal
from app.ems.events import INCIDENT_UPDATED
from app.ems.permissions import CHART_REVIEW, CHART_WRITE


class ReviewStatus(StrEnum):
    WAITING = "waiting"
    RETURNED = "returned"
    RECALLED = "recalled"
    COMPLETED = "completed"


class ReviewTransition(StrEnum):
    RETURN = "return"
    RECALL = "recall"
    COMPLETE = "complete"


class ReviewAction(AuditAction):
    """The audit log's names of the acts on a review and on its comments."""

    OPENED = "chart_review.opened"
    ASSIGNED = "chart_review.assigned"
    RETURNED = "chart_review.returned"
    RECALLED = "chart_review.recalled"
    COMPLETED = "chart_review.completed"
    COMMENTED = "review_comment.created"
    COMMENT_RESOLVED = "review_comment.resolved"


class CommentStatus(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class CommentTransition(StrEnum):
    RESOLVE = "resolve"


_WAITING = frozenset({ReviewStatus.WAITING})

review_lifecycle: Lifecycle[ReviewStatus, None] = Lifecycle(
    name="chart_review",
    states=ReviewStatus,
    initial=ReviewStatus.WAITING,
    transitions=(
        Transition(
            ReviewTransition.RETURN,
            _WAITING,
            ReviewStatus.RETURNED,
            audit_action=ReviewAction.RETURNED,
            permission=CHART_REVIEW,
        ),
        Transition(
            ReviewTransition.RECALL,
            _WAITING,
            ReviewStatus.RECALLED,
            audit_action=ReviewAction.RECALLED,
            permission=CHART_WRITE,
        ),
        Transition(
            ReviewTransition.COMPLETE,
            _WAITING,
            ReviewStatus.COMPLETED,
            audit_action=ReviewAction.COMPLETED,
            permission=CHART_REVIEW,
        ),
    ),
    internal=frozenset(ReviewTransition),
)


def _is_a_bystander(comment: Any, principal: Principal) -> bool:
    """Only the chart's author and reviewers settle comments."""
    return comment.chart_author_id != principal.user_id and not CHART_REVIEW.held_by(principal)


comment_lifecycle: Lifecycle[CommentStatus, None] = Lifecycle(
    name="review_comment",
    states=CommentStatus,
    initial=CommentStatus.OPEN,
    transitions=(
        Transition(
            CommentTransition.RESOLVE,
            frozenset({CommentStatus.OPEN}),
            CommentStatus.RESOLVED,
            audit_action=ReviewAction.COMMENT_RESOLVED,
            permission=CHART_WRITE,
            forbids=_is_a_bystander,
            event=INCIDENT_UPDATED,
        ),
    ),
)
