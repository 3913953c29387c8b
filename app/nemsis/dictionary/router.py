"""GET nemsis/dictionary."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.dependencies import requires
from app.nemsis.dictionary.schemas import DictionaryRead
from app.nemsis.dictionary.service import read_elements
from app.nemsis.permissions import NEMSIS_READ

router = APIRouter(prefix="/nemsis", tags=["nemsis"])
Section = Annotated[
    str | None, Query(min_length=2, max_length=24, pattern=r"^[A-Za-z]+$", description="Such as eVitals")
]


@router.get("/dictionary", dependencies=[requires(NEMSIS_READ)])
async def read_dictionary(section: Section = None) -> DictionaryRead:
    """Elements of the targeted build in document order: where each is charted, and what it accepts."""
    return read_elements(section)
