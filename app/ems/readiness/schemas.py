"""Readiness of a chart as clients read it."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Any

from pydantic import Field

from app.core.schemas import ReadModel
from app.ems.readiness.port import ReadinessSeverity, Stage


class StageState(StrEnum):
    """The state of a stage. DONE: it lies behind this chart."""

    BLOCKED = "blocked"
    READY = "ready"
    DONE = "done"


class StageRead(ReadModel):
    stage: Stage
    state: StageState = Field(description="`ready`: nothing blocks it; `done`: it lies behind this chart")
    blocking: int
    warnings: int


class FixRead(ReadModel):
    """A request to send as it is. It clears the finding and blocks nothing else."""

    method: str = Field(examples=["PATCH"])
    path: str
    body: dict[str, Any]


class ClearedRead(ReadModel):
    """A finding that a request clears, as the list of findings names it."""

    stage: Stage
    code: str
    entity_id: uuid.UUID
    field: str


class CombinedFixRead(FixRead):
    """One request for all fixes of one record that go together. It saves all of them, or none."""

    clears: list[ClearedRead]


class ReadinessFindingRead(ReadModel):
    stage: Stage
    severity: ReadinessSeverity
    code: str = Field(description="Stable; the guard's, the validator's or the claim scrubber's own where it is theirs")
    rule: str | None = Field(
        description="Its source outside: NEMSIS element or rule id, X12 loop and segment, CFR section",
        examples=["eResponse.05"],
    )
    entity: str = Field(examples=["vital"])
    entity_id: uuid.UUID
    patient_id: uuid.UUID | None
    field: str = Field(description="A column or `elements.<id>` of that entity", examples=["heart_rate"])
    message: str
    fixable_by: list[str] = Field(description="Roles that can mend it now; `reviewer`: ems users flagged so")
    fix: FixRead | None = Field(description="A ready request that clears it, where the rule allows one and you may")


class ChartReadiness(ReadModel):
    """Findings are ranked: blocking ones first, then by stage, then in the order of the chart."""

    incident_id: uuid.UUID
    stages: list[StageRead]
    findings: list[ReadinessFindingRead]
    fixes: list[CombinedFixRead] = Field(
        description=(
            "Every fix of the findings above, those of one record in one request. Sent in this order, as they are, all"
            " succeed: a later request about the same record has the version that the one before leaves."
        )
    )
