"""A port for the stages that lie before a chart. One source finds the problems of each stage."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from app.core.composition import Port
from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork
from app.core.paths import API_PREFIX
from app.core.permissions import Permission
from app.core.schemas import EntityRead
from app.core.tenants.public import Tenant
from app.ems.attachments.schemas import AttachmentRead
from app.ems.crew.schemas import CrewMemberRead
from app.ems.incidents.schemas import IncidentRead
from app.ems.parts import CHARTED_ENTRIES, ENTRIES, INCIDENT, PART_OF, PATIENT
from app.ems.patient_charts import Charts, PatientChart
from app.ems.review_queue.schemas import ReviewCommentRead
from app.ems.signatures.schemas import SignatureRead

_INCIDENTS = f"{API_PREFIX}/ems/incidents"
_ENTITIES: Mapping[str, str] = {part.collection: part.entity_type for part in ENTRIES}
_ENTRY = re.compile(r"([a-z-]+)/([0-9a-f-]{36})\.(.+)")


BLANK = "not_recorded"
"""The code of a finding about a line that nobody filled in. Answers fold such lines by section."""


class Stage(StrEnum):
    """The stages, in the order in which findings are ranked."""

    REVIEW = "review"
    STATE_SUBMISSION = "state_submission"
    PAYMENT = "payment"
    SIGNATURE = "signature"


class ReadinessSeverity(StrEnum):
    """The severity of a finding. BLOCKING: the stage's own gate refuses the chart for it."""

    BLOCKING = "blocking"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that stands in a stage's way. It holds no value of the chart.

    `field` is named as in the API. `rule` is the rule's source outside: a NEMSIS element or rule id, an X12 loop and
    segment, a CFR section. `permission` is needed to correct it; None: the right to change the chart. `version` is the
    entity's, for a fix of something that is not in the chart.
    """

    severity: ReadinessSeverity
    code: str
    message: str
    entity: str
    entity_id: uuid.UUID
    field: str
    patient_id: uuid.UUID | None = None
    rule: str | None = None
    permission: Permission | None = None
    version: int | None = None


class Fix(NamedTuple):
    """A request that clears a finding. It can be sent as it is: it carries the version that was read."""

    method: str
    path: str
    body: dict[str, Any]


@dataclass(frozen=True)
class LoadedChart:
    """The chart as one request loaded it, once for all sources. `comments` are the open ones.

    `call` is the part that names no patient. `documented` are the charts of which documents are made.
    `lacks_crew_signature`: the agency wants the crew's signature, and none covers the chart as it stands.
    `late_entries`: some wait for a decision.
    """

    tenant: Tenant
    incident: IncidentRead
    call: PatientChart
    patients: Sequence[PatientChart]
    signatures: Sequence[SignatureRead]
    attachments: Sequence[AttachmentRead]
    comments: Sequence[ReviewCommentRead]
    lacks_crew_signature: bool
    late_entries: bool

    @property
    def crew(self) -> Sequence[CrewMemberRead]:
        return self.call.crew

    @property
    def documented(self) -> Sequence[PatientChart]:
        return Charts([*self.patients], self.call).documented

    @property
    def by_kind(self) -> Sequence[PatientChart]:
        """The charts that have a kind of call each: the patients', or the call's own while it has no patient."""
        return self.patients or (self.call,)

    @cached_property
    def order(self) -> Mapping[uuid.UUID, int]:
        """The rank of each entry: incident and crew, then patient by patient, then what belongs to all of it."""
        return {entry.id: rank for rank, entry in enumerate(self._entries())}

    @cached_property
    def versions(self) -> Mapping[uuid.UUID, int]:
        return {entry.id: entry.version for entry in self._entries()}

    def patch(self, entity: str, entity_id: uuid.UUID, **fields: Any) -> Fix:
        """A PATCH of the incident or of one entry."""
        path = f"{_INCIDENTS}/{self.incident.id}"
        if entity != INCIDENT.entity_type:
            path += f"/{PART_OF[entity].collection}/{entity_id}"
        return Fix("PATCH", path, {"version": self.versions[entity_id], **fields})

    def fire(self, action: str) -> Fix:
        """A transition of the incident."""
        body = {"action": action, "version": self.incident.version}
        return Fix("POST", f"{_INCIDENTS}/{self.incident.id}/transitions", body)

    def _entries(self) -> Iterator[EntityRead]:
        """The incident; entries that name no patient; each patient with their entries; what stands beside the chart."""
        yield self.incident
        for part in _OF_THE_CALL:
            yield from getattr(self.call, part.list_name)
        for chart in self.by_kind:
            yield from () if chart.of_call else (chart.patient,)
            for part in _OF_A_PATIENT:
                yield from getattr(chart, part.list_name)
        for part in _BESIDE:
            yield from getattr(self, part.list_name)


_OF_THE_CALL = tuple(part for part in CHARTED_ENTRIES if part is not PATIENT and not part.names_patient)
_OF_A_PATIENT = tuple(part for part in CHARTED_ENTRIES if part.names_patient)
_BESIDE = tuple(part for part in ENTRIES if not part.charted)


class Place(NamedTuple):
    entity: str
    entity_id: uuid.UUID
    field: str


def place_in_chart(path: str, chart: LoadedChart) -> Place | None:
    """The place that a path names; None for a path that names no single entry.

    Paths are `vitals/<id>.heart_rate`, `incident.elements.eResponse.05`, `tenant.npi`.
    """
    entry = _ENTRY.fullmatch(path)
    if entry is not None:
        return Place(_ENTITIES[entry[1]], uuid.UUID(entry[2]), entry[3])
    owner, _, field = path.partition(".")
    heads = {INCIDENT.entity_type: chart.incident.id, Tenant.entity_type: chart.tenant.id}
    return Place(owner, heads[owner], field) if field and owner in heads else None


class StageFindings(NamedTuple):
    """The findings of a stage. `done`: it lies behind the chart, so nothing about it can be acted on.

    `not_due`: the chart does not need the stage, and this is why. Then nothing is found.
    """

    findings: Iterable[Finding]
    done: bool = False
    not_due: str | None = None


@dataclass(frozen=True)
class FixRule:
    """A rule by which findings of `code` (on `field`, if it is given) bring the request of `make`, if it makes one.

    The request invents nothing clinical, clears the finding, and blocks nothing that was not blocked. Tests send the
    request of every declared rule over HTTP.
    """

    code: str
    make: Callable[[LoadedChart, Finding], Fix | None]
    field: str | None = None

    def fits(self, finding: Finding) -> bool:
        return finding.code == self.code and self.field in (None, finding.field)


FindProblems = Callable[[ReadUnitOfWork, Settings, LoadedChart], Awaitable[StageFindings]]


@dataclass(frozen=True)
class ReadinessSource:
    """The source of one stage's findings.


    `find` finds nothing blocking exactly when the stage's own gate would accept the chart. It derives each finding from
    the rules of that gate, and states none of them again. The chart's size does not change the number of its
    statements.
    """

    stage: Stage
    find: FindProblems
    fixes: tuple[FixRule, ...] = ()


READINESS: Port[ReadinessSource] = Port("readiness sources", key=lambda source: source.stage)
"""The registry lists one source for each stage, in the order of the stages."""
