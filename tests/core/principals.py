"""People of a tenant as the write path sees them: it asks for no row of the users table."""

from __future__ import annotations

from app.core.ids import TenantId, UserId, new_id
from app.core.keys import Keyring
from app.core.permissions import Principal, Role

KEYS = Keyring(b"the key of every unit of work that tests make themselves")


def principal_of(tenant_id: TenantId, role: Role = Role.EMS, *, is_reviewer: bool = False) -> Principal:
    """Somebody of that tenant with that role."""
    return Principal(tenant_id=tenant_id, role=role, user_id=UserId(new_id()), is_reviewer=is_reviewer)
