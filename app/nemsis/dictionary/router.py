"""GET nemsis/dictionary."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.core.conditional import NOT_MODIFIED, IfNoneMatch, not_modified
from app.core.dependencies import requires
from app.nemsis.dictionary.schemas import DictionaryRead
from app.nemsis.dictionary.service import edition, read_elements
from app.nemsis.permissions import NEMSIS_READ

router = APIRouter(prefix="/nemsis", tags=["nemsis"])
Section = Annotated[
    str | None, Query(min_length=2, max_length=24, pattern=r"^[A-Za-z]+$", description="Such as eVitals")
]


@router.get("/dictionary", response_model=DictionaryRead, responses=NOT_MODIFIED, dependencies=[requires(NEMSIS_READ)])
async def read_dictionary(
    response: Response, section: Section = None, if_none_match: IfNoneMatch = None
) -> DictionaryRead | Response:
    """Elements of the targeted build in document order: where each is charted, and what it accepts.

    A device keeps the answer, judges values with it while it is offline, and asks again with its ETag.
    """
    return not_modified(response, edition(), if_none_match) or read_elements(section)
