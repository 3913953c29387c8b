"""Plans and compiled statements: what is refused at once, and what a statement is made of."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column, registry
from sqlalchemy.schema import CreateIndex

from app.core.db.columns import EnumText, internal, phi, plain
from app.core.db.entity import NAMING, Base, TenantEntity, unique_among_live
from app.core.db.plan import EntityPlan, plan_of
from app.core.db.sql import CompiledStatement, written_tables
from app.core.ids import new_id
from app.core.users.models import User
from tests.core.charts import Chart, ChartStatus


class Unregistered(TenantEntity):
    """On a registry of its own: these classes must not count among the service's entities."""

    __abstract__ = True
    metadata = sa.MetaData(naming_convention=NAMING)
    _sa_registry = registry(metadata=metadata, type_annotation_map=Base.type_annotation_map)


class Labelled(Unregistered):
    __tablename__ = "labelled"
    entity_type: ClassVar[str] = "labelled"
    labels: Mapped[list[Any]] = plain(default_factory=list)
    batch: Mapped[uuid.UUID] = internal(default_factory=new_id)


class Named(Unregistered):
    __tablename__ = "named"
    entity_type: ClassVar[str] = "named"
    name: Mapped[str | None] = phi(default=None)
    key: Mapped[str | None] = phi(derived=("name", lambda name: name and name.lower()), init=False)


@pytest.fixture(autouse=True)
def mapped() -> None:
    configure_mappers()


def test_unclassified_column_is_refused() -> None:
    class Unclassified(Unregistered):
        __tablename__ = "unclassified"
        entity_type: ClassVar[str] = "unclassified"
        surprise: Mapped[str] = mapped_column(sa.Text)

    with pytest.raises(TypeError, match=r"Unclassified: unclassified columns \['surprise'\]"):
        EntityPlan(Unclassified)


def test_row_of_the_wrong_width_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        plan_of(User).build((uuid.uuid4(),))


def test_every_kind_of_value_survives_the_row() -> None:
    plan = plan_of(Chart)
    values: dict[str, Any] = dict.fromkeys(plan.keys)
    values |= {"id": new_id(), "status": "closed", "charge": Decimal("1.10"), "vitals": {"a": [1]}, "version": 3}
    built = plan.build([values[key] for key in plan.keys])
    assert (built.status, built.charge, built.vitals) == (ChartStatus.CLOSED, Decimal("1.10"), {"a": [1]})


def test_unknown_status_in_the_database_is_an_error() -> None:
    decode = EnumText(ChartStatus).result_processor(None, None)
    assert decode("draft") is ChartStatus.DRAFT and decode(None) is None
    with pytest.raises(KeyError):
        decode("melted")


def test_entity_without_a_column_value_takes_its_default() -> None:
    made = Chart(tenant_id=new_id(), incident_id=new_id(), number="1")
    assert (made.status, made.charge, made.deleted_at, made.version) == (ChartStatus.DRAFT, None, None, 1)
    another = Chart(tenant_id=new_id(), incident_id=new_id(), number="1")
    assert made.id != another.id and made.id.version == 7


@pytest.mark.parametrize("entity", [Chart, User])
def test_writes_are_one_statement_guarded_by_version_and_tenant(entity: type[Any]) -> None:
    plan: EntityPlan[Any] = plan_of(entity)
    update = plan.update([])
    assert update.sql.count("WITH written AS") == 1
    assert all(f"INSERT INTO {table}" in update.sql for table in ("audit_events", "outbox_events"))
    assert ("INSERT INTO chart_revisions" in update.sql) is entity.revisions
    assert {"tenant_id", "id", "expected"} <= set(update.names)
    assert {"audit_events", "outbox_events", entity.__tablename__} <= update.writes


def test_internal_columns_are_never_updated() -> None:
    plan = plan_of(Chart)
    assert "incident_id" not in plan.mutable and "tenant_id" not in plan.mutable and "id" not in plan.mutable
    assert "deleted_at" in plan.mutable


def test_derived_columns_are_written_and_never_told() -> None:
    plan = plan_of(Named)
    made = Named(tenant_id=new_id(), name="Rivers")
    state = made.__dict__
    assert "rivers" not in state.values()
    plan.derive(state)
    assert state["key"] == "rivers"
    assert "key" in plan.redacted and "key" not in plan.mutable
    assert {"v_key", "v_name"} <= set(plan.insert.names) and "v_key" in plan.update([]).names
    assert set(plan.created_fields(state, lambda *_: "digest")) == {"name"}
    changed, fields = plan.diff({**state, "name": "Stone", "key": "stone"}, state, lambda *_: "digest")
    assert changed == ["name"] and set(fields) == {"name"}


def test_statement_needs_every_argument() -> None:
    statement = CompiledStatement(sa.select(sa.bindparam("a", type_=sa.Integer), sa.literal(5)))
    assert statement.arguments({"a": 1}) == [1, 5]
    with pytest.raises(KeyError):
        statement.arguments({})


def test_json_argument_is_encoded_and_none_is_null() -> None:
    statement = CompiledStatement(sa.select(sa.bindparam("j", type_=JSONB(none_as_null=True))))
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    [encoded] = statement.arguments({"j": {"at": moment, "money": Decimal("1.10"), "id": uuid.UUID(int=1)}})
    assert encoded == ('{"at":"2026-01-01T00:00:00+00:00","money":"1.10","id":"00000000-0000-0000-0000-000000000001"}')
    assert statement.arguments({"j": None}) == [None]


def test_written_tables_are_found_in_ctes_only_where_they_are_written() -> None:
    users: Any = User.__table__
    charts: Any = Chart.__table__
    reading = sa.select(users).where(users.c.id.in_(sa.select(charts.c.id)))
    assert written_tables(reading) == frozenset()
    writing = sa.select(sa.delete(charts).returning(charts.c.id).cte("gone").c.id).where(sa.exists(reading))
    assert written_tables(writing) == {"charts"}


def test_default_factory_is_called_for_every_entity() -> None:
    one, another = Labelled(tenant_id=new_id()), Labelled(tenant_id=new_id())
    assert one.labels == [] and one.labels is not another.labels and one.batch != another.batch


@pytest.mark.parametrize(
    ("also", "predicate"),
    [(None, "deleted_at IS NULL"), (sa.text("status <> 'closed'"), "deleted_at IS NULL AND status <> 'closed'")],
)
def test_uniqueness_is_the_agencys_and_among_live_rows_only(also: sa.TextClause | None, predicate: str) -> None:
    index = unique_among_live("uq_probe_number", "number", "kind", also=also)
    sa.Table("probe", sa.MetaData(), *(sa.Column(name) for name in ("tenant_id", "number", "kind")), index)
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    assert str(CreateIndex(index).compile(dialect=dialect)) == (
        f"CREATE UNIQUE INDEX uq_probe_number ON probe (tenant_id, number, kind) WHERE {predicate}"
    )
