"""The parts of a chart: one declaration per kind of row, from which every list of kinds is derived.

A new kind is one `ChartPart` here and its rules of writing in `entries/`, which make its routes. What covers, comments,
synchronises, exports, restores or cites a chart follows from the declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar

from app.core.db.columns import Sensitivity
from app.core.db.plan import plan_of
from app.core.repository import Repository
from app.core.schemas import CreateModel, EntityRead
from app.ems.attachments.repository import AttachmentRepository
from app.ems.attachments.schemas import AttachmentCreate, AttachmentRead
from app.ems.chart.columns import ChartEntry
from app.ems.chart.schemas import ChartPatch
from app.ems.crew.repository import CrewRepository
from app.ems.crew.schemas import CrewMemberCreate, CrewMemberPatch, CrewMemberRead
from app.ems.element_groups.repository import ElementGroupRepository
from app.ems.element_groups.schemas import ElementGroupCreate, ElementGroupPatch, ElementGroupRead
from app.ems.elements import may_stand_under, repeating_group_of
from app.ems.incidents.repository import IncidentRepository
from app.ems.incidents.schemas import IncidentCreate, IncidentPatch, IncidentRead
from app.ems.interventions.repository import InterventionRepository
from app.ems.interventions.schemas import InterventionCreate, InterventionPatch, InterventionRead
from app.ems.narratives.repository import NarrativeRepository
from app.ems.narratives.schemas import NarrativeCreate, NarrativePatch, NarrativeRead
from app.ems.patients.repository import PatientRepository
from app.ems.patients.schemas import PatientCreate, PatientPatch, PatientRead
from app.ems.signatures.repository import SignatureRepository
from app.ems.signatures.schemas import SignatureCreate, SignatureRead
from app.ems.vitals.models import Vital
from app.ems.vitals.repository import VitalRepository
from app.ems.vitals.schemas import VitalCreate, VitalPatch, VitalRead

E = TypeVar("E", bound=ChartEntry)
R = TypeVar("R", bound=EntityRead)

_RECORD = frozenset({"id", "tenant_id", "incident_id", "version", "created_at", "updated_at", "deleted_at"})
"""Columns of every row of a chart that say nothing of the call."""
_IN_EVERY_ANSWER = frozenset({*EntityRead.model_fields, "elements"})


@dataclass(frozen=True, kw_only=True)
class TimelinePlace:
    """The place of an entry in the timeline: the column of its time, and what its summary shows.

    `shows` are columns. `begins_with` is a column of long text, of which the first characters are shown.
    """

    at: str
    shows: tuple[str, ...] = ()
    begins_with: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ChartPart(Generic[E, R]):
    """One kind of row of a chart: the incident, or a kind of entry below it.

    `noun` names one to people, `path` is the collection below the incident (None for the incident itself), `create`,
    `patch` and `read` are its bodies over HTTP. An upload has no `patch`: it changes by transitions.

    `charted` says that the part is the chart's own words about the call. Such a part is covered by signatures,
    commented on by reviewers, and shown in documents and claims. A part that is not charted stands beside the chart.

    `uncharted` names the part's own columns that nobody charts: workflow, keys, and what an analysis wrote. They are
    covered by no signature, commented on by no reviewer.

    `apart` are groups of columns that say something without the others. Where one is wrong, a sync saves the rest; so
    it does with the `elements` of such a part.
    """

    noun: str
    path: str | None
    repository: type[Repository[E]]
    create: type[CreateModel]
    read: type[R]
    patch: type[ChartPatch] | None = None
    charted: bool = True
    uncharted: frozenset[str] = frozenset()
    apart: tuple[frozenset[str], ...] = ()
    timeline: TimelinePlace | None = None

    @property
    def entity(self) -> type[E]:
        return self.repository.entity

    @property
    def entity_type(self) -> str:
        return self.entity.entity_type

    @property
    def collection(self) -> str:
        """The last segment of the entry's address. Raises TypeError for the incident, which has none."""
        if self.path is None:
            raise TypeError(f"{self.entity_type} is no entry below the incident")
        return self.path

    @property
    def list_name(self) -> str:
        """The field that lists these entries in answers about a whole chart."""
        return self.collection.replace("-", "_")

    @cached_property
    def names_patient(self) -> bool:
        """True if an entry of this kind says in `patient_id` whom it is about."""
        return "patient_id" in self.entity.__table__.columns

    @cached_property
    def bookkeeping(self) -> frozenset[str]:
        """Columns of the row that are not content: those of every record, `uncharted`, and what follows from others."""
        return _RECORD | self.uncharted | plan_of(self.entity).derived.keys()

    @cached_property
    def fields(self) -> frozenset[str]:
        """Columns that people fill, `elements` aside."""
        return frozenset(plan_of(self.entity).mutable) - self.bookkeeping - {"elements"}

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """Columns of the row that answers show, `elements` aside: what a history compares, and what can be cited."""
        columns = self.entity.__table__.columns.keys()
        return tuple(name for name in self.read.model_fields if name in columns and name not in _IN_EVERY_ANSWER)

    def sensitivity(self, column: str) -> Sensitivity:
        """The declared class of a column."""
        kind: Sensitivity = self.entity.__table__.columns[column].info["sensitivity"]
        return kind


INCIDENT = ChartPart(
    noun="incident",
    path=None,
    repository=IncidentRepository,
    create=IncidentCreate,
    patch=IncidentPatch,
    read=IncidentRead,
    uncharted=frozenset({"created_by", "authors", "submitted_by", "status", "completed_at"}),
)
PATIENT = ChartPart(
    noun="patient",
    path="patients",
    repository=PatientRepository,
    create=PatientCreate,
    patch=PatientPatch,
    read=PatientRead,
    uncharted=frozenset({"pcr_uuid"}),
)
VITAL = ChartPart(
    noun="vital",
    path="vitals",
    repository=VitalRepository,
    create=VitalCreate,
    patch=VitalPatch,
    read=VitalRead,
    apart=(
        *(frozenset({name}) for name in Vital.element_columns if name not in ("taken_at", "etco2")),
        frozenset({"etco2", "etco2_unit"}),
    ),
    timeline=TimelinePlace(
        at="taken_at", shows=(*(name for name in Vital.element_columns if name != "taken_at"), "etco2_unit")
    ),
)
INTERVENTION = ChartPart(
    noun="intervention",
    path="interventions",
    repository=InterventionRepository,
    create=InterventionCreate,
    patch=InterventionPatch,
    read=InterventionRead,
    timeline=TimelinePlace(
        at="performed_at", shows=("type", "procedure_code", "rxcui", "dose", "dose_unit", "route", "outcome")
    ),
)
NARRATIVE = ChartPart(
    noun="narrative",
    path="narratives",
    repository=NarrativeRepository,
    create=NarrativeCreate,
    patch=NarrativePatch,
    read=NarrativeRead,
    uncharted=frozenset({"ai_suggestions_json", "ai_score"}),
    timeline=TimelinePlace(at="created_at", begins_with="narrative_text"),
)
ELEMENT_GROUP = ChartPart(
    noun="element group",
    path="element-groups",
    repository=ElementGroupRepository,
    create=ElementGroupCreate,
    patch=ElementGroupPatch,
    read=ElementGroupRead,
)
CREW_MEMBER = ChartPart(
    noun="crew member",
    path="crew",
    repository=CrewRepository,
    create=CrewMemberCreate,
    patch=CrewMemberPatch,
    read=CrewMemberRead,
)
SIGNATURE = ChartPart(
    noun="signature",
    path="signatures",
    repository=SignatureRepository,
    create=SignatureCreate,
    read=SignatureRead,
    charted=False,
)
ATTACHMENT = ChartPart(
    noun="attachment",
    path="attachments",
    repository=AttachmentRepository,
    create=AttachmentCreate,
    read=AttachmentRead,
    charted=False,
)

PARTS: tuple[ChartPart[Any, Any], ...] = (
    INCIDENT,
    PATIENT,
    VITAL,
    INTERVENTION,
    NARRATIVE,
    ELEMENT_GROUP,
    CREW_MEMBER,
    SIGNATURE,
    ATTACHMENT,
)
"""All parts, in the order in which a whole chart lists them."""

PART_OF: Mapping[str, ChartPart[Any, Any]] = {part.entity_type: part for part in PARTS}
"""The part of each entity type."""
ENTRIES = tuple(part for part in PARTS if part.path is not None)
"""The parts below the incident."""
CHARTED_ENTRIES = tuple(part for part in ENTRIES if part.charted)
CHARTED = frozenset(part.entity_type for part in PARTS if part.charted)
"""Entity types that make a chart. Signatures and attachments stand beside it: they are not its own words."""


def closed_vocabulary(name: str, about: str, words: Iterable[str]) -> Any:
    """A StrEnum of declared words, for request and response models; `about` describes it to clients."""
    make: Any = StrEnum
    vocabulary = make(name, {word.upper(): word for word in words})
    vocabulary.__doc__ = about
    return vocabulary


ChartEntity: Any = closed_vocabulary(
    "ChartEntity", "What a chart consists of.", (part.entity_type for part in PARTS if part.charted)
)


def has_field(entry: ChartEntry, field: str) -> bool:
    """True if people fill `field` of this entry: a column, or `elements.<id>` of an element that stands here."""
    element_id = field.removeprefix("elements.")
    if element_id == field:
        return field in PART_OF[entry.entity_type].fields
    return has_element(entry, element_id)


def has_element(entry: ChartEntry, element_id: str) -> bool:
    """True if the element stands in this entry: under its owner, or in its repeating group."""
    try:
        group = repeating_group_of(element_id)
    except KeyError:
        return False
    return group == entry.repeating_group() if group is not None else may_stand_under(element_id, entry.owner())
