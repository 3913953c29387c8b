"""The incident's transitions as clients ask for them."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.core.schemas import RequestModel, Version
from app.ems.chart.schemas import ChangeReason
from app.ems.lifecycle import IncidentTransition
from app.ems.review.schemas import MAX_COMMENTS, CommentGiven


class IncidentTransitionRequest(RequestModel):
    action: IncidentTransition
    version: Version
    reason: ChangeReason = Field(None, description="Required to unlock; no patient details")
    comments: list[CommentGiven] = Field(
        default_factory=list,
        max_length=MAX_COMMENTS,
        description="What the author is to correct; with `return_for_correction` only",
    )

    @field_validator("comments")
    @classmethod
    def _go_with_the_return(cls, comments: list[CommentGiven], info: ValidationInfo) -> list[CommentGiven]:
        if comments and info.data.get("action") is not IncidentTransition.RETURN_FOR_CORRECTION:
            raise PydanticCustomError("not_of_this_action", "Comments are given when a chart is returned")
        return comments
