"""Routes of ems/review-queue, and of the review and comments of one incident."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.dependencies import requires
from app.core.filters import From, OneOf, To
from app.core.pagination import OldestFirstQuery, Page, PagingQuery
from app.ems.permissions import CHART_READ, CHART_REVIEW, CHART_WRITE
from app.ems.review.lifecycle import CommentStatus
from app.ems.review_queue.schemas import (
    CommentTransitionRequest,
    QueuedReview,
    ReviewCommentRead,
    ReviewPatch,
    ReviewRead,
)
from app.ems.review_queue.service import ReviewReads, ReviewWork

router = APIRouter(prefix="/ems", tags=["ems"])


@router.get("/review-queue", dependencies=[requires(CHART_REVIEW)])
async def list_review_queue(
    reviews: ReviewReads,
    paging: OldestFirstQuery,
    reviewer_id: OneOf[uuid.UUID] = None,
    author_id: OneOf[uuid.UUID] = None,
    created_at_from: From = None,
    created_at_to: To = None,
    unassigned: bool = False,
) -> Page[QueuedReview]:
    """Charts that wait for review, the longest waiting first: since when, whose, and for whom."""
    return await reviews.list_queue(
        paging,
        reviewer_id=reviewer_id,
        author_id=author_id,
        unassigned=unassigned,
        created_at_from=created_at_from,
        created_at_to=created_at_to,
    )


@router.get("/incidents/{incident_id}/review", dependencies=[requires(CHART_READ)])
async def get_review(incident_id: uuid.UUID, reviews: ReviewReads) -> ReviewRead:
    """The review that the chart waits for, or else its last one. 404 for a chart that was never submitted."""
    return await reviews.get(incident_id)


@router.patch("/incidents/{incident_id}/review", dependencies=[requires(CHART_REVIEW)])
async def assign_review(incident_id: uuid.UUID, patch: ReviewPatch, reviews: ReviewWork) -> ReviewRead:
    """Assign a waiting chart to a reviewer, who is never its author, or take it up oneself.

    Any other reviewer may still decide. A chart that has a reviewer is not recalled by who submitted it.
    """
    return await reviews.assign(incident_id, patch)


@router.get("/incidents/{incident_id}/review-comments", dependencies=[requires(CHART_READ)])
async def list_review_comments(
    incident_id: uuid.UUID,
    reviews: ReviewReads,
    paging: PagingQuery,
    status: OneOf[CommentStatus] = None,
    entity_id: OneOf[uuid.UUID] = None,
) -> Page[ReviewCommentRead]:
    """Comments by which reviewers asked the author for corrections, field by field."""
    return await reviews.list_comments(incident_id, paging, status=status, entity_id=entity_id)


@router.post("/incidents/{incident_id}/review-comments/{comment_id}/transitions", dependencies=[requires(CHART_WRITE)])
async def transition_review_comment(
    incident_id: uuid.UUID, comment_id: uuid.UUID, given: CommentTransitionRequest, reviews: ReviewWork
) -> ReviewCommentRead:
    """Resolve a comment. The chart's author and reviewers may."""
    return await reviews.settle(incident_id, comment_id, given)
