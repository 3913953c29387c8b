"""The readiness of a chart: loaded once, shown to the source of every stage, their findings ranked."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from fastapi import Depends

from app.core.config import Settings
from app.core.db.uow import ReadUnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency
from app.core.errors import AppError
from app.core.permissions import Principal
from app.core.tenants.public import current_tenant
from app.ems.attachments.repository import AttachmentRepository
from app.ems.call_kinds import kind_of, not_due
from app.ems.chart.gate import require_editable
from app.ems.charting.service import present
from app.ems.coverage import is_attested
from app.ems.entries.attachments import present_attachments
from app.ems.entries.signatures import present_signatures
from app.ems.incidents.repository import IncidentRepository
from app.ems.late_entries.repository import LateEntryRepository
from app.ems.patient_charts import PatientChart, read_charts
from app.ems.readiness.combining import combined
from app.ems.readiness.people import holders, who_can_correct
from app.ems.readiness.port import (
    READINESS,
    Finding,
    Fix,
    LoadedChart,
    ReadinessSeverity,
    ReadinessSource,
    Stage,
)
from app.ems.readiness.schemas import (
    ChartReadiness,
    ClearedRead,
    CombinedFixRead,
    FixRead,
    KindRead,
    NotDueRead,
    ReadinessFindingRead,
    StageRead,
    StageState,
)
from app.ems.readiness.sections import Shown, section_of, summed_up
from app.ems.review.lifecycle import CommentStatus
from app.ems.review.repository import ReviewCommentRepository
from app.ems.review_queue.schemas import ReviewCommentRead
from app.ems.signatures.repository import SignatureRepository

_SEVERITIES, _STAGES = list(ReadinessSeverity), list(Stage)


class _Found(NamedTuple):
    source: ReadinessSource
    finding: Finding


class ReadinessReader:
    """Reads readiness. The number of statements is the same for any size of chart."""

    def __init__(self, uow: ReadUnitOfWork, settings: Settings, sources: Sequence[ReadinessSource]) -> None:
        self._uow = uow
        self._settings = settings
        self._sources = sources

    async def read(self, incident_id: uuid.UUID, shown: Shown) -> ChartReadiness:
        """The stages, kinds, sections and findings of one chart; `shown` tells which findings. Raises NotFound."""
        chart = await self._load(incident_id)
        stages: list[StageRead] = []
        found: list[_Found] = []
        for source in self._sources:
            stage = await source.find(self._uow, self._settings, chart)
            findings = _distinct(stage.findings)
            stages.append(_summary(source.stage, findings, done=stage.done, not_due=stage.not_due))
            found += [_Found(source, finding) for finding in findings]
        found.sort(key=lambda one: _rank(one, chart))
        fixes = [_fix(one, chart, self._uow.principal) for one in found]
        lines = [_present(one, fix, chart) for one, fix in zip(found, fixes, strict=True)]
        together = combined(
            (_named(one), fix)
            for one, fix, line in zip(found, fixes, lines, strict=True)
            if fix is not None and shown.holds(line)
        )
        return ChartReadiness.model_construct(
            incident_id=incident_id,
            stages=stages,
            kinds=[_kind(one) for one in chart.by_kind],
            sections=summed_up(lines),
            findings=[line for line in lines if shown.holds(line)],
            fixes=[
                CombinedFixRead(method=fix.method, path=fix.path, body=fix.body, clears=clears)
                for fix, clears in together
            ],
        )

    async def _load(self, incident_id: uuid.UUID) -> LoadedChart:
        uow, tenant_id = self._uow, self._uow.tenant_id
        incident = await IncidentRepository(uow).get(tenant_id, incident_id)
        shown = present(incident, uow.principal)
        tenant = await current_tenant(uow)
        signatures = await SignatureRepository(uow).list_all(tenant_id, incident_id=incident_id)
        attachments = await AttachmentRepository(uow).list_all(tenant_id, incident_id=incident_id)
        comments = await ReviewCommentRepository(uow).list_all(
            tenant_id, incident_id=incident_id, status=CommentStatus.OPEN
        )
        charts = await read_charts(uow, shown)
        return LoadedChart(
            tenant=tenant,
            incident=shown,
            call=charts.call,
            patients=charts.patients,
            signatures=await present_signatures(uow, incident, signatures),
            attachments=await present_attachments(uow, incident, attachments),
            comments=[ReviewCommentRead.of(comment, allowed_actions=[]) for comment in comments],
            lacks_crew_signature=tenant.require_crew_signature and not await is_attested(uow, incident),
            late_entries=await LateEntryRepository(uow).has_pending(tenant_id, incident_id),
        )


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Findings without duplicates: one about the incident is found in each patient's document."""
    return list({(one.entity_id, one.field, one.code): one for one in findings}.values())


def _summary(stage: Stage, findings: list[Finding], *, done: bool, not_due: str | None) -> StageRead:
    blocking = sum(finding.severity is ReadinessSeverity.BLOCKING for finding in findings)
    state = StageState.BLOCKED if blocking else StageState.READY
    if done or not_due is not None:
        state = StageState.DONE if done else StageState.NOT_DUE
    return StageRead(stage=stage, state=state, reason=not_due, blocking=blocking, warnings=len(findings) - blocking)


def _kind(one: PatientChart) -> KindRead:
    missing = [NotDueRead(need=found.need, reason=found.reason) for found in not_due(one)]
    return KindRead(patient_id=one.patient_id, kind=kind_of(one), not_due=missing)


def _rank(one: _Found, chart: LoadedChart) -> tuple[int, int, int]:
    severity, stage = _SEVERITIES.index(one.finding.severity), _STAGES.index(one.source.stage)
    return severity, stage, chart.order.get(one.finding.entity_id, len(chart.order))


def _named(one: _Found) -> ClearedRead:
    finding = one.finding
    return ClearedRead(stage=one.source.stage, code=finding.code, entity_id=finding.entity_id, field=finding.field)


def _present(one: _Found, fix: Fix | None, chart: LoadedChart) -> ReadinessFindingRead:
    finding, permission = one.finding, one.finding.permission
    return ReadinessFindingRead.model_construct(
        stage=one.source.stage,
        severity=finding.severity,
        code=finding.code,
        rule=finding.rule,
        entity=finding.entity,
        entity_id=finding.entity_id,
        patient_id=finding.patient_id,
        field=finding.field,
        message=finding.message,
        section=section_of(finding),
        fixable_by=list(who_can_correct(chart.incident.status) if permission is None else holders(permission)),
        fix=None if fix is None else FixRead(method=fix.method, path=fix.path, body=fix.body),
    )


def _fix(one: _Found, chart: LoadedChart, principal: Principal) -> Fix | None:
    """The request that clears a finding, if there is one that this person may send.

    An amendment has none: the person would have to give a reason first.
    """
    rule = next((rule for rule in one.source.fixes if rule.fits(one.finding)), None)
    if rule is None or not _may_correct(one.finding, chart, principal):
        return None
    return rule.make(chart, one.finding)


def _may_correct(finding: Finding, chart: LoadedChart, principal: Principal) -> bool:
    if finding.permission is not None:
        return finding.permission.held_by(principal)
    try:
        require_editable(chart.incident, principal)
    except AppError:
        return False
    return True


async def readiness_reader(uow: ReadUow, runtime: RuntimeDependency) -> ReadinessReader:
    return ReadinessReader(uow, runtime.settings, runtime.composition.sources(READINESS))


ReadinessReads = Annotated[ReadinessReader, Depends(readiness_reader)]
