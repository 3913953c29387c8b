"""GET ems/incidents and POST ems/incidents/search."""

from __future__ import annotations

from fastapi import APIRouter

from app.core.dependencies import discloses, requires
from app.core.pagination import Page
from app.ems.permissions import CHART_READ
from app.ems.search.schemas import IncidentQueryParameter, IncidentSearch, ListedIncident
from app.ems.search.service import SEARCH, FindsIncidents, SearchesIncidents

router = APIRouter(prefix="/ems/incidents", tags=["ems"])


@router.get("", dependencies=[requires(CHART_READ)])
async def list_incidents(incidents: FindsIncidents, query: IncidentQueryParameter) -> Page[ListedIncident]:
    """Charts with the names of their patients, newest first. `include_deleted` is for admins.

    A filter that is given several times means one of its values.
    """
    return await incidents.list_page(query)


@router.post("/search", dependencies=[requires(CHART_READ), discloses(SEARCH)])
async def search_incidents(search: IncidentSearch, incidents: SearchesIncidents) -> Page[ListedIncident]:
    """Charts by what is about a patient: last name, first name, date of birth; with the filters of the list.

    Nothing about a patient belongs in an address, so a search is a POST. Both logs keep who searched.
    """
    return await incidents.search(search)
