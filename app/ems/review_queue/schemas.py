"""Reviews, their queue and their comments as clients see them."""

from __future__ import annotations

import datetime as dt
import uuid

from pydantic import Field

from app.core.schemas import EntityRead, RequestModel, Version, VersionedPatch
from app.ems.parts import ChartEntity
from app.ems.review.lifecycle import CommentStatus, CommentTransition, ReviewStatus


class ReviewRead(EntityRead):
    incident_id: uuid.UUID
    status: ReviewStatus
    author_id: uuid.UUID = Field(description="The chart's author, who waits and may not review")
    submitted_by: uuid.UUID
    waiting_since: dt.datetime = Field(description="When the chart was submitted for review")
    reviewer_id: uuid.UUID | None = Field(description="Whom the author waits for; null: any reviewer")
    decided_by: uuid.UUID | None
    decided_at: dt.datetime | None


class QueuedReview(ReviewRead):
    incident_number: str
    incident_version: int = Field(description="The version that a transition of the chart takes")
    late_entries: int = Field(description="Entries that came in after the submission and wait for a decision")
    author_name: str
    reviewer_name: str | None


class ReviewPatch(VersionedPatch):
    reviewer_id: uuid.UUID | None = Field(description="Who is to review the chart; null gives it back to everybody")


class ReviewCommentRead(EntityRead):
    incident_id: uuid.UUID
    review_id: uuid.UUID
    status: CommentStatus
    allowed_actions: list[str] = Field(description="What this user may do with the comment now")
    created_by: uuid.UUID = Field(description="The reviewer who wrote it")
    chart_author_id: uuid.UUID = Field(description="To whom it is addressed")
    entity: ChartEntity
    entity_id: uuid.UUID
    field: str
    text: str
    resolved_by: uuid.UUID | None
    resolved_at: dt.datetime | None


class CommentTransitionRequest(RequestModel):
    action: CommentTransition
    version: Version
