"""Reading whole charts: as they stand, as they stood, version by version, amendment by amendment."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence, Set
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, NamedTuple

from fastapi import Depends

from app.core.db.revisions import with_decimals
from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency
from app.core.errors import NotFound
from app.core.pagination import Page, Paging
from app.ems.amendments.models import ChartAmendment
from app.ems.amendments.repository import AmendmentRepository
from app.ems.chart.gate import require_sight_of_deleted
from app.ems.charting.service import present
from app.ems.content.repository import EntryVersion
from app.ems.content.snapshots import entity_of, shown_values
from app.ems.coverage import is_outdated_by
from app.ems.entries.kinds import CHILD_KINDS, UPLOAD_KINDS
from app.ems.exports import EXPORTS, ExportedDocument, ExportSource
from app.ems.history.repository import RevisionRepository
from app.ems.history.schemas import (
    AmendmentRead,
    DeletedEntryRead,
    FieldChange,
    OutdatedExport,
    OutdatedSignature,
    VersionRead,
    WholeChart,
)
from app.ems.incidents.models import Incident
from app.ems.incidents.repository import IncidentRepository
from app.ems.parts import ENTRIES, INCIDENT, PART_OF, PATIENT
from app.ems.patients.identifiers import shown_elements
from app.ems.people.repository import PeopleRepository
from app.ems.signatures.lifecycle import SignatureStatus
from app.ems.signatures.models import SignerRole, StatementCode


class HistoryReader:
    """Reads of a chart's history. Each method sends the same number of statements for any size of chart.

    Every method raises NotFound for the incident.
    """

    def __init__(self, uow: ReadUnitOfWork, sources: Sequence[ExportSource]) -> None:
        self._uow = uow
        self._sources = sources
        self._incidents = IncidentRepository(uow)
        self._revisions = RevisionRepository(uow)

    async def chart(self, incident_id: uuid.UUID) -> WholeChart:
        incident = await self._incidents.get(self._uow.tenant_id, incident_id)
        entries = {
            part.entity_type: await part.repository(self._uow).list_all(self._uow.tenant_id, incident_id=incident_id)
            for part in ENTRIES
        }
        return await self._whole(incident, entries, current=incident)

    async def chart_as_of(self, incident_id: uuid.UUID, moment: dt.datetime) -> WholeChart:
        """The chart as it stood at `moment`. Signatures show what they cover now.

        Raises NotFound also for a time before the chart was opened, or at which it was deleted.
        """
        current = await self._incidents.get(self._uow.tenant_id, incident_id)
        incident: Incident | None = None
        entries: dict[str, list[Any]] = {part.entity_type: [] for part in ENTRIES}
        for entity_type, snapshot in await self._revisions.list_as_of(self._uow.tenant_id, incident_id, moment):
            if entity_type == INCIDENT.entity_type:
                incident = entity_of(INCIDENT.entity, snapshot)
            else:
                entries[entity_type].append(entity_of(PART_OF[entity_type].entity, snapshot))
        if incident is None:
            raise NotFound
        for found in entries.values():
            found.sort(key=lambda entry: (entry.created_at, entry.id))
        return await self._whole(incident, entries, current=current)

    async def _whole(self, incident: Incident, entries: dict[str, list[Any]], *, current: Incident) -> WholeChart:
        patients = {patient.id: patient for patient in entries[PATIENT.entity_type]}
        lists: dict[str, Any] = {}
        for part in ENTRIES:
            found = entries[part.entity_type]
            upload = UPLOAD_KINDS.get(part.entity_type)
            if upload is not None:
                shown = await upload.present(self._uow, current, found)
            else:
                kind = CHILD_KINDS[part.entity_type]
                about = [patients.get(getattr(entry, "patient_id", None)) for entry in found]
                shown = [kind.present(entry, incident, patient) for entry, patient in zip(found, about, strict=True)]
            lists[part.list_name] = shown
        return WholeChart.model_construct(incident=present(incident, self._uow.principal), **lists)

    async def list_versions(
        self, incident_id: uuid.UUID, paging: Paging, *, entity_id: Sequence[uuid.UUID] | None
    ) -> Page[VersionRead]:
        tenant_id = self._uow.tenant_id
        await self._incidents.get(tenant_id, incident_id)
        rows = await self._revisions.list_versions(tenant_id, incident_id, paging, entity_id=entity_id)
        shown, next_cursor = paging.split(rows)
        audited = await self._revisions.list_audited(tenant_id, shown)
        items = [_version(row, audited.get((row["entity_id"], row["created_at"]))) for row in shown]
        return Page(items=items, next_cursor=next_cursor)

    async def list_deleted(self, incident_id: uuid.UUID, paging: Paging) -> Page[DeletedEntryRead]:
        """A page of the entries that were deleted and not restored. Raises Forbidden (see `require_sight_of_deleted`).

        The statements are as many as there are kinds of entries on the page, and some more, whatever its size.
        """
        tenant_id = self._uow.tenant_id
        incident = await self._incidents.get(tenant_id, incident_id)
        require_sight_of_deleted(incident, self._uow.principal)
        rows, next_cursor = await self._revisions.list_deleted(tenant_id, incident_id, paging)
        audited = await self._revisions.list_audited(tenant_id, rows)
        records = await self._records(incident, rows)
        actors = {event["actor_user_id"] for event in audited.values()} - {None}
        names = await PeopleRepository(self._uow).list_names(tenant_id, actors) if actors else {}
        items = [
            _deleted(row, audited.get((row["entity_id"], row["created_at"])), records[row["entity_id"]], names)
            for row in rows
        ]
        return Page(items=items, next_cursor=next_cursor)

    async def _records(self, incident: Incident, rows: Sequence[Any]) -> dict[uuid.UUID, Any]:
        """Answers for the entries of some revisions, by id."""
        found: dict[str, list[Any]] = {}
        for row in rows:
            snapshot = with_decimals(row["snapshot"], row["decimals"])
            found.setdefault(row["entity"], []).append(entity_of(PART_OF[row["entity"]].entity, snapshot))
        shown: dict[uuid.UUID, Any] = {}
        for entity, entries in found.items():
            upload = UPLOAD_KINDS.get(entity)
            if upload is not None:
                answers = await upload.present(self._uow, incident, entries)
            else:
                answers = await CHILD_KINDS[entity].present_all(self._uow, incident, entries)
            shown |= {answer.id: answer for answer in answers}
        return shown

    async def list_amendments(self, incident_id: uuid.UUID, paging: Paging, **filters: Any) -> Page[AmendmentRead]:
        tenant_id = self._uow.tenant_id
        await self._incidents.get(tenant_id, incident_id)
        page = await AmendmentRepository(self._uow).list_page(tenant_id, paging, incident_id=incident_id, **filters)
        wanted = {
            (amendment.entity_id, version)
            for amendment in page.items
            for version in (amendment.base_version, amendment.entity_version - 1, amendment.entity_version)
        }
        signatures = await self._signatures(incident_id, {amendment.entity_id for amendment in page.items})
        wanted |= {revision for signature in signatures for revision in signature.covered.items()}
        snapshots = await self._revisions.get_snapshots(tenant_id, incident_id, sorted(wanted))
        documents = [(source, await source.list_documents(self._uow, incident_id)) for source in self._sources]
        items = [_amendment(amendment, snapshots, documents, signatures) for amendment in page.items]
        return Page(items=items, next_cursor=page.next_cursor)

    async def _signatures(self, incident_id: uuid.UUID, entity_ids: set[uuid.UUID]) -> list[_Signature]:
        rows = await self._revisions.list_signature_states(self._uow.tenant_id, incident_id, sorted(entity_ids))
        versions = [list(group) for _, group in groupby(rows, key=itemgetter("entity_id"))]
        return [
            _Signature(
                read=OutdatedSignature(
                    id=group[0]["entity_id"],
                    statement_code=StatementCode(group[0]["statement_code"]),
                    signer_role=SignerRole(group[0]["signer_role"]),
                    patient_id=None if group[0]["patient_id"] is None else uuid.UUID(group[0]["patient_id"]),
                ),
                covered={uuid.UUID(item["id"]): item["version"] for item in group[0]["covered"] or ()},
                standing=[(row["created_at"], _stands(row)) for row in group],
            )
            for group in versions
        ]


class _Signature(NamedTuple):
    """A signature's past: the versions that it `covered`, and the times from which on it was in force, or was not."""

    read: OutdatedSignature
    covered: dict[uuid.UUID, int]
    standing: list[tuple[dt.datetime, bool]]

    def stood_at(self, moment: dt.datetime) -> bool:
        return next((stood for since, stood in reversed(self.standing) if since < moment), False)


def _stands(row: Any) -> bool:
    return row["status"] == SignatureStatus.SIGNED and row["deleted_at"] is None


def _amendment(
    amendment: ChartAmendment,
    snapshots: dict[tuple[uuid.UUID, int], dict[str, Any]],
    documents: list[tuple[ExportSource, list[ExportedDocument]]],
    signatures: list[_Signature],
) -> AmendmentRead:
    at = amendment.entity_version - 1, amendment.entity_version
    before, after = (snapshots.get((amendment.entity_id, version), {}) for version in at)
    completed = snapshots.get((amendment.entity_id, amendment.base_version), {})
    shown = [_fields(amendment.entity, snapshot) for snapshot in (completed, before, after)]
    rows = [row for row in (before, after) if row] or [{"id": str(amendment.entity_id)}]
    patients = {
        EntryVersion.of(amendment.entity, amendment.entity_id, amendment.entity_version, row).patient_id for row in rows
    }
    signed = [
        snapshots.get((amendment.entity_id, signature.covered.get(amendment.entity_id, 0))) for signature in signatures
    ]
    return AmendmentRead(
        id=amendment.id,
        at=amendment.created_at,
        amended_by=amendment.amended_by,
        reason=amendment.reason,
        entity=amendment.entity,
        entity_id=amendment.entity_id,
        change=amendment.change,
        version=amendment.entity_version,
        changes=_changes(*shown),
        outdated_exports=[
            OutdatedExport(kind=source.kind, id=document.id, status=document.status, made_at=document.made_at)
            for source, made in documents
            if amendment.entity in source.shows
            for document in made
            if document.made_at < amendment.created_at and _is_shown_by(document, patients)
        ],
        outdated_signatures=[
            signature.read
            for signature, then in zip(signatures, signed, strict=True)
            if signature.stood_at(amendment.created_at)
            and is_outdated_by(
                signature.read.statement_code,
                signature.read.patient_id,
                amendment.entity,
                signed=then,
                before=before or None,
                after=after,
            )
        ],
    )


def _fields(entity_type: str, snapshot: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row as the API shows them, elements one by one. A row that is deleted or missing has none."""
    if not snapshot or snapshot["deleted_at"] is not None:
        return {}
    part = PART_OF[entity_type]
    entry = entity_of(part.entity, snapshot)
    fields = shown_values(entry, (name for name in part.shown if name in snapshot))
    elements = shown_elements(snapshot.get("elements") or {})
    return fields | {f"elements.{element_id}": entries for element_id, entries in elements.items()}


def _is_shown_by(document: ExportedDocument, patients: Set[uuid.UUID | None]) -> bool:
    """True if a change about these patients, or about the whole call (None), shows in the document.

    What is about somebody shows in the document of a call without a patient, too: that there was nobody is untrue.
    """
    return document.patient_id is None or bool(patients & {None, document.patient_id})


def _changes(completed: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> list[FieldChange]:
    names = dict.fromkeys([*before, *after])
    return [
        FieldChange(field=name, as_completed=completed.get(name), before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _deleted(row: Any, event: Any, record: Any, names: Mapping[uuid.UUID, str]) -> DeletedEntryRead:
    actor = None if event is None else event["actor_user_id"]
    return DeletedEntryRead(
        entity=row["entity"],
        entity_id=row["entity_id"],
        version=row["version"],
        deleted_at=record.deleted_at,
        deleted_by=actor,
        deleted_by_name=None if actor is None else names.get(actor),
        reason=_reason(event),
        record=record,
    )


def _reason(event: Any) -> str | None:
    """The reason that was given for a write, by its audit event."""
    return None if event is None else (event["metadata_json"] or {}).get("reason")


def _version(row: Any, event: Any) -> VersionRead:
    return VersionRead(
        at=row["created_at"],
        entity=row["entity"],
        entity_id=row["entity_id"],
        version=row["version"],
        action=None if event is None else event["action"],
        actor_user_id=None if event is None else event["actor_user_id"],
        reason=_reason(event),
        changed=[] if event is None else list(event["changed_fields_json"]),
    )


async def history_reader(uow: ReadUow, runtime: RuntimeDependency) -> HistoryReader:
    return HistoryReader(uow, runtime.composition.sources(EXPORTS))


History = Annotated[HistoryReader, Depends(history_reader)]
