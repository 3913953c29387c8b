"""Signatures as clients take, void and read them."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.clock import utcnow
from app.core.schemas import MAX_INT, CreateModel, ReadModel, RequestModel, VerbatimWords, Version, Words, length, whole
from app.ems.chart.schemas import ChangeReason, ChartTime
from app.ems.media.inspection import MediaType
from app.ems.signatures.lifecycle import SignatureStatus, SignatureTransition
from app.ems.signatures.models import MAX_BYTES, SignerRole, StatementCode
from app.ems.uploads.schemas import Sha256, UploadedRead

MAX_SHOWN = 5000


class ShownEntry(RequestModel):
    id: uuid.UUID = Field(description="The incident's, or that of an entry of its chart")
    version: Annotated[int, whole(1, MAX_INT)] = Field(description="The version that was shown")


def _each_once(value: list[ShownEntry]) -> list[ShownEntry]:
    if len({entry.id for entry in value}) < len(value):
        raise PydanticCustomError("duplicate", "Name every entry once")
    return value


class SignatureCreate(CreateModel):
    """A new signature. `shown` is no value of it: the coverage is made of `shown`."""

    signer_role: SignerRole
    signer_name: Annotated[Words, length(100)]
    statement_code: StatementCode
    statement: Annotated[VerbatimWords, length(10_000)] = Field(
        description="The wording that was shown to the signer, whole"
    )
    patient_id: uuid.UUID | None = Field(None, description="Whom it is about; only a crew attestation may leave it out")
    shown: Annotated[list[ShownEntry], length(MAX_SHOWN), AfterValidator(_each_once)] | None = Field(
        None,
        description=(
            "The incident and the entries, with their versions, that the signer's screen showed. Those that the"
            " statement is about are covered as they were shown; what the chart holds otherwise by now is in"
            " `changed_since` at once. Always give it for a signature taken offline, after the sync of what was charted"
            " before it. Without it, the chart as it stands when this request arrives is taken for what was shown."
        ),
    )
    signed_at: ChartTime | None = Field(None, description="When the signer signed; now unless given")
    file_type: Literal[MediaType.PNG, MediaType.SVG] = Field(description="Media type of the signature's image")
    size_bytes: int = Field(strict=True, ge=1, le=MAX_BYTES, description="Exactly; 200 kB at most")
    sha256: Sha256

    def values(self) -> dict[str, Any]:
        given = {name: value for name, value in super().values().items() if name != "shown"}
        return {**given, "signed_at": self.signed_at or utcnow()}


class SignatureTransitionRequest(RequestModel):
    action: SignatureTransition
    version: Version
    reason: ChangeReason = Field(None, description="Required to void; no patient details")


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


class CoverageChange(ReadModel):
    """One entry that differs from what was signed."""

    entity: str
    id: uuid.UUID
    change: ChangeKind
    fields: list[str] = Field(description="Names of the changed fields; elements as `elements.<id>`")


class SignatureRead(UploadedRead):
    status: SignatureStatus
    signer_role: SignerRole
    signer_name: str
    statement_code: StatementCode
    statement: str
    signed_at: dt.datetime
    content_sha256: str = Field(description="Binds the wording and every covered entry with its version and content")
    covers_current_chart: bool = Field(description="It is signed, and what it covers is still what was signed")
    changed_since: list[CoverageChange] = Field(description="Why a signature no longer covers the chart")
