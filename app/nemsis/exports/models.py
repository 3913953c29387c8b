"""nemsis_exports (directive section 7)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, internal, plain
from app.core.db.entity import TenantEntity, standard_constraints
from app.nemsis.exports.lifecycle import ExportStatus, export_lifecycle


class NemsisExport(TenantEntity):
    """The export of one patient's document, or of that of a call without a patient (`patient_id` is None).

    `document_sha256` is of the document that `validation_errors_json` is about. Findings hold no values: no PHI.
    """

    __tablename__ = "nemsis_exports"
    entity_type: ClassVar[str] = "nemsis_export"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID | None] = internal()
    status: Mapped[ExportStatus] = plain(EnumText(ExportStatus), default=ExportStatus.PENDING_VALIDATION)
    schema_build: Mapped[str] = plain()
    document_sha256: Mapped[str | None] = plain(default=None)
    validation_errors_json: Mapped[list[Any]] = plain(default_factory=list, heavy=True)
    s3_key: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("nemsis_exports", "status", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_nemsis_exports_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name="fk_nemsis_exports_incident_id",
        ),
        export_lifecycle.check(),
    )
