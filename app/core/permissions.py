"""Each permission is declared once, with the roles that hold it. Routes and services only name it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from app.core.errors import Forbidden
from app.core.ids import TenantId, UserId


class Role(StrEnum):
    """Directive 4.1. SYSTEM is the service itself (jobs, auto-lock); no token carries it."""

    ADMIN = "admin"
    EMS = "ems"
    BILLING = "billing"
    FOUNDER = "founder"
    SYSTEM = "system"


USER_ROLES = (Role.ADMIN, Role.EMS, Role.BILLING, Role.FOUNDER)


@dataclass(frozen=True, slots=True)
class Principal:
    """The actor: a user of a verified access token, or the system in a job (`user_id` and `session_id` are None)."""

    tenant_id: TenantId
    role: Role
    user_id: UserId | None = None
    is_reviewer: bool = False
    expires_at: float = float("inf")
    session_id: uuid.UUID | None = None

    @property
    def is_person(self) -> bool:
        """True if a person sees the data that is read. The service may act for a user: a link sets a password."""
        return self.user_id is not None and self.role is not Role.SYSTEM

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
    """`reviewer_roles` have it only with the reviewer flag (decisions: supervisors are ems users flagged reviewer)."""

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
        return role in self.roles or (principal.is_reviewer and role in self.reviewer_roles)


def declare(name: str, description: str, *roles: Role, reviewers: tuple[Role, ...] = ()) -> Permission:
    """Declare a permission in a domain's permissions.py."""
    return Permission(name, description, frozenset(roles), frozenset(reviewers))


def registered_permissions() -> tuple[Permission, ...]:
    return tuple(sorted(_REGISTRY.values(), key=lambda permission: permission.name))
