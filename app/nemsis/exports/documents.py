"""Answers to ems: which documents of a chart were exported."""

from __future__ import annotations

import uuid

from app.core.db.uow import ReadUnitOfWork
from app.ems.public import CHARTED, ExportedDocument, ExportSource
from app.nemsis.exports.lifecycle import ExportStatus
from app.nemsis.exports.repository import NemsisExportRepository


async def list_exported(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> list[ExportedDocument]:
    """The last exported document of each patient. An exported row never changes again."""
    exports = await NemsisExportRepository(uow).list_all(
        uow.tenant_id, incident_id=incident_id, status=ExportStatus.EXPORTED
    )
    documents: dict[uuid.UUID | None, ExportedDocument] = {}
    for export in sorted(exports, key=lambda export: export.updated_at):
        documents[export.patient_id] = ExportedDocument(
            export.id, export.patient_id, export.status.value, export.updated_at
        )
    return list(documents.values())


async def was_exported(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> bool:
    """True if a document of the incident was exported. An unfinished export does not count."""
    return bool(await list_exported(uow, incident_id))


NEMSIS_DOCUMENTS = ExportSource("nemsis_export", CHARTED, list_exported, was_exported)
