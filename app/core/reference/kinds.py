"""The declaration of a kind of reference record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, NamedTuple

from app.core.audit.actions import AuditAction
from app.core.db.entity import E, TenantEntity
from app.core.db.uow import ReadUnitOfWork
from app.core.keys import Seal
from app.core.lifecycle import Lifecycle
from app.core.permissions import Permission
from app.core.reference.schemas import TransitionRequest
from app.core.schemas import CreateModel, EntityRead, VersionedPatch


class Verb(StrEnum):
    """What clients may do to a kind, beside reading it and firing its lifecycle's transitions."""

    CREATE = "create"
    REVISE = "revise"
    DELETE = "delete"
    RESTORE = "restore"


class Issued(NamedTuple):
    """Values that the service makes for a new record. `columns` are stored; only the creating answer holds `shown`."""

    columns: dict[str, Any]
    shown: dict[str, Any]


Derive = Callable[[ReadUnitOfWork], Awaitable[Callable[[E], dict[str, Any]]]]


@dataclass(frozen=True)
class ReferenceKind(Generic[E]):
    """`noun` and `plural` name the kind in summaries and operation ids; `path` is below the API's prefix.

    `actions` are the audit actions of the verbs that the kind has; a verb without one does not exist.
    `patch` belongs to REVISE, `transition` to `lifecycle`; `created` is the creating answer where it is not `read`.
    `filters` are list parameters by column, with the type of one value; a client may give several.
    `references` maps columns to the entities of the tenant's live records that they name.
    `check` judges a record as a whole and raises ValidationFailed. `issue` makes the values that no client may choose.
    `derive` prepares, once per answer, fields of `read` that are not stored.
    """

    noun: str
    plural: str
    path: str
    tag: str
    about: str
    entity: type[E]
    create: type[CreateModel]
    read: type[EntityRead]
    may_read: Permission
    may_write: Permission
    actions: Mapping[Verb, AuditAction]
    patch: type[VersionedPatch] | None = None
    created: type[EntityRead] | None = None
    lifecycle: Lifecycle[Any, None] | None = None
    transition: type[TransitionRequest] | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, type[TenantEntity]] = field(default_factory=dict)
    check: Callable[[E], None] | None = None
    issue: Callable[[Seal], Issued] | None = None
    derive: Derive[E] | None = None
