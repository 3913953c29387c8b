"""Compares what a derivation cites with the chart as it stands."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.billing.evidence.models import ClaimDerivation
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Problem
from app.ems.public import Citation, CitedChange, PatientChart, Transport, compare_citations, transport_of

_TRANSPORT = "elements.eDisposition.30"


class EvidenceChange(NamedTuple):
    """A field of the chart that says something else than when the claim was derived."""

    entity: str
    id: uuid.UUID
    field: str
    old: Any
    new: Any


def citations_of(derivation: ClaimDerivation) -> list[Citation]:
    """Every citation of the derivation, once."""
    cited = (one for value in derivation.values_json for one in value["citations"])
    found = (Citation(one["entity"], uuid.UUID(one["id"]), one["version"], one["field"]) for one in cited)
    return list(dict.fromkeys(found))


async def find_changes(
    uow: ReadUnitOfWork, derivation: ClaimDerivation, charts: Sequence[PatientChart]
) -> list[EvidenceChange]:
    """The cited fields that changed, and the entries that came since. `charts` is the chart as it stands.

    One statement, and none while every cited entry has the version that was cited.
    """
    added = list(_added(derivation, charts))
    citations = citations_of(derivation)
    versions = {entry.id: entry.version for chart in charts for entry in chart.entries()}
    if all(versions.get(one.entity_id) == one.version for one in citations):
        return added
    changed = []
    for found in await compare_citations(uow, derivation.incident_id, citations):
        one = found.citation
        if not isinstance(found, CitedChange):
            changed.append(EvidenceChange(one.entity, one.entity_id, one.field, None, None))
        elif found.has_changed:
            changed.append(EvidenceChange(one.entity, one.entity_id, one.field, found.value, found.now))
    return [*changed, *added]


def stale_problems(changes: Iterable[EvidenceChange]) -> tuple[Problem, ...]:
    """The changes as problems, which name fields and no values."""
    message = "This field of the chart changed after the claim was derived from it."
    return tuple(Problem(f"{one.entity}.{one.field}", "stale", message) for one in changes)


async def find_stale(
    uow: ReadUnitOfWork,
    derivations: Mapping[uuid.UUID, ClaimDerivation],
    charts: Mapping[uuid.UUID, Sequence[PatientChart]],
) -> dict[uuid.UUID, tuple[Problem, ...]]:
    """The stale fields under each claim. `charts` are those of each incident, read in this unit of work."""
    return {
        claim_id: stale_problems(await find_changes(uow, one, charts[one.incident_id]))
        for claim_id, one in derivations.items()
    }


def _added(derivation: ClaimDerivation, charts: Sequence[PatientChart]) -> Iterator[EvidenceChange]:
    """What came into the chart since: acts and crew of this patient's chart, and further patients in the vehicle."""
    judged = {uuid.UUID(entry_id) for _, entry_id, _ in derivation.entries}
    for chart in charts:
        if chart.patient.id != derivation.patient_id:
            if chart.patient.id not in judged and transport_of(chart) is Transport.THIS_UNIT:
                yield EvidenceChange("patient", chart.patient.id, _TRANSPORT, None, _transport(chart))
            continue
        for act in chart.interventions:
            if act.id not in judged:
                field = "rxcui" if act.procedure_code is None else "procedure_code"
                yield EvidenceChange("intervention", act.id, field, None, getattr(act, field))
        for member in chart.crew:
            if member.id not in judged:
                yield EvidenceChange("crew_member", member.id, "licensure_level", None, member.licensure_level)


def _transport(chart: PatientChart) -> Any:
    return chart.patient.elements.get(_TRANSPORT.removeprefix("elements."))
