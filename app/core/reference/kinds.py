"""What tells one kind of reference record from another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, NamedTuple

from app.core.audit.actions import AuditAction
from app.core.db.entity import E, TenantEntity
from app.core.db.uow import ReadUnitOfWork
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
    """Made by the service for a new record: `columns` are stored, `shown` stands in the creating answer alone."""

    columns: dict[str, Any]
    shown: dict[str, Any]


Derive = Callable[[ReadUnitOfWork], Awaitable[Callable[[E], dict[str, Any]]]]


@dataclass(frozen=True)
class ReferenceKind(Generic[E]):
    """`noun` and `plural` name it in summaries and operation ids; `path` is below the API's prefix.

    `actions` are the audit actions of the verbs that the kind has; a verb without one does not exist.
    `patch` belongs to REVISE, `transition` to `lifecycle`; `created` is the creating answer where it is not `read`.
    `filters` are list parameters by column, with their types.
    `references` are columns that name a live record of the tenant's, by its entity.
    `check` judges a record as a whole and raises ValidationFailed. `issue` makes what no client may choose.
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
    issue: Callable[[], Issued] | None = None
    derive: Derive[E] | None = None
