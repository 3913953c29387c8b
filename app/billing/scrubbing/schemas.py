"""What the claim edits found, as clients read it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from pydantic import Field

from app.billing.edits.declaration import EditSeverity
from app.core.schemas import ReadModel


class EditOffer(ReadModel):
    """A request that cures the finding without a decision. It can be sent as it is."""

    method: str = Field(description="HTTP method of the request", examples=["PATCH"])
    path: str = Field(description="Path of the request")
    body: dict[str, Any] = Field(description="With the version that was judged")


class EditFindingRead(ReadModel):
    """What one edit found at one field."""

    id: str = Field(description="The edit, such as E48; docs/claim-edits.md lists them")
    severity: EditSeverity
    field: str = Field(description="Named as in the API, with indexes: `lines[0].modifiers`, `patient.home_zip`")
    code: str
    message: str
    what: str = Field(description="What the edit demands")
    why: str = Field(description="Why it demands it")
    source: str = Field(description="Regulation, manual, or place in the 837P")
    fix: str = Field(description="What cures it")
    offer: EditOffer | None = Field(description="The request that cures it, if nothing about it is to be decided")


class ScrubRead(ReadModel):
    """The verdict of all edits on a claim. While a blocking finding stands, `approve` is refused."""

    claim_id: uuid.UUID = Field(description="The claim that was judged")
    claim_version: int = Field(description="The version of it that was judged")
    scrubbed_at: dt.datetime = Field(description="When it was judged: a claim that went out keeps its last verdict")
    blocking: int = Field(description="How many findings block")
    warnings: int = Field(description="How many findings only warn")
    findings: list[EditFindingRead] = Field(description="In the order of the edits")
