"""A port for what other domains made of a chart. Ems tells which documents are outdated, and keeps charts in use."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.core.composition import Port
from app.core.db.uow import ReadUnitOfWork


@dataclass(frozen=True, slots=True)
class ExportedDocument:
    """The last document of its kind about one patient, or about a call without one (None).

    `made_at` is when it was made of the chart.
    """

    id: uuid.UUID
    patient_id: uuid.UUID | None
    status: str
    made_at: dt.datetime


@dataclass(frozen=True)
class ExportSource:
    """A kind of document of another domain.

    `list_documents` sends a constant number of statements for an incident. `shows` names the entities that such a
    document is made of: a change of others outdates none. `keeps` tells whether something of this kind stands on the
    incident, which then is not deleted.
    """

    kind: str
    shows: frozenset[str]
    list_documents: Callable[[ReadUnitOfWork, uuid.UUID], Awaitable[list[ExportedDocument]]]
    keeps: Callable[[ReadUnitOfWork, uuid.UUID], Awaitable[bool]]


EXPORTS: Port[ExportSource] = Port("export sources", key=lambda source: source.kind)
