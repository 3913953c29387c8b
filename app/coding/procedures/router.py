"""coding/procedures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.coding.lookup.serving import LookupLimit, QueryText
from app.coding.lookup.shipped import shipped_edition
from app.coding.permissions import CODING_READ
from app.coding.procedures.listed import ProcedureCategory
from app.coding.procedures.schemas import ProcedureDetail, ProcedureResults
from app.coding.procedures.service import ProcedureLookups, ProcedureSearch, find_procedures, get_procedure
from app.core.conditional import NOT_MODIFIED, IfNoneMatch, not_modified
from app.core.dependencies import requires

router = APIRouter(prefix="/coding/procedures", tags=["coding"], dependencies=[requires(CODING_READ)])
ProcedureCode = Annotated[str, Path(pattern=r"^[0-9]{1,18}$", description="A SNOMED CT code")]
OfCategory = Annotated[ProcedureCategory | None, Query(description="Only procedures of this category of NEMSIS's list")]
Replaced = Annotated[bool, Query(description="Also codes for which NEMSIS's list has another one")]


@router.get("", response_model=ProcedureResults, responses=NOT_MODIFIED)
async def search_procedures(
    lookup: ProcedureLookups,
    response: Response,
    q: QueryText,
    category: OfCategory = None,
    include_replaced: Replaced = False,
    limit: LookupLimit = 20,
    if_none_match: IfNoneMatch = None,
) -> ProcedureResults | Response:
    """Procedures for what was typed, the best first: as a crew says it, part of a name, a SNOMED CT code."""
    consulted = await lookup.consult()
    unchanged = not_modified(response, consulted.edition, if_none_match)
    return unchanged or find_procedures(consulted, ProcedureSearch(q, limit, category, include_replaced))


@router.get("/{code}", response_model=ProcedureDetail, responses=NOT_MODIFIED)
async def get_procedure_code(
    code: ProcedureCode, response: Response, if_none_match: IfNoneMatch = None
) -> ProcedureDetail | Response:
    """One procedure: how crews say it, and which codes it has replaced."""
    found = get_procedure(code)
    return not_modified(response, shipped_edition(), if_none_match) or found
