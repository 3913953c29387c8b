"""Each permission is declared once, with the roles that hold it. Routes and services only name it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from app.core.errors import Forbidden
from app.core.ids import TenantId, UserId


class Role(StrEnum):
    """Directive 4.1. No access token carries the last two.

    KEY is an outside system with an external API key (ADR 0041). SYSTEM is the service itself (jobs, auto-lock).
    """

    ADMIN = "admin"
    EMS = "ems"
    BILLING = "billing"
    FOUNDER = "founder"
    KEY = "key"
    SYSTEM = "system"


USER_ROLES = (Role.ADMIN, Role.EMS, Role.BILLING, Role.FOUNDER)


@dataclass(frozen=True, slots=True)
class Principal:
    """The actor: a user of a verified access token, an external API key, or the system in a job.

    A key has a `key_id` and its `scopes`, which are names of permissions. The system has neither user nor key.
    """

    tenant_id: TenantId
    role: Role
    user_id: UserId | None = None
    is_reviewer: bool = False
    expires_at: float = float("inf")
    session_id: uuid.UUID | None = None
    key_id: uuid.UUID | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def actor_id(self) -> uuid.UUID | None:
        """The id that the logs name as the actor: of the user, or of the external API key."""
        return self.key_id if self.user_id is None else self.user_id

    @property
    def is_reader(self) -> bool:
        """True if a person or an outside system sees the data that is read.

        The service may act for a user: a link sets a password.
        """
        return self.actor_id is not None and self.role is not Role.SYSTEM

    def require(self, permission: Permission) -> None:
        """Raises Forbidden unless this principal holds `permission`."""
        if not permission.held_by(self):
            raise Forbidden.lacking(permission.name)

    @classmethod
    def system(cls, tenant_id: TenantId) -> Principal:
        return cls(tenant_id=tenant_id, role=Role.SYSTEM)


_REGISTRY: dict[str, Permission] = {}


@dataclass(frozen=True)
class Permission:
    """`reviewer_roles` have it only with the reviewer flag (decisions: supervisors are ems users flagged reviewer).

    An external API key holds it if KEY is among the roles and the key's scopes name it.
    """

    name: str
    description: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    reviewer_roles: frozenset[Role] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.name in _REGISTRY:
            raise ValueError(f"permission {self.name} is declared twice")
        _REGISTRY[self.name] = self

    def held_by(self, principal: Principal) -> bool:
        role = principal.role
        if role is Role.KEY and self.name not in principal.scopes:
            return False
        return role in self.roles or (principal.is_reviewer and role in self.reviewer_roles)


def declare(name: str, description: str, *roles: Role, reviewers: tuple[Role, ...] = ()) -> Permission:
    """Declare a permission in a domain's permissions.py."""
    return Permission(name, description, frozenset(roles), frozenset(reviewers))


def registered_permissions() -> tuple[Permission, ...]:
    return tuple(sorted(_REGISTRY.values(), key=lambda permission: permission.name))
