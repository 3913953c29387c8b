"""The service of moves: what was charted for the wrong patient goes to the right one, all of it or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from app.core.db.uow import UnitOfWork
from app.core.dependencies import Uow
from app.core.errors import Conflict, Problem, ValidationFailed, refuse
from app.ems.chart.gate import require_editable
from app.ems.element_groups.repository import ElementGroupRepository
from app.ems.entries.children import ChildService
from app.ems.entries.kinds import CHILD_KINDS, UPLOAD_KINDS
from app.ems.entries.uploads import move_upload
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.moves.schemas import EntryToMove, MovedEntryRead, MoveRead, MoveRequest
from app.ems.parts import ELEMENT_GROUP, PART_OF
from app.ems.patients.repository import PatientRepository


@dataclass(frozen=True, slots=True)
class _Named:
    """An entry to move, locked FOR UPDATE. `number` is its place in the request, or that of the group around it."""

    number: int
    entry: Any


class MoveService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def move(self, incident_id: uuid.UUID, given: MoveRequest) -> MoveRead:
        """Give entries to another patient of the incident, and the groups that are nested in them.

        An entry that is about that patient already stays as it is, whatever its version: a repeated move does no harm.
        Raises NotFound, Forbidden, ChartNotEditable, Conflict (stale), and ValidationFailed for an unknown patient, an
        unknown entry, or an entry that cannot be the patient's.
        """
        incident = await IncidentRepository(self._uow).get_for_share(self._uow.tenant_id, incident_id)
        require_editable(incident, self._uow.principal, given.reason)
        await self._require_patient(incident, given.patient_id)
        known = {one.entry.id: one for one in await self._named(incident, given)}
        for one in _parents_first(known):
            await self._move(incident, one, given, known)
        answers = [
            MovedEntryRead(entity=one.entry.entity_type, id=one.entry.id, version=one.entry.version)
            for one in known.values()
        ]
        return MoveRead(patient_id=given.patient_id, entries=answers)

    async def _require_patient(self, incident: Incident, patient_id: uuid.UUID) -> None:
        patient = await PatientRepository(self._uow).find_for_share(self._uow.tenant_id, patient_id)
        if patient is None or patient.incident_id != incident.id:
            raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")

    async def _named(self, incident: Incident, given: MoveRequest) -> list[_Named]:
        """The named entries in the order of the request, locked in the order of their ids.

        Raises Conflict, and ValidationFailed, which names every entry that the chart does not have.
        """
        found: dict[int, Any] = {}
        for number, asked in sorted(enumerate(given.entries), key=lambda pair: pair[1].id):
            found[number] = await self._find(incident, asked)
        refuse(
            Problem("id", "unknown_entry", "This chart has no such entry.").below(f"entries.{number}")
            for number in range(len(given.entries))
            if found[number] is None
        )
        for number, asked in enumerate(given.entries):
            entry = found[number]
            if entry.patient_id != given.patient_id and entry.version != asked.version:
                raise Conflict.stale(entry.version, entry.updated_at, id=str(entry.id))
        return [_Named(number, found[number]) for number in range(len(given.entries))]

    async def _find(self, incident: Incident, asked: EntryToMove) -> Any:
        entry = await PART_OF[asked.entity].repository(self._uow).find_for_update(self._uow.tenant_id, asked.id)
        return entry if entry is not None and entry.incident_id == incident.id else None

    async def _move(self, incident: Incident, one: _Named, given: MoveRequest, known: dict[uuid.UUID, _Named]) -> None:
        """Move an entry and the groups nested in it, which join the `known` entries. Raises ValidationFailed."""
        entry = one.entry
        if entry.patient_id == given.patient_id:
            return
        try:
            if entry.entity_type in UPLOAD_KINDS:
                kind = UPLOAD_KINDS[entry.entity_type]
                await move_upload(self._uow, kind, incident, entry, given.patient_id, given.reason)
            else:
                service: ChildService[Any, Any] = ChildService(self._uow, CHILD_KINDS[entry.entity_type])
                await service.move(incident, entry, given.patient_id, given.reason)
        except ValidationFailed as error:
            problems = [Problem(**shown).below(f"entries.{one.number}") for shown in error.details["problems"]]
            raise ValidationFailed(problems=problems) from error
        if entry.entity_type == ELEMENT_GROUP.entity_type:
            for group in await self._nested_in(entry):
                await self._move(incident, known.setdefault(group.id, _Named(one.number, group)), given, known)

    async def _nested_in(self, group: Any) -> list[Any]:
        """The live groups directly below one, locked FOR UPDATE. The group itself is locked, so no other is added."""
        groups = ElementGroupRepository(self._uow)
        below = await groups.list_all(self._uow.tenant_id, incident_id=group.incident_id, parent_id=group.id)
        locked = [await groups.find_for_update(self._uow.tenant_id, child.id) for child in below]
        return [child for child in locked if child is not None]


def _parents_first(named: Mapping[uuid.UUID, _Named]) -> list[_Named]:
    """Groups after the groups that they are nested in: a group goes where its parent is."""

    def depth(one: _Named) -> int:
        parent_id: uuid.UUID | None = getattr(one.entry, "parent_id", None)
        parent = None if parent_id is None else named.get(parent_id)
        return 0 if parent is None else 1 + depth(parent)

    return sorted(named.values(), key=depth)


async def move_service(uow: Uow) -> MoveService:
    return MoveService(uow)


Moves = Annotated[MoveService, Depends(move_service)]
