"""Citations of a chart are resolved here: what stood in a field at a version, and what stands there now."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson

from app.core.db.columns import Sensitivity
from app.core.db.uow import ReadUnitOfWork
from app.core.schemas import MAX_INT
from app.ems.citations.fields import FieldValue, find_value
from app.ems.citations.repository import CitationRepository, CitedRow
from app.ems.content.repository import Revision
from app.ems.content.snapshots import entity_of
from app.ems.parts import PART_OF


@dataclasses.dataclass(frozen=True, slots=True)
class Citation:
    """The source of a fact: a field of one entry of a chart, as it stood at a version.

    `entity` is the entity type (`incident`, `patient`, `vital`, …: the `entity` of findings, comments and versions).
    `field` is a column as the API names it (`systolic_bp`), or `elements.` and a NEMSIS element id
    (`elements.eVitals.03`), each with `[n]` for one item of a list.
    """

    entity: str
    entity_id: uuid.UUID
    version: int
    field: str


class MissReason(StrEnum):
    """The reason for which a citation has no value.

    - NO_SUCH_ENTITY: the agency has no entry of this kind with this id.
    - NOT_IN_CHART: the entry is in another chart.
    - NO_SUCH_VERSION: the entry has not had this version.
    - DELETED: this version is the one by which the entry was deleted.
    - NO_SUCH_FIELD: the entry has no such field, or the field's list has no such item.
    """

    NO_SUCH_ENTITY = "no_such_entity"
    NOT_IN_CHART = "not_in_chart"
    NO_SUCH_VERSION = "no_such_version"
    DELETED = "deleted"
    NO_SUCH_FIELD = "no_such_field"


@dataclasses.dataclass(frozen=True, slots=True)
class CitationMiss:
    citation: Citation
    reason: MissReason


@dataclasses.dataclass(frozen=True)
class CitedValue:
    """The value of a citation, in JSON as the API shows it. None says that nothing was recorded in the field.

    `sensitivity` is the declared class of the field. A value that is not PLAIN leaves the service only under the rules
    for protected health information. `element_id` is the field's NEMSIS element, if it has one. `current_version` and
    `is_deleted` tell what has become of the entry since. The repr leaves the value out, because it may reach a log.
    """

    citation: Citation
    value: Any = dataclasses.field(repr=False)
    sensitivity: Sensitivity
    element_id: str | None
    current_version: int
    is_deleted: bool

    @property
    def is_current(self) -> bool:
        """True if the cited version is the one that stands in the chart now."""
        return self.citation.version == self.current_version and not self.is_deleted


@dataclasses.dataclass(frozen=True)
class CitedChange(CitedValue):
    """A cited value, and the value that stands in the same field `now`.

    `now` is None where nothing is recorded any more, and where the entry or the item of its list is gone.
    """

    now: Any = dataclasses.field(repr=False)

    @cached_property
    def has_changed(self) -> bool:
        """True if the field says something else now. A deleted entry is a change; a change taken back is none."""
        return self.is_deleted or _canonical(self.value) != _canonical(self.now)


async def resolve_citations(
    uow: ReadUnitOfWork, incident_id: uuid.UUID, citations: Sequence[Citation]
) -> list[CitedValue | CitationMiss]:
    """The value of each citation, or the reason why it has none, in the order given.

    Claims and analyses of a chart state facts with citations. This function proves them: a fact holds if its citation
    resolves to the value that the fact states. The answer to a citation never changes, except that the entry may be
    revised or deleted later: see `current_version` and `is_deleted`.

    The function sends one statement for any number of citations, and none for no citations. It reads the tenant of
    `uow` and the chart `incident_id` only, and notes the read for the access log. The caller requires the permission to
    read the chart (`CHART_READ`). Raises NotFound for an incident that does not exist or is deleted.
    """
    return [
        found if isinstance(found, CitationMiss) else _value(found)
        for found in await _resolve(uow, incident_id, citations, with_current=False)
    ]


async def compare_citations(
    uow: ReadUnitOfWork, incident_id: uuid.UUID, citations: Sequence[Citation]
) -> list[CitedChange | CitationMiss]:
    """The value of each citation with the value that stands in its field now, in one statement.

    `has_changed` tells which facts are no longer what the chart says. Everything else is as in `resolve_citations`.
    """
    return [
        found if isinstance(found, CitationMiss) else _change(found)
        for found in await _resolve(uow, incident_id, citations, with_current=True)
    ]


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    citation: Citation
    field: FieldValue
    row: CitedRow


async def _resolve(
    uow: ReadUnitOfWork, incident_id: uuid.UUID, citations: Iterable[Citation], *, with_current: bool
) -> list[_Found | CitationMiss]:
    wanted = {citation: _revision(citation) for citation in citations}
    if not wanted:
        return []
    rows = await CitationRepository(uow).get_rows(
        uow.tenant_id, incident_id, set(wanted.values()), with_current=with_current
    )
    entries: dict[Revision, Any] = {}
    return [_find(citation, incident_id, rows[wanted[citation]], entries) for citation in citations]


def _revision(citation: Citation) -> Revision:
    """The (id, version) to look up. A version that the database could not hold becomes 0, which no entry has."""
    return citation.entity_id, citation.version if 0 < citation.version <= MAX_INT else 0


def _find(
    citation: Citation, incident_id: uuid.UUID, row: CitedRow, entries: dict[Revision, Any]
) -> _Found | CitationMiss:
    """The cited field, or the reason why there is none. `entries` keeps entries that were built for this answer."""
    reason = _miss(citation, incident_id, row)
    if reason is not None or row.snapshot is None:
        return CitationMiss(citation, reason or MissReason.NO_SUCH_VERSION)
    key = _revision(citation)
    if key not in entries:
        entries[key] = entity_of(PART_OF[citation.entity].entity, dict(row.snapshot))
    field = find_value(entries[key], citation.field)
    return CitationMiss(citation, MissReason.NO_SUCH_FIELD) if field is None else _Found(citation, field, row)


def _miss(citation: Citation, incident_id: uuid.UUID, row: CitedRow) -> MissReason | None:
    if row.entity is None or row.entity != citation.entity or row.entity not in PART_OF:
        return MissReason.NO_SUCH_ENTITY
    if row.incident_id != incident_id:
        return MissReason.NOT_IN_CHART
    if row.snapshot is None:
        return MissReason.NO_SUCH_VERSION
    return None if row.snapshot["deleted_at"] is None else MissReason.DELETED


def _value(found: _Found) -> CitedValue:
    return CitedValue(**_said(found))


def _change(found: _Found) -> CitedChange:
    now = None
    if found.row.current is not None and not found.row.is_deleted:
        entry = entity_of(PART_OF[found.citation.entity].entity, found.row.current)
        field = find_value(entry, found.citation.field)
        now = None if field is None else field.value
    return CitedChange(**_said(found), now=now)


def _said(found: _Found) -> Mapping[str, Any]:
    return {
        "citation": found.citation,
        **found.field._asdict(),
        "current_version": found.row.current_version,
        "is_deleted": found.row.is_deleted,
    }


def _canonical(value: Any) -> bytes:
    """JSON in which 1 and true are two."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
