"""The values that the filters of the audit log accept, made from the enumerations that the registry lists."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from app.core.audit.actions import AuditAction

# Acts of a person: their events are about the user or the agency, which have actions of their own.
_ACTS = frozenset({"access", "audit_log"})


def actions_of(vocabulary: Iterable[type[AuditAction]]) -> type[StrEnum]:
    """Every action that an event can have."""
    return _enumeration("AuditedAction", {action.value for actions in vocabulary for action in actions})


def entity_types_of(vocabulary: Iterable[type[AuditAction]]) -> type[StrEnum]:
    """Every kind of entity that an event can be about."""
    kinds = {action.value.partition(".")[0] for actions in vocabulary for action in actions}
    return _enumeration("AuditedEntityType", kinds - _ACTS)


def _enumeration(name: str, values: Iterable[str]) -> type[StrEnum]:
    enumeration: Any = StrEnum  # mypy knows enumerations of literal names only
    made: type[StrEnum] = enumeration(name, {value.replace(".", "_"): value for value in sorted(values)})
    return made
