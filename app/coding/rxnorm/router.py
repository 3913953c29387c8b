"""coding/rxnorm."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.coding.lookup.serving import LookupLimit, QueryText, detail_edition
from app.coding.permissions import CODING_READ
from app.coding.rxnorm.schemas import RxNormDetail, RxNormResults
from app.coding.rxnorm.service import RxNormLookups, RxNormSearch, find_medications
from app.core.conditional import NOT_MODIFIED, IfNoneMatch, not_modified
from app.core.dependencies import requires

router = APIRouter(prefix="/coding/rxnorm", tags=["coding"], dependencies=[requires(CODING_READ)])
Rxcui = Annotated[str, Path(pattern=r"^[0-9]{1,18}$", description="An rxcui, or a SNOMED CT code")]
Suggested = Annotated[bool, Query(description="Only what NEMSIS's medication list has")]
Suppressed = Annotated[bool, Query(description="Also what RxNorm suppresses or has retired")]


@router.get("", response_model=RxNormResults, responses=NOT_MODIFIED)
async def search_rxnorm(
    lookup: RxNormLookups,
    response: Response,
    q: QueryText,
    suggested: Suggested = False,
    include_suppressed: Suppressed = False,
    limit: LookupLimit = 20,
    if_none_match: IfNoneMatch = None,
) -> RxNormResults | Response:
    """Medications for what was typed, the best first: part of a name, a brand or its ingredient, an rxcui."""
    consulted = await lookup.consult()
    unchanged = not_modified(response, consulted.edition, if_none_match)
    return unchanged or find_medications(consulted, RxNormSearch(q, limit, suggested, include_suppressed))


@router.get("/{rxcui}", response_model=RxNormDetail, responses=NOT_MODIFIED)
async def get_rxnorm_concept(
    rxcui: Rxcui, lookup: RxNormLookups, response: Response, if_none_match: IfNoneMatch = None
) -> RxNormDetail | Response:
    """One concept, with the ingredients, brands and clinical drugs that it refers to."""
    found = await lookup.get(rxcui)
    return not_modified(response, detail_edition(found.release), if_none_match) or found
