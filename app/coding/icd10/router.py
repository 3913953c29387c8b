"""coding/icd10."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from app.coding.icd10.schemas import Icd10Detail, Icd10Results
from app.coding.icd10.service import Icd10Lookups, Icd10Search, find_codes, today
from app.coding.lookup.serving import LookupLimit, QueryText, detail_edition
from app.coding.permissions import CODING_READ
from app.core.conditional import NOT_MODIFIED, IfNoneMatch, not_modified
from app.core.dependencies import requires
from app.core.schemas import Date

router = APIRouter(prefix="/coding/icd10", tags=["coding"], dependencies=[requires(CODING_READ)])
AsOf = Annotated[
    Date | None, Query(description="The day on which a code must be valid: the date of service. Default: today")
]
Category = Annotated[
    str | None, Query(pattern=r"^[A-Za-z][0-9A-Za-z]{2}$", description="Only codes of this category, such as I21")
]
SuggestedFor = Annotated[
    Literal["impression", "symptom", "cause_of_injury"] | None,
    Query(description="Only codes of this NEMSIS defined list, and those below them"),
]
CodeText = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9.-]{1,9}$", description="With or without its dot; also a block or a chapter")
]


@router.get("", response_model=Icd10Results, responses=NOT_MODIFIED)
async def search_icd10(
    lookup: Icd10Lookups,
    response: Response,
    q: QueryText,
    billable: bool | None = None,
    category: Category = None,
    as_of: AsOf = None,
    suggested_for: SuggestedFor = None,
    limit: LookupLimit = 20,
    if_none_match: IfNoneMatch = None,
) -> Icd10Results | Response:
    """Codes for what was typed, the best first: by code, by words in any order, by what is said on an ambulance."""
    consulted, on = await lookup.consult(), as_of or today()
    unchanged = not_modified(response, f"{consulted.edition}.{on}", if_none_match)
    asked = Icd10Search(q, on, limit, billable, category, suggested_for)
    return unchanged or find_codes(consulted, asked)


@router.get("/{code}", response_model=Icd10Detail, responses=NOT_MODIFIED)
async def get_icd10_code(
    code: CodeText, lookup: Icd10Lookups, response: Response, as_of: AsOf = None, if_none_match: IfNoneMatch = None
) -> Icd10Detail | Response:
    """One code: what stands above and below it, since when and until when it is valid, and where that is from."""
    on = as_of or today()
    found = await lookup.get(code, on)
    return not_modified(response, f"{detail_edition(found.release)}.{on}", if_none_match) or found
