"""Readiness of a chart as clients read it."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Any

from pydantic import Field

from app.core.schemas import ReadModel
from app.ems.call_kinds import CallKind, Need
from app.ems.readiness.port import ReadinessSeverity, Stage


class StageState(StrEnum):
    """The state of a stage. DONE: it lies behind this chart. NOT_DUE: this kind of call does not need it."""

    BLOCKED = "blocked"
    READY = "ready"
    DONE = "done"
    NOT_DUE = "not_due"


class StageRead(ReadModel):
    stage: Stage
    state: StageState = Field(
        description="`ready`: nothing blocks it; `done`: it lies behind this chart; `not_due`: see `reason`"
    )
    reason: str | None = Field(description="Why the stage is not due", examples=[None])
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
    section: str = Field(
        description="The section that sums it up: of NEMSIS, or a kind of row", examples=["eVitals", "incident"]
    )
    fixable_by: list[str] = Field(description="Roles that can mend it now; `reviewer`: ems users flagged so")
    fix: FixRead | None = Field(description="A ready request that clears it, where the rule allows one and you may")


class NotDueRead(ReadModel):
    need: Need
    reason: str = Field(examples=["The patient was dead on scene: no claim is due."])


class KindRead(ReadModel):
    """How the call ended for one patient, by the disposition. `not_due` is what such a call does not need."""

    patient_id: uuid.UUID | None = Field(description="Null: the call itself, while it has no patient")
    kind: CallKind
    not_due: list[NotDueRead]


class SectionRead(ReadModel):
    """The findings of one section about one patient, summed up."""

    section: str = Field(examples=["ePatient"])
    title: str = Field(examples=["Patient"])
    patient_id: uuid.UUID | None = Field(description="Null: the whole call")
    blocking: int
    warnings: int = Field(description="Without blank lines")
    blank: int = Field(description="Lines that nobody filled in: the document will say Not Recorded")


class ChartReadiness(ReadModel):
    """Findings are ranked: blocking ones first, then by stage, then in the order of the chart.

    `sections` sum up all findings; `findings` are those that were asked for.
    """

    incident_id: uuid.UUID
    stages: list[StageRead]
    kinds: list[KindRead]
    sections: list[SectionRead]
    findings: list[ReadinessFindingRead]
    fixes: list[CombinedFixRead] = Field(
        description=(
            "Every fix of the findings above, those of one record in one request. Sent in this order, as they are, all"
            " succeed: a later request about the same record has the version that the one before leaves."
        )
    )
