"""Mapped entities. SQLAlchemy owns tables, migrations and the typed query language. It never flushes entities.

A loaded entity is sealed. An assignment outside `uow.change()` raises at that line. Inside a change block
assignments go straight to the instance's dict; the ORM's history and identity map are never used.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar, TypeVar, dataclass_transform

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.core.db.columns import TYPE_MAP, internal, phi, plain, secret
from app.core.ids import new_id

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class SealedEntityError(AssertionError):
    """An audited entity was written outside uow.change(), so the write would have no audit row."""


class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {uuid.UUID: sa.Uuid(), **TYPE_MAP}


@dataclass_transform(
    kw_only_default=True, eq_default=False, field_specifiers=(plain, phi, secret, internal, mapped_column)
)
class Entity(Base):
    """The base for typed constructors. mypy builds __init__ for subclasses only, so this class declares no columns."""

    __abstract__ = True


class TenantEntity(Entity):
    """The directive's standard columns (2.1) and the seal. Subclasses declare columns with plain/phi/internal.

    `aggregate` names the column that orders its events (a chart's children publish on the incident);
    `references` names the further ids that its events carry.
    `revisions` keeps every version in chart_revisions.
    """

    __abstract__ = True
    entity_type: ClassVar[str]
    aggregate: ClassVar[str] = "id"
    references: ClassVar[tuple[str, ...]] = ()
    revisions: ClassVar[bool] = False
    _sealed: ClassVar[bool] = False

    id: Mapped[uuid.UUID] = internal(primary_key=True, default_factory=new_id, sort_order=-2)
    tenant_id: Mapped[uuid.UUID] = internal(sort_order=-1)
    version: Mapped[int] = internal(default=1, server_default=sa.text("1"), init=False, sort_order=1)
    created_at: Mapped[dt.datetime] = internal(server_default=sa.func.now(), init=False, sort_order=1)
    updated_at: Mapped[dt.datetime] = internal(server_default=sa.func.now(), init=False, sort_order=1)
    deleted_at: Mapped[dt.datetime | None] = internal(default=None, init=False, sort_order=1)

    def __init__(self, **values: Any) -> None:
        state = self.__dict__
        for column in self.__table__.columns:
            key = column.key
            if key in values:
                state[key] = values.pop(key)
            elif (factory := column.info.get("factory")) is not None:
                state[key] = factory()
            elif "default" in column.info:
                state[key] = column.info["default"]
            elif column.server_default is None:
                raise TypeError(f"{type(self).__name__} needs {key}")
        if values:
            raise TypeError(f"{type(self).__name__} has no columns {sorted(values)}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] == "_":
            object.__setattr__(self, name, value)
        elif self._sealed:
            raise SealedEntityError(f"{type(self).__name__}.{name} assigned outside uow.change()")
        else:
            self.__dict__[name] = value


E = TypeVar("E", bound=TenantEntity)


def standard_constraints(table: str, *order: str) -> tuple[sa.schema.SchemaItem, ...]:
    """UNIQUE (tenant_id, id) as the target of composite keys, and the tenant-led indexes of directive 2.3.

    `order` names further columns that get an index (tenant_id, column, created_at).
    """
    indexes = (sa.Index(f"ix_{table}_tenant_{column}", "tenant_id", column, "created_at") for column in order)
    return (
        sa.UniqueConstraint("tenant_id", "id", name=f"uq_{table}_tenant"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=f"fk_{table}_tenant"),
        sa.Index(f"ix_{table}_tenant_created_at", "tenant_id", "created_at", "id"),
        *indexes,
    )


def unique_among_live(name: str, *columns: str, also: sa.TextClause | None = None) -> sa.Index:
    """A unique index over `columns` for the rows of one agency that are not deleted. `also` is a further condition."""
    live = sa.text("deleted_at IS NULL")
    where = live if also is None else sa.and_(live, also)
    return sa.Index(name, "tenant_id", *columns, unique=True, postgresql_where=where)


@event.listens_for(TenantEntity, "load", propagate=True)
def _seal(entity: TenantEntity, context: Any) -> None:
    entity.__dict__["_sealed"] = True


@event.listens_for(Session, "before_flush")
def _refuse_flush(session: Session, context: Any, instances: Any) -> None:
    """Refuses flushes. Sessions only read, because a session would write a tenant entity without an audit row."""
    for entity in (*session.new, *session.dirty, *session.deleted):
        if isinstance(entity, TenantEntity):
            raise SealedEntityError(f"session.flush() of {type(entity).__name__}: write through uow.change()")
