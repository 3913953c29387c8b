"""State machines, each declared once. `fire` obeys the declaration. CHECKs, docs and test matrices derive from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from app.core.audit.actions import AuditAction
from app.core.db.columns import values_check
from app.core.db.uow import UnitOfWork
from app.core.errors import Forbidden, InvalidTransition, Problem, ValidationFailed
from app.core.events import Topic
from app.core.permissions import Permission, Principal

S = TypeVar("S", bound=StrEnum)
F = TypeVar("F", contravariant=True)


@dataclass(frozen=True, slots=True)
class Guard(Generic[F]):
    """A pure condition over facts that the service has loaded. All failing guards are reported together.

    `explain` lists what exactly is missing.
    """

    name: str
    message: str
    holds: Callable[[F], bool]
    explain: Callable[[F], Iterable[Problem]] | None = None

    def failure(self, facts: F) -> dict[str, Any]:
        described: dict[str, Any] = {"name": self.name, "message": self.message}
        if self.explain is not None:
            described["problems"] = [problem.shown() for problem in self.explain(facts)]
        return described


@dataclass(frozen=True, slots=True)
class Transition(Generic[S, F]):
    """If `permission` is None, only the system fires it. `forbids` refuses a principal because of the entity (403).

    `offered_as` is the public action for it, if one verb may end in several states.
    """

    action: StrEnum
    sources: frozenset[S]
    target: S
    audit_action: AuditAction = field(kw_only=True)
    permission: Permission | None = None
    guards: tuple[Guard[F], ...] = ()
    event: Topic | None = None
    needs_reason: bool = False
    system: bool = False
    offered_as: StrEnum | None = None
    forbids: Callable[[Any, Principal], bool] | None = None

    def permits(self, entity: Any, principal: Principal) -> bool:
        if self.system and principal.role == "system":
            return True
        if self.permission is None or not self.permission.held_by(principal):
            return False
        return self.forbids is None or not self.forbids(entity, principal)


_REGISTRY: dict[str, Lifecycle[Any, Any]] = {}


@dataclass(frozen=True)
class Lifecycle(Generic[S, F]):
    """`internal` actions are fired by the service's own verbs and are not offered through `…/transitions`."""

    name: str
    states: type[S]
    initial: S
    transitions: tuple[Transition[S, F], ...]
    internal: frozenset[StrEnum] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.name in _REGISTRY:
            raise ValueError(f"lifecycle {self.name} is declared twice")
        seen: set[tuple[str, S]] = set()
        for transition in self.transitions:
            for source in transition.sources:
                if (transition.action, source) in seen:
                    raise ValueError(f"{self.name}: {transition.action} from {source} is declared twice")
                seen.add((transition.action, source))
        _REGISTRY[self.name] = self

    def check(self, column: str = "status") -> sa.CheckConstraint:
        """The CHECK constraint of the status column."""
        return values_check(column, self.states)

    def find(self, state: S, action: str) -> Transition[S, F] | None:
        for transition in self.transitions:
            if transition.action == action and state in transition.sources:
                return transition
        return None

    def offered_name(self, transition: Transition[S, F]) -> str | None:
        """The name of the action for clients, or None if it is not offered."""
        if transition.offered_as is not None:
            return transition.offered_as.value
        return None if transition.action in self.internal else transition.action.value

    def allowed_actions(self, entity: Any, principal: Principal) -> list[str]:
        """Public actions that this principal may fire in the present state (guards are not evaluated)."""
        state = entity.status
        names = [
            self.offered_name(transition)
            for transition in self.transitions
            if state in transition.sources and transition.permits(entity, principal)
        ]
        return list(dict.fromkeys(name for name in names if name is not None))

    def require_offered(self, entity: Any, name: str, principal: Principal) -> None:
        """Checks a verb that may end in several states. Raises Forbidden (role) or InvalidTransition (state)."""
        offered = [transition for transition in self.transitions if self.offered_name(transition) == name]
        if not any(transition.permits(entity, principal) for transition in offered):
            raise Forbidden
        if name not in self.allowed_actions(entity, principal):
            raise self._refusal(entity, name, principal, [])

    def require(
        self, entity: Any, action: str, principal: Principal, facts: F, *, reason: str | None = None
    ) -> Transition[S, F]:
        """The transition. Raises Forbidden (role), InvalidTransition (state, guards), ValidationFailed (no reason)."""
        candidates = [transition for transition in self.transitions if transition.action == action]
        if candidates and not any(transition.permits(entity, principal) for transition in candidates):
            raise Forbidden
        transition = self.find(entity.status, action)
        if transition is not None and not transition.permits(entity, principal):
            raise Forbidden  # the role may fire this action from another state, but not from this one
        failed = [] if transition is None else [guard for guard in transition.guards if not guard.holds(facts)]
        if transition is None or failed:
            raise self._refusal(entity, action, principal, [guard.failure(facts) for guard in failed])
        if transition.needs_reason and reason is None:
            raise ValidationFailed.of("reason", "missing", "Give a reason.")
        return transition

    def _refusal(
        self, entity: Any, action: str, principal: Principal, failed_guards: list[dict[str, Any]]
    ) -> InvalidTransition:
        return InvalidTransition(
            state=entity.status.value,
            action=str(action),
            allowed_actions=self.allowed_actions(entity, principal),
            failed_guards=failed_guards,
        )

    async def fire(
        self, uow: UnitOfWork, entity: Any, action: str, facts: F, *, reason: str | None = None, **also: Any
    ) -> Transition[S, F]:
        """Moves `entity` to the action's target in one audited change. `also` sets further columns in the same change.

        Raises Forbidden, InvalidTransition, or Conflict if somebody else wrote first.
        """
        transition = self.require(entity, action, uow.principal, facts, reason=reason)
        metadata = _metadata(transition, entity, reason)
        async with uow.change(entity, transition.audit_action, event=transition.event, metadata=metadata):
            entity.status = transition.target
            for name, value in also.items():
                setattr(entity, name, value)
        return transition

    async def fire_all(
        self, uow: UnitOfWork, entities: Sequence[Any], action: str, facts: Callable[[Any], F], **also: Any
    ) -> None:
        """Moves several entities as `fire` moves one, in one round trip. All of them move, or none.

        `facts` answers for each entity. Raises as `fire`, for the first entity that may not move.
        """
        moved: dict[Transition[S, F], list[Any]] = {}
        for entity in entities:
            moved.setdefault(self.require(entity, action, uow.principal, facts(entity)), []).append(entity)
        for transition, of_transition in moved.items():

            def assign(entity: Any, target: S = transition.target) -> None:
                entity.status = target
                for name, value in also.items():
                    setattr(entity, name, value)

            await uow.change_all(
                of_transition,
                transition.audit_action,
                assign,
                event=transition.event,
                metadata=partial(_metadata, transition),
            )


def _metadata(transition: Transition[Any, Any], entity: Any, reason: str | None = None) -> dict[str, Any]:
    """The audit event's metadata. The entity is still in its old state."""
    told = {"action": str(transition.action), "from": entity.status.value, "to": transition.target.value}
    return told if reason is None else {**told, "reason": reason}


def registered_lifecycles() -> tuple[Lifecycle[Any, Any], ...]:
    return tuple(sorted(_REGISTRY.values(), key=lambda lifecycle: lifecycle.name))
