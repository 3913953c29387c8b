"""The tables chart_reviews and review_comments. They stand beside the chart, so a review never changes the chart."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, phi, plain
from app.core.db.entity import TenantEntity, standard_constraints
from app.ems.review.lifecycle import CommentStatus, ReviewStatus, comment_lifecycle, review_lifecycle


def _user_key(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], ["users.tenant_id", "users.id"], name=f"fk_{table}_{column}")


class ChartReview(TenantEntity):
    """One submission for review, which waits since `created_at`.

    If `reviewer_id` is null, any reviewer may take it up; until then its submitter may recall it. `author_id` is the
    chart's author, who cannot be the reviewer. `decided_by` ended the wait: a reviewer, or the submitter who recalled.
    """

    __tablename__ = "chart_reviews"
    entity_type: ClassVar[str] = "chart_review"
    aggregate: ClassVar[str] = "incident_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id",)

    incident_id: Mapped[uuid.UUID] = internal()
    author_id: Mapped[uuid.UUID] = internal()
    submitted_by: Mapped[uuid.UUID] = internal()
    status: Mapped[ReviewStatus] = plain(EnumText(ReviewStatus), default=ReviewStatus.WAITING)
    reviewer_id: Mapped[uuid.UUID | None] = plain(default=None)
    decided_by: Mapped[uuid.UUID | None] = plain(default=None)
    decided_at: Mapped[dt.datetime | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("chart_reviews", "status", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_chart_reviews_incident_id"
        ),
        *(_user_key("chart_reviews", name) for name in ("author_id", "submitted_by", "reviewer_id", "decided_by")),
        sa.Index(
            "uq_chart_reviews_waiting",
            "tenant_id",
            "incident_id",
            unique=True,
            postgresql_where=sa.text("status = 'waiting' AND deleted_at IS NULL"),
        ),
        review_lifecycle.check(),
    )


class ReviewComment(TenantEntity):
    """A reviewer's request to the author to look at one `field` of an entry: a column, or `elements.<element id>`."""

    __tablename__ = "review_comments"
    entity_type: ClassVar[str] = "review_comment"
    aggregate: ClassVar[str] = "incident_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id",)

    incident_id: Mapped[uuid.UUID] = internal()
    review_id: Mapped[uuid.UUID] = internal()
    chart_author_id: Mapped[uuid.UUID] = internal()
    created_by: Mapped[uuid.UUID] = internal()
    status: Mapped[CommentStatus] = plain(EnumText(CommentStatus), default=CommentStatus.OPEN)
    entity: Mapped[str] = plain()
    entity_id: Mapped[uuid.UUID] = internal()
    field: Mapped[str] = plain()
    text: Mapped[str] = phi()
    resolved_by: Mapped[uuid.UUID | None] = plain(default=None)
    resolved_at: Mapped[dt.datetime | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("review_comments", "status", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_review_comments_incident_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["chart_reviews.tenant_id", "chart_reviews.id"],
            name="fk_review_comments_review_id",
        ),
        *(_user_key("review_comments", name) for name in ("chart_author_id", "created_by", "resolved_by")),
        comment_lifecycle.check(),
    )
