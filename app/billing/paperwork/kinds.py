"""The declaration of a kind of paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from app.billing.paperwork.columns import PatientPaper
from app.core.audit.actions import AuditAction
from app.core.errors import Problem
from app.core.schemas import CreateModel, EntityRead, VersionedPatch

P = TypeVar("P", bound=PatientPaper)


class PaperVerb(StrEnum):
    CREATE = "create"
    REVISE = "revise"
    DELETE = "delete"


@dataclass(frozen=True)
class PaperKind(Generic[P]):
    """`noun` and `plural` name the kind in summaries and operation ids; `path` is below the API's prefix.

    `check` says what keeps a paper from ever being good for a transport on the given day; None: the day is not charted.
    """

    noun: str
    plural: str
    path: str
    about: str
    entity: type[P]
    create: type[CreateModel]
    patch: type[VersionedPatch]
    read: type[EntityRead]
    actions: Mapping[PaperVerb, AuditAction]
    check: Callable[[P, dt.date | None], Iterable[Problem]]
