"""Handlers for events of other domains. A chart that changed after its validation must be validated again."""

from __future__ import annotations

from app.core.db.uow import UnitOfWork
from app.core.errors import NotFound
from app.core.outbox.subscriptions import Event, Subscription
from app.ems.public import INCIDENT_UPDATED
from app.nemsis.exports.lifecycle import ExportFacts, ExportStatus, ExportTransition, export_lifecycle
from app.nemsis.exports.repository import NemsisExportRepository
from app.nemsis.exports.service import validate_incident
from app.nemsis.schema_bundle import SchemaBundle


async def invalidate_exports(uow: UnitOfWork, event: Event) -> None:
    """Sends a ready export back to pending_validation if the chart's document is another one now."""
    exports = NemsisExportRepository(uow)
    ready = await exports.list_all(uow.tenant_id, incident_id=event.aggregate_id, status=ExportStatus.READY_FOR_EXPORT)
    if not ready:
        return
    try:
        validated = await validate_incident(uow, event.aggregate_id, SchemaBundle(None))
    except NotFound:  # the chart itself was deleted
        validated = []
    documents = {one.chart.patient_id: one.document.sha256 for one in validated}
    for export in ready:
        if documents.get(export.patient_id) != export.document_sha256:
            await export_lifecycle.fire(uow, export, ExportTransition.INVALIDATE, ExportFacts())


SUBSCRIPTIONS = (Subscription("nemsis.invalidate_exports", (INCIDENT_UPDATED,), invalidate_exports),)
