"""What is declared once is declared well: errors, topics, permissions, lifecycles, entities."""

from __future__ import annotations

import re
import string
import uuid
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa

from app import registry
from app.core.db.columns import Sensitivity
from app.core.db.plan import plan_of
from app.core.errors import AppError, registered_errors
from app.core.keys import ValueDigest
from app.core.lifecycle import Lifecycle, registered_lifecycles
from app.core.permissions import USER_ROLES
from tests.architecture.scratch import entities, mapped_classes

DIRECTIVE_CODES = {
    "VALIDATION_FAILED": 422, "UNAUTHENTICATED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "METHOD_NOT_ALLOWED": 405,
    "CONFLICT": 409, "ALREADY_EXISTS": 409, "ID_TAKEN": 409,
    "INVALID_TRANSITION": 409, "IDEMPOTENCY_KEY_REUSED": 409, "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415, "RATE_LIMITED": 429, "TENANT_SUSPENDED": 403, "INTERNAL_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
}  # fmt: skip


def lifecycles() -> list[Lifecycle[Any, Any]]:
    """The service's own, not those of tests."""
    return [found for found in registered_lifecycles() if found.states.__module__.startswith("app.")]


def test_error_codes_of_the_contract_are_declared() -> None:
    declared = {error.code: error.status for error in registered_errors()}
    assert DIRECTIVE_CODES.items() <= declared.items()


@pytest.mark.parametrize("error", registered_errors(), ids=lambda error: error.code)
def test_error_is_stable_and_readable(error: type[AppError]) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)*", error.code)
    assert error.title[0] in string.ascii_uppercase and error.title.endswith(".")
    assert error.status in (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 500, 503)
    assert error.status != 503 or "Retry-After" in error.headers


def test_topics_are_dotted_names() -> None:
    for topic in registry.TOPICS:
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", topic.name), topic.name
        assert topic.description.endswith("."), topic.name


def test_permissions_are_held_by_somebody_who_can_sign_in() -> None:
    for permission in registry.PERMISSIONS:
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", permission.name), permission.name
        assert permission.description.endswith("."), permission.name
        holders = permission.roles | permission.reviewer_roles
        assert holders & set(USER_ROLES), permission.name


@pytest.mark.parametrize("lifecycle", lifecycles(), ids=lambda lifecycle: lifecycle.name)
def test_lifecycle_is_connected_and_somebody_moves_it(lifecycle: Lifecycle[Any, Any]) -> None:
    states = set(lifecycle.states.__members__.values())
    reached = {lifecycle.initial}
    for _ in states:
        reached |= {found.target for found in lifecycle.transitions if found.sources & reached}
    assert reached == states, "a state that nothing leads to"
    for found in lifecycle.transitions:
        assert found.sources <= states and found.target in states
        assert found.system or found.permission is not None, f"nobody may {found.action}"
        assert len({guard.name for guard in found.guards}) == len(found.guards)
    assert lifecycle.internal <= {found.action for found in lifecycle.transitions}


def test_every_column_is_classified() -> None:
    """Entities fail at import; append-only tables have no plan to refuse them."""
    for mapped in mapped_classes():
        for column in mapped.__table__.columns:
            assert isinstance(column.info.get("sensitivity"), Sensitivity), f"{mapped.__name__}.{column.key}"


def test_entities_are_planned_and_named() -> None:
    types = [entity.entity_type for entity in entities()]
    assert len(types) == len(set(types))
    for entity in entities():
        plan: Any = plan_of(entity)
        columns = set(plan.keys)
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", entity.entity_type)
        assert entity.aggregate in columns and set(entity.references) <= columns, entity.__name__
        if entity.revisions:
            aggregate = entity.__table__.c[entity.aggregate]
            assert isinstance(aggregate.type, sa.Uuid) and not aggregate.nullable, entity.__name__


def test_what_an_event_carries_is_not_sensitive() -> None:
    """Payloads hold ids, versions and statuses: `references` and the status column go out in clear."""
    for entity in entities():
        columns = entity.__table__.c
        assert columns[entity.aggregate].info["sensitivity"] is Sensitivity.INTERNAL, entity.__name__
        for name in (*entity.references, entity.aggregate):
            shown = (Sensitivity.INTERNAL, Sensitivity.PLAIN)  # plain: whom an entry is about may change
            assert columns[name].info["sensitivity"] in shown, f"{entity.__name__}.{name}"
            assert isinstance(columns[name].type, sa.Uuid), f"{entity.__name__}.{name}"
        if "status" in columns:
            assert columns["status"].info["sensitivity"] is Sensitivity.PLAIN, entity.__name__


def test_refined_diffs_give_no_values_away() -> None:
    """A `diff` of its own replaces redaction: it must redact by itself."""
    canary = "CANARY-7f3a"
    for entity in entities():
        for column in entity.__table__.columns:
            refine = column.info.get("diff")
            if refine is not None and column.info["sensitivity"] is Sensitivity.PHI:
                for old, new in (({}, {"x": canary}), ({"x": canary}, {}), ({"x": canary}, {"x": [canary]})):
                    fields = refine(old, new, ValueDigest(b"key", uuid.uuid4()))
                    assert fields and canary not in str(list(fields.values())), f"{entity.__name__}.{column.key}"


def test_subscriptions_and_jobs_have_names_of_their_own() -> None:
    """Names are stored with deliveries and jobs: two of one name would take each other's work."""
    for named in (registry.SUBSCRIPTIONS, registry.JOBS):
        names = [item.name for item in named]
        assert len(names) == len(set(names))
    topics = set(registry.TOPICS)
    assert all(set(subscription.topics) <= topics for subscription in registry.SUBSCRIPTIONS)


def test_statuses_belong_to_a_lifecycle_or_are_declared_enums() -> None:
    for entity in entities():
        if "status" in entity.__table__.c:
            enum = getattr(entity.__table__.c["status"].type, "enum", None)
            assert isinstance(enum, type) and issubclass(enum, StrEnum), entity.__name__
