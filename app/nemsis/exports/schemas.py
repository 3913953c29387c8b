"""Validations and exports as clients see them."""

from __future__ import annotations

import uuid

from pydantic import Field

from app.core.schemas import CreateModel, EntityRead, ReadModel, RequestModel, Version
from app.nemsis.exports.lifecycle import ExportRequest, ExportStatus
from app.nemsis.findings import FindingSource, Severity


class FindingRead(ReadModel):
    element_id: str = Field(examples=["eVitals.10"])
    path: str = Field(description="Place in the document", examples=["PatientCareReport[1]/eTimes/eTimes.03"])
    internal_path: str | None = Field(
        description="Field of the chart, relative to ems/incidents/{id}", examples=["vitals/0199….heart_rate"]
    )
    severity: Severity
    code: str
    message: str
    source: FindingSource


class PatientValidation(ReadModel):
    patient_id: uuid.UUID | None = Field(description="Null: the document of a call without a patient")
    valid: bool
    findings: list[FindingRead]


class ChartValidation(ReadModel):
    """`xsd_checked` is false where the official schema files are not installed; our own dictionary judged alone."""

    incident_id: uuid.UUID
    schema_build: str
    xsd_checked: bool
    valid: bool
    patients: list[PatientValidation]


class NemsisExportCreate(CreateModel):
    incident_id: uuid.UUID
    patient_id: uuid.UUID | None = Field(
        None, description="Required when the incident has several patients; a call without a patient needs none"
    )


class ExportTransitionRequest(RequestModel):
    action: ExportRequest
    version: Version


class NemsisExportRead(EntityRead):
    incident_id: uuid.UUID
    patient_id: uuid.UUID | None = Field(description="Null: the document of a call without a patient")
    status: ExportStatus
    allowed_actions: list[str]
    schema_build: str
    document_sha256: str | None = Field(description="Digest of the document that was validated")
    validation_errors_json: list[FindingRead]
    s3_key: str | None = Field(description="Key of the exported document in the object store")
