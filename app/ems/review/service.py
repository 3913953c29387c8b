"""Reviews follow the chart's transitions: submitting opens one; completing, returning or recalling it closes one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import Problem, refuse
from app.core.ids import UserId
from app.ems.chart.columns import ChartChild, ChartEntry
from app.ems.events import INCIDENT_UPDATED
from app.ems.parts import INCIDENT, PART_OF, has_field
from app.ems.review.lifecycle import ReviewAction, ReviewStatus, ReviewTransition, review_lifecycle
from app.ems.review.models import ChartReview, ReviewComment
from app.ems.review.repository import ReviewRepository
from app.ems.review.schemas import CommentGiven


class Reviews:
    """The reviews of a chart. The transition that calls has locked the incident FOR UPDATE."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._reviews = ReviewRepository(uow)

    async def open(self, incident_id: uuid.UUID, author_id: uuid.UUID) -> ChartReview:
        """Open a review, which waits from now on: somebody submitted the chart."""
        review = ChartReview(
            tenant_id=self._uow.tenant_id, incident_id=incident_id, author_id=author_id, submitted_by=self._person()
        )
        return await self._uow.create(review, ReviewAction.OPENED)

    async def is_taken_up(self, incident_id: uuid.UUID) -> bool:
        """True if the chart waits for a review and has its reviewer."""
        review = await self._reviews.find_latest(self._uow.tenant_id, incident_id)
        return review is not None and review.status is ReviewStatus.WAITING and review.reviewer_id is not None

    async def close(self, incident_id: uuid.UUID, verdict: ReviewTransition) -> ChartReview:
        """End the review that waits, which submitting the chart opened: a reviewer's verdict, or a recall."""
        review = await self._reviews.find_latest_for_update(self._uow.tenant_id, incident_id)
        if review is None:
            raise AssertionError("a chart that was submitted has a review")
        await review_lifecycle.fire(self._uow, review, verdict, None, decided_by=self._person(), decided_at=utcnow())
        return review

    async def comment(self, incident: ChartEntry, review: ChartReview, comments: Sequence[CommentGiven]) -> None:
        """Add the reviewer's comments.

        Raises ValidationFailed, which names every comment whose entry or field the chart does not have.
        """
        await self._check(incident, comments)
        for given in comments:
            comment = ReviewComment(
                tenant_id=self._uow.tenant_id,
                incident_id=incident.id,
                review_id=review.id,
                chart_author_id=review.author_id,
                created_by=self._person(),
                entity=given.entity,
                entity_id=given.entity_id,
                field=given.field,
                text=given.text,
            )
            await self._uow.create(comment, ReviewAction.COMMENTED, event=INCIDENT_UPDATED)

    async def _check(self, incident: ChartEntry, comments: Sequence[CommentGiven]) -> None:
        entries: dict[tuple[str, uuid.UUID], ChartEntry | None] = {}
        problems = []
        for number, given in enumerate(comments):
            key = given.entity, given.entity_id
            if key not in entries:
                entries[key] = await find_entry(self._uow, incident, *key)
            entry = entries[key]
            if entry is None:
                problem = Problem("entity_id", "unknown_entry", "This chart has no such entry.")
                problems.append(problem.below(f"comments.{number}"))
            elif not has_field(entry, given.field):
                problem = Problem("field", "unknown_field", "This entry has no such field.")
                problems.append(problem.below(f"comments.{number}"))
        refuse(problems)

    def _person(self) -> UserId:
        person = self._uow.principal.user_id
        if person is None:
            raise AssertionError("reviews are people's work")
        return person


async def find_entry(uow: ReadUnitOfWork, incident: ChartEntry, entity: str, entity_id: uuid.UUID) -> ChartEntry | None:
    """The live entry of the chart with this id, or the incident; None if the chart has no such entry."""
    if entity == INCIDENT.entity_type:
        return incident if entity_id == incident.id else None
    entry: ChartChild | None = await PART_OF[entity].repository(uow).find(uow.tenant_id, entity_id)
    return entry if entry is not None and entry.incident_id == incident.id else None
