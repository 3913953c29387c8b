"""A plan per entity, built once. It says how to load and diff the entity, and has one statement per kind of write."""

from __future__ import annotations

from typing import Any, Generic

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.core.audit.models import AuditEvent
from app.core.db.columns import Digest, Sensitivity
from app.core.db.entity import E, TenantEntity
from app.core.db.revisions import ChartRevision
from app.core.db.sql import CompiledStatement, decoders
from app.core.outbox.models import OutboxEvent

_AUDIT: Any = AuditEvent.__table__
_OUTBOX: Any = OutboxEvent.__table__
_REVISIONS: Any = ChartRevision.__table__


def _bind(name: str, column: Any) -> Any:
    return sa.bindparam(name, type_=column.type)


def _keeps_spelling(kind: Any) -> bool:
    """True if a column is a NUMERIC without a scale. It stores 37 and 37.0 differently; to Python they are equal."""
    return isinstance(kind, sa.Numeric) and kind.scale is None


def _same_json(old: Any, new: Any) -> bool:
    """True if values that are equal in Python have the same JSON. In Python, 1 equals True and 0 equals False."""
    return orjson.dumps(old, str, orjson.OPT_SORT_KEYS) == orjson.dumps(new, str, orjson.OPT_SORT_KEYS)


class EntityPlan(Generic[E]):
    """Updates write the `mutable` columns, and those that are `derived` from them. Audit diffs show the `redacted` ones
    as keyed digests, and none that is derived.

    `chart` names the column with the id of the chart to which an entity with PHI belongs.
    """

    def __init__(self, entity: type[E]) -> None:
        table: Any = entity.__table__
        unclassified = [column.key for column in table.c if "sensitivity" not in column.info]
        if unclassified:
            raise TypeError(f"{entity.__name__}: unclassified columns {unclassified}")
        self.entity = entity
        self.entity_type = entity.entity_type
        self.table = table
        self.keys: tuple[str, ...] = tuple(column.key for column in table.c)
        self._decoders = decoders(list(table.c))
        kinds = {column.key: column.info["sensitivity"] for column in table.c}
        self.derived = {column.key: column.info["derived"] for column in table.c if "derived" in column.info}
        self.mutable = tuple(
            key
            for key, kind in kinds.items()
            if key == "deleted_at" or (kind is not Sensitivity.INTERNAL and key not in self.derived)
        )
        self.redacted = frozenset(key for key, kind in kinds.items() if kind in (Sensitivity.PHI, Sensitivity.SECRET))
        self.holds_phi = Sensitivity.PHI in kinds.values()
        self.chart = "incident_id" if "incident_id" in kinds else "id" if self.entity_type == "incident" else None
        self.heavy = tuple(column.key for column in table.c if column.info.get("heavy"))
        self._light = (*(key for key in self.mutable if key not in self.heavy), *self.derived)
        self._json = tuple(column.key for column in table.c if isinstance(column.type, JSONB))
        charted = tuple(key for key, column in table.c.items() if _keeps_spelling(column.type))
        self._spelled = frozenset((*self._json, *charted))
        self._diffs = {column.key: column.info["diff"] for column in table.c if "diff" in column.info}
        self.has_status = "status" in kinds
        self.by_id = CompiledStatement(self.select_by_id())
        self._updates: dict[tuple[str, ...], CompiledStatement] = {}
        self.insert = CompiledStatement(self._with_records(self._insert()))

    def select_by_id(self, *, including_deleted: bool = False) -> sa.Select[Any]:
        """SELECT every column of one row, bound by :tenant_id and :id."""
        table = self.table
        query = sa.select(*table.c).where(
            table.c.tenant_id == _bind("tenant_id", table.c.tenant_id), table.c.id == _bind("id", table.c.id)
        )
        return query if including_deleted else query.where(table.c.deleted_at.is_(None))

    def build(self, row: Any) -> E:
        """A sealed entity from a row of all columns in table order."""
        values = dict(zip(self.keys, row, strict=True))
        for key, decode in self._decoders:
            values[key] = decode(values[key])
        values["_sealed"] = True
        entity = object.__new__(self.entity)
        object.__setattr__(entity, "__dict__", values)
        return entity

    def snapshot(self, state: dict[str, Any]) -> dict[str, Any] | None:
        """The values before a change; None for a new entity. JSON columns are copied, so a change in place shows."""
        if "created_at" not in state:
            return None
        before = state.copy()
        for key in self._json:
            before[key] = _copied(before[key])
        return before

    def derive(self, state: dict[str, Any]) -> None:
        """Sets the columns that follow from others."""
        for key, (source, follows) in self.derived.items():
            state[key] = follows(state[source])

    def diff(
        self, before: dict[str, Any], after: dict[str, Any], digest: Digest
    ) -> tuple[list[str], dict[str, list[Any]]]:
        """The changed columns, and the audit's {field: [old, new]} with digests for PHI."""
        changed = self.changed(before, after)
        fields: dict[str, list[Any]] = {}
        for key in changed:
            self._record(fields, key, before.get(key), after.get(key), digest)
        return changed, fields

    def changed(self, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        """The columns in which two states of a row differ."""
        changed: list[str] = []
        for key in self.mutable:
            old, new = before.get(key), after.get(key)
            if old is new or (old == new and (key not in self._spelled or _same_json(old, new))):
                continue
            changed.append(key)
        return changed

    def created_fields(self, state: dict[str, Any], digest: Digest) -> dict[str, list[Any]]:
        fields: dict[str, list[Any]] = {}
        for key in self.mutable:
            value = state.get(key)
            if value is not None:
                self._record(fields, key, None, value, digest)
        return fields

    def _record(self, fields: dict[str, list[Any]], key: str, old: Any, new: Any, digest: Digest) -> None:
        refine = self._diffs.get(key)
        if refine is not None:
            fields.update(refine(old, new, digest))
        elif key in self.redacted:
            fields[key] = [digest(key, old), digest(key, new)]
        else:
            fields[key] = [old, new]

    def update(self, changed: list[str]) -> CompiledStatement:
        """The UPDATE of all light columns, with a variant for each set of changed heavy columns.

        A variant for each set of light columns too would hold 115 KiB per backend and variant.
        """
        heavy = tuple(key for key in self.heavy if key in changed)
        statement = self._updates.get(heavy)
        if statement is None:
            statement = CompiledStatement(self._with_records(self._update((*self._light, *heavy))))
            self._updates[heavy] = statement
        return statement

    def _update(self, columns: tuple[str, ...]) -> Any:
        table = self.table
        written = {key: _bind(f"v_{key}", table.c[key]) for key in columns}
        return (
            sa.update(table)
            .where(
                table.c.tenant_id == _bind("tenant_id", table.c.tenant_id),
                table.c.id == _bind("id", table.c.id),
                table.c.version == _bind("expected", table.c.version),
            )
            .values({**written, "version": table.c.version + sa.literal_column("1"), "updated_at": sa.func.now()})
            .returning(*self._returned())
        )

    def _insert(self) -> Any:
        table = self.table
        given = [key for key in self.keys if key not in ("version", "created_at", "updated_at", "deleted_at")]
        return (
            sa.insert(table)
            .values({key: _bind(f"v_{key}", table.c[key]) for key in given})
            .returning(*self._returned())
        )

    def _returned(self) -> list[Any]:
        columns = self.table.c
        return list(columns) if self.entity.revisions else [columns.version, columns.created_at, columns.updated_at]

    def _with_records(self, write: Any) -> Any:
        """write → audit → outbox (→ revision) as one statement. Either all its rows are stored or none."""
        written = write.cte("written")
        records = [self._audited(written), self._published(written)]
        if self.entity.revisions:
            records.append(self._revised(written))
        answer = sa.select(written.c.version, written.c.created_at, written.c.updated_at)
        return answer.add_cte(*records)

    def _audited(self, written: Any) -> Any:
        columns = {
            "id": "a_id", "tenant_id": "tenant_id", "actor_user_id": "a_actor", "entity_type": "a_type",
            "entity_id": "id", "action": "a_action", "changed_fields_json": "a_fields", "metadata_json": "a_metadata",
            "request_id": "a_request",
        }  # fmt: skip
        values = sa.select(*(_bind(name, _AUDIT.c[key]) for key, name in columns.items())).select_from(written)
        return sa.insert(_AUDIT).from_select(list(columns), values, include_defaults=False).cte("audited")

    def _published(self, written: Any) -> Any:
        columns = {
            "id": "o_id", "tenant_id": "tenant_id", "topic": "o_topic", "aggregate_id": "o_aggregate",
            "payload": "o_payload",
        }  # fmt: skip
        values = (
            sa.select(*(_bind(name, _OUTBOX.c[key]) for key, name in columns.items()))
            .select_from(written)
            .where(_bind("o_topic", _OUTBOX.c.topic).isnot(None))
        )
        return sa.insert(_OUTBOX).from_select(list(columns), values, include_defaults=False).cte("published")

    def _revised(self, written: Any) -> Any:
        columns = ["id", "tenant_id", "incident_id", "entity", "entity_id", "version", "snapshot"]
        values = sa.select(
            _bind("r_id", _REVISIONS.c.id),
            _bind("tenant_id", _REVISIONS.c.tenant_id),
            written.c[self.entity.aggregate],
            _bind("a_type", _REVISIONS.c.entity),
            written.c.id,
            written.c.version,
            sa.func.to_jsonb(sa.literal_column("written")),
        ).select_from(written)
        return sa.insert(_REVISIONS).from_select(columns, values, include_defaults=False).cte("revised")


def _copied(value: Any) -> Any:
    """A deep copy of a JSON value. copy.deepcopy costs two and a half times as much, in every autosave."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


_PLANS: dict[type[TenantEntity], EntityPlan[Any]] = {}


def plan_of(entity: type[E]) -> EntityPlan[E]:
    """The entity's plan, built at first use. Raises TypeError for an unclassified column."""
    plan = _PLANS.get(entity)
    if plan is None:
        plan = _PLANS[entity] = EntityPlan(entity)
    return plan
