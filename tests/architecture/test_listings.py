"""Nothing takes effect by being made: whatever a module of the service declares is listed in app/registry.py, once."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import APIRouter

import app
from app import registry
from app.core.audit.actions import AuditAction
from app.core.bodies import JSON_ONLY, BodyRule
from app.core.composition import Port
from app.core.events import Topic
from app.core.gateways import Gateway, Held
from app.core.jobs.queue import Job, Schedule
from app.core.outbox.subscriptions import Subscription
from app.core.permissions import Permission
from app.core.reference.kinds import ReferenceKind
from app.core.secrets.kinds import SecretKind
from app.core.settings import SettingsGroup, groups_of
from app.core.tags import Tag
from app.ems.public import EXPORTS, READINESS, ExportSource, ReadinessSource
from tests.architecture.scratch import entities

ROOT = Path(app.__file__).parents[1]
LISTS: dict[type[Any], Iterable[Any]] = {
    BodyRule: (*registry.BODIES, JSON_ONLY),
    ExportSource: registry.EXPORT_SOURCES,
    Gateway: registry.GATEWAYS,
    Held: registry.COMPOSITION.held,
    Job: registry.JOBS,
    Permission: registry.PERMISSIONS,
    Port: [brought.port for brought in registry.COMPOSITION.ports],
    ReadinessSource: registry.READINESS_SOURCES,
    ReferenceKind: registry.REFERENCE_KINDS,
    Schedule: registry.SCHEDULES,
    SecretKind: registry.SECRET_KINDS,
    Subscription: registry.SUBSCRIPTIONS,
    Tag: registry.TAGS,
    Topic: registry.TOPICS,
}


@pytest.fixture(scope="module")
def modules() -> list[ModuleType]:
    """Every module of the service but those that run when they are imported."""
    names = [found.name for found in pkgutil.walk_packages(app.__path__, "app.")]
    assert len(names) > 200
    return [importlib.import_module(name) for name in names]


def declared(modules: Iterable[ModuleType], kind: type[Any]) -> list[Any]:
    """The module-level constants of `kind`, and the members of module-level tuples; each object once."""
    found: dict[int, Any] = {}
    for module in modules:
        for value in vars(module).values():
            for one in value if type(value) is tuple else (value,):
                if isinstance(one, kind):
                    found[id(one)] = one
    return list(found.values())


@pytest.mark.parametrize("kind", LISTS, ids=lambda kind: kind.__name__)
def test_what_is_declared_is_listed(modules: list[ModuleType], kind: type[Any]) -> None:
    made = declared(modules, kind)
    listed = {id(one) for one in LISTS[kind]}
    assert [one for one in made if id(one) not in listed] == []
    assert made or kind is SecretKind, "the test sees what there is"
    assert len(listed) == len(list(LISTS[kind])), "nothing is listed twice"


@pytest.mark.parametrize(
    "names",
    [
        [topic.name for topic in registry.TOPICS],
        [permission.name for permission in registry.PERMISSIONS],
        [tag.name for tag in registry.TAGS],
        [held.name for held in registry.COMPOSITION.held],
        [kind.name for kind in registry.SECRET_KINDS],
        [rule.path for rule in registry.BODIES],
        registry.LOG_KEYS,
    ],
    ids=["topics", "permissions", "tags", "held", "secret kinds", "bodies", "log keys"],
)
def test_names_are_listed_once(names: Iterable[str]) -> None:
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_runtime_is_given_what_is_listed() -> None:
    composition = registry.COMPOSITION
    assert composition.sources(EXPORTS) == registry.EXPORT_SOURCES
    assert composition.sources(READINESS) == registry.READINESS_SOURCES
    assert composition.permissions == registry.PERMISSIONS
    assert composition.secret_kinds == registry.SECRET_KINDS
    with pytest.raises(LookupError, match="stray"):
        composition.sources(Port("stray", str))


def test_a_source_of_one_key_is_listed_once() -> None:
    stage = registry.READINESS_SOURCES[0]
    with pytest.raises(ValueError, match="listed twice"):
        READINESS.brought(stage, stage)


def test_each_stage_has_its_source_in_order() -> None:
    stages = [source.stage for source in registry.READINESS_SOURCES]
    assert stages == list(type(stages[0]))


def test_routers_are_listed(modules: list[ModuleType]) -> None:
    """Through the routers of their domain; health stands outside the API, and what composes holds its own."""
    listed = {id(router) for router in registry.ROUTERS}
    stray = [router for router in declared(modules, APIRouter) if id(router) not in listed]
    assert [router.tags for router in stray] == [["operations"]]


def test_settings_groups_are_composed(modules: list[ModuleType]) -> None:
    groups = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SettingsGroup) and "heading" in value.__dict__
    }
    assert groups == set(groups_of(registry.ServiceSettings))


def test_the_vocabulary_of_the_audit_log_is_listed(modules: list[ModuleType]) -> None:
    declared_in_app = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, AuditAction) and value is not AuditAction
    }
    assert declared_in_app == set(registry.AUDIT_ACTIONS)
    assert len(registry.AUDIT_ACTIONS) == len(declared_in_app), "nothing is listed twice"
    names = Counter(member.value for actions in registry.AUDIT_ACTIONS for member in actions)
    assert [name for name, count in names.items() if count > 1] == []
    kinds = {entity.entity_type for entity in entities()} | {"audit_log", "access", "claim_export"}
    assert {name.partition(".")[0] for name in names} <= kinds


def test_no_variable_belongs_to_two_groups() -> None:
    owners = Counter(
        name
        for group in groups_of(registry.ServiceSettings)
        for name in group.__annotations__
        if name in group.model_fields
    )
    assert [name for name, count in owners.items() if count > 1] == []
    assert set(owners) == set(registry.ServiceSettings.model_fields)


def test_the_prefix_of_the_api_stands_in_one_place() -> None:
    """Whoever needs it imports it. Tests state what clients see."""
    sources = [file for folder in ("app", "scripts", "bench") for file in (ROOT / folder).rglob("*.py")]
    found = [file for file in sources if re.search(r"/api/v\d", file.read_text())]
    assert [file.relative_to(ROOT).as_posix() for file in found] == ["app/core/paths.py"]


def test_clients_of_outside_systems_are_in_no_cache() -> None:
    """A gateway is held by the runtime: no `lru_cache` by settings, and nothing on `app.state` but the runtime."""
    for file in (ROOT / "app").rglob("*.py"):
        text = file.read_text()
        assert not re.search(r"state\.(?!runtime\b)\w+ = ", text) or "app.state" not in text, file
        assert not re.search(r"@(lru_)?cache\b[^\n]*\n(async )?def \w+\([^)]*\b(Settings|Runtime)\b", text), file
