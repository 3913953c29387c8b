"""The service of the review queue: listing it, assigning reviews, settling comments."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Depends

from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import NotFound, ValidationFailed
from app.core.ids import UserId
from app.core.pagination import Page, Paging
from app.core.permissions import Principal
from app.core.repository import require_version
from app.core.users.public import User, UserRepository, UserStatus
from app.ems.errors import ReviewClosed
from app.ems.events import INCIDENT_UPDATED
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.lifecycle import may_not_review
from app.ems.permissions import CHART_REVIEW
from app.ems.review.lifecycle import ReviewAction, ReviewStatus, comment_lifecycle
from app.ems.review.models import ChartReview, ReviewComment
from app.ems.review.repository import ReviewCommentRepository, ReviewRepository
from app.ems.review_queue.repository import ReviewQueueRepository
from app.ems.review_queue.schemas import (
    CommentTransitionRequest,
    QueuedReview,
    ReviewCommentRead,
    ReviewPatch,
    ReviewRead,
)


def _present(review: ChartReview) -> ReviewRead:
    return ReviewRead.of(review, waiting_since=review.created_at)


def _present_comment(comment: ReviewComment, principal: Principal) -> ReviewCommentRead:
    return ReviewCommentRead.of(comment, allowed_actions=comment_lifecycle.allowed_actions(comment, principal))


class ReviewReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._incidents = IncidentRepository(uow)

    async def list_queue(self, paging: Paging, **filters: Any) -> Page[QueuedReview]:
        """A page of the reviews of charts in `ready_for_review`."""
        page = await ReviewQueueRepository(self._uow).list_page(self._uow.tenant_id, paging, **filters)
        items = [
            QueuedReview.model_validate({**waiting.row, "waiting_since": waiting.row["created_at"]})
            for waiting in page.items
        ]
        return Page(items=items, next_cursor=page.next_cursor)

    async def get(self, incident_id: uuid.UUID) -> ReviewRead:
        """The waiting or last review of a chart. Raises NotFound, also for a chart that was never submitted."""
        await self._incidents.get(self._uow.tenant_id, incident_id)
        review = await ReviewRepository(self._uow).find_latest(self._uow.tenant_id, incident_id)
        if review is None:
            raise NotFound
        return _present(review)

    async def list_comments(self, incident_id: uuid.UUID, paging: Paging, **filters: Any) -> Page[ReviewCommentRead]:
        """A page of comments on one chart. Raises NotFound for the incident."""
        await self._incidents.get(self._uow.tenant_id, incident_id)
        page = await ReviewCommentRepository(self._uow).list_page(
            self._uow.tenant_id, paging, incident_id=incident_id, **filters
        )
        items = [_present_comment(comment, self._uow.principal) for comment in page.items]
        return Page(items=items, next_cursor=page.next_cursor)


class ReviewService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._incidents = IncidentRepository(uow)

    async def assign(self, incident_id: uuid.UUID, patch: ReviewPatch) -> ReviewRead:
        """Assign a waiting review to a reviewer, or to nobody.

        The incident is locked FOR SHARE, so a review is not assigned while its chart is being completed.

        Raises NotFound, ReviewClosed, Conflict (stale), ValidationFailed (nobody who could review it).
        """
        incident = await self._incidents.get_for_share(self._uow.tenant_id, incident_id)
        review = await ReviewRepository(self._uow).find_latest_for_update(self._uow.tenant_id, incident_id)
        if review is None:
            raise NotFound
        if review.status is not ReviewStatus.WAITING:
            raise ReviewClosed(status=review.status.value)
        require_version(review, patch.version)
        if patch.reviewer_id is not None:
            await self._require_reviewer(incident, patch.reviewer_id)
        async with self._uow.change(review, ReviewAction.ASSIGNED, event=INCIDENT_UPDATED):
            review.reviewer_id = patch.reviewer_id
        return _present(review)

    async def settle(
        self, incident_id: uuid.UUID, comment_id: uuid.UUID, given: CommentTransitionRequest
    ) -> ReviewCommentRead:
        """Settle a comment. Raises NotFound, Forbidden (a bystander), InvalidTransition, Conflict (stale)."""
        await self._incidents.get(self._uow.tenant_id, incident_id)
        comment = await ReviewCommentRepository(self._uow).get_for_update(self._uow.tenant_id, comment_id)
        if comment.incident_id != incident_id:
            raise NotFound
        comment_lifecycle.require(comment, given.action, self._uow.principal, None)
        require_version(comment, given.version)
        also: dict[str, Any] = {"resolved_by": self._uow.principal.user_id, "resolved_at": utcnow()}
        await comment_lifecycle.fire(self._uow, comment, given.action, None, **also)
        return _present_comment(comment, self._uow.principal)

    async def _require_reviewer(self, incident: Incident, reviewer_id: uuid.UUID) -> None:
        user = await UserRepository(self._uow).find_for_share(self._uow.tenant_id, reviewer_id)
        if user is None or not self._may_review(user):
            raise ValidationFailed.of("reviewer_id", "unknown_reviewer", "This agency has no such reviewer.")
        if may_not_review(incident, reviewer_id):
            raise ValidationFailed.of("reviewer_id", "is_author", "Nobody reviews a chart that they wrote part of.")

    def _may_review(self, user: User) -> bool:
        principal = Principal(self._uow.tenant_id, user.role, UserId(user.id), user.is_reviewer)
        return user.status is UserStatus.ACTIVE and CHART_REVIEW.held_by(principal)


async def review_reader(uow: ReadUow) -> ReviewReader:
    return ReviewReader(uow)


async def review_service(uow: Uow) -> ReviewService:
    return ReviewService(uow)


ReviewReads = Annotated[ReviewReader, Depends(review_reader)]
ReviewWork = Annotated[ReviewService, Depends(review_service)]
