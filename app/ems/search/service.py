"""The service that finds charts: the list, and the search whose every answer is a disclosure."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends

from app.core.audit.actions import AuditAction
from app.core.audit.disclosures import Disclosure, Means, disclose
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import ValidationFailed
from app.core.pagination import Page, PagingWithDeleted
from app.core.text import name_key
from app.ems.lifecycle import incident_lifecycle
from app.ems.permissions import CHART_RESTORE
from app.ems.search.repository import (
    FewPatientsIncidentRepository,
    FoundIncidentRepository,
    ListedPatientRepository,
    MatchingPatientRepository,
    beginning,
)
from app.ems.search.schemas import IncidentQuery, IncidentSearch, ListedIncident, ListedPatient


class SearchAction(AuditAction):
    SEARCHED = "incident.searched"


SEARCH = Disclosure(SearchAction.SEARCHED, Means.SEARCH, "patient_search")


class IncidentFinder:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._patients = ListedPatientRepository(uow)

    async def list_page(self, query: IncidentQuery) -> Page[ListedIncident]:
        """A page of charts. Raises Forbidden (deleted ones, for anyone but an admin), ValidationFailed (cursor)."""
        return await self.find(query, query.filters())

    async def find(self, paging: PagingWithDeleted, filters: dict[str, Any]) -> Page[ListedIncident]:
        """A page of charts that fit the repository's `filters`, in two statements, or in three if they say something
        about a patient. Raises as list_page.
        """
        tenant_id, principal = self._uow.tenant_id, self._uow.principal
        many = await MatchingPatientRepository(self._uow).are_many(tenant_id, filters)
        incidents = (FoundIncidentRepository if many else FewPatientsIncidentRepository)(self._uow)
        listed = incidents.list_page
        if paging.include_deleted:
            principal.require(CHART_RESTORE)
            listed = incidents.list_including_deleted
        page = await listed(tenant_id, paging, **filters)
        patients = await self._patients.list_of_incidents(tenant_id, [incident.id for incident in page.items])
        items = [
            ListedIncident.of(
                incident,
                allowed_actions=incident_lifecycle.allowed_actions(incident, principal),
                patients=[ListedPatient.model_validate(dict(row)) for row in patients[incident.id]],
            )
            for incident in page.items
        ]
        return Page(items=items, next_cursor=page.next_cursor)


class IncidentSearcher:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._finder = IncidentFinder(uow)

    async def search(self, search: IncidentSearch) -> Page[ListedIncident]:
        """A page of charts. Both logs keep who searched, by which fields, and the charts that were shown; no value.

        An answer without charts is in the audit log, too: it says that the agency does not know the person.

        Raises Forbidden (as list_page), ValidationFailed (cursor, or a name without letters and digits).
        """
        page = await self._finder.find(search, _filters(search))
        await disclose(
            self._uow,
            SEARCH,
            entity_type="tenant",
            entity_id=self._uow.tenant_id,
            incident_ids=[incident.id for incident in page.items],
            metadata={
                "fields": sorted(name for name, value in search.filters().items() if value is not None),
                "first_page": search.cursor is None,
            },
        )
        return page


def _filters(search: IncidentSearch) -> dict[str, Any]:
    """The repository's filters. Raises ValidationFailed for a name without a letter or digit, which every name has."""
    filters = search.filters()
    for field in ("last_name", "first_name"):
        name = filters.pop(field)
        if name is None:
            continue
        key = name_key(name)
        if not key:
            raise ValidationFailed.of(field, "no_letters", "Write letters or digits.")
        filters |= beginning(f"{field}_key", key)
    return filters


async def incident_finder(uow: ReadUow) -> IncidentFinder:
    return IncidentFinder(uow)


async def incident_searcher(uow: Uow) -> IncidentSearcher:
    return IncidentSearcher(uow)


FindsIncidents = Annotated[IncidentFinder, Depends(incident_finder)]
SearchesIncidents = Annotated[IncidentSearcher, Depends(incident_searcher)]
