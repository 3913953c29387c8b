"""The input of a report, read in one unit of work."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.schemas import EntityRead
from app.core.tenants.public import TenantRead
from app.ems.attachments.schemas import AttachmentRead
from app.ems.history.schemas import AmendmentRead
from app.ems.lifecycle import IncidentStatus
from app.ems.patient_charts import PatientChart
from app.ems.review.models import ChartReview
from app.ems.signatures.schemas import SignatureRead

UNREVIEWED = frozenset({IncidentStatus.DRAFT, IncidentStatus.IN_PROGRESS, IncidentStatus.READY_FOR_REVIEW})


@dataclass(frozen=True)
class SignatureImage:
    """The image of a signature: PNG, or SVG without anything but its strokes."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Material:
    """One patient's chart, or the chart of a call without a patient, and the other data of the report.

    `patients` counts the patients of the incident. `amendments` are those about this patient or about the whole call,
    the oldest first. `people` has names by the id of a user or of a person of the crew. `names` has the names of
    medications and diagnoses by code. `images` are keyed by signature.
    """

    tenant: TenantRead
    chart: PatientChart
    patients: int
    signatures: Sequence[SignatureRead]
    attachments: Sequence[AttachmentRead]
    amendments: Sequence[AmendmentRead]
    review: ChartReview | None
    people: Mapping[uuid.UUID, str]
    names: Mapping[str, str]
    images: Mapping[uuid.UUID, SignatureImage] = field(default_factory=dict)

    @property
    def is_draft(self) -> bool:
        return self.chart.incident.status in UNREVIEWED

    def entries(self) -> Iterator[tuple[str, EntityRead]]:
        """Every row that the report shows, with its kind."""
        yield "incident", self.chart.incident
        yield from () if self.chart.of_call else (("patient", self.chart.patient),)
        for name in type(self.chart).model_fields:
            found = getattr(self.chart, name)
            if isinstance(found, list):
                yield from ((name, entry) for entry in found)
        yield from (("signatures", entry) for entry in self.signatures)
        yield from (("attachments", entry) for entry in self.attachments)

    def chart_version(self) -> str:
        """SHA-256 over the sorted (entity, id, version) of every row that the report shows."""
        rows = sorted((kind, str(entry.id), entry.version) for kind, entry in self.entries())
        return hashlib.sha256(repr(rows).encode()).hexdigest()
