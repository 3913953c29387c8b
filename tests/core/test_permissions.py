"""Permissions are held by roles, some by reviewers only, and declared once."""

from __future__ import annotations

import pytest

from app.core import permissions
from app.core.errors import Forbidden
from app.core.ids import TenantId, new_id
from app.core.permissions import USER_ROLES, Principal, Role, declare
from tests.core.principals import principal_of

TENANT = TenantId(new_id())


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "_REGISTRY", {})


@pytest.mark.parametrize("role", [*USER_ROLES, Role.SYSTEM])
def test_denied_is_the_default(role: Role) -> None:
    nothing = declare("probe.nothing", "Held by nobody.")
    for is_reviewer in (False, True):
        with pytest.raises(Forbidden):
            principal_of(TENANT, role, is_reviewer=is_reviewer).require(nothing)


@pytest.mark.parametrize("role", [*USER_ROLES, Role.SYSTEM])
@pytest.mark.parametrize("is_reviewer", [False, True])
def test_roles_hold_what_names_them(role: Role, is_reviewer: bool) -> None:
    given = declare("probe.given", "For some.", Role.ADMIN, reviewers=(Role.EMS,))
    held = role is Role.ADMIN or (role is Role.EMS and is_reviewer)
    assert given.held_by(principal_of(TENANT, role, is_reviewer=is_reviewer)) is held


def test_reviewer_flag_gives_nothing_to_other_roles() -> None:
    review = declare("probe.review", "For reviewing medics.", reviewers=(Role.EMS,))
    assert not any(
        review.held_by(principal_of(TENANT, role, is_reviewer=True))
        for role in (Role.BILLING, Role.FOUNDER, Role.ADMIN)
    )


def test_permission_is_declared_once() -> None:
    declare("probe.once", "Once.")
    with pytest.raises(ValueError, match=r"probe\.once is declared twice"):
        declare("probe.once", "Twice.")


def test_system_principal_is_nobody_in_particular() -> None:
    system = Principal.system(TENANT)
    assert (system.role, system.user_id, system.tenant_id, system.is_reviewer) == (Role.SYSTEM, None, TENANT, False)
    with pytest.raises(AttributeError):
        system.tenant_id = TenantId(new_id())  # type: ignore[misc]
