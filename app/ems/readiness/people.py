"""People who can correct something: derived from permissions, the chart's gate and its state machine."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from app.core.errors import AppError
from app.core.ids import TenantId
from app.core.lifecycle import Transition
from app.core.permissions import USER_ROLES, Permission, Principal, Role
from app.ems.chart.gate import require_editable
from app.ems.lifecycle import IncidentFacts, IncidentStatus, incident_lifecycle

REVIEWER = "reviewer"
"""The name by which answers call an ems user who is flagged `is_reviewer`."""
_NOBODY = uuid.UUID(int=0)
_SOME_REASON = "to be given"

Step = Transition[IncidentStatus, IncidentFacts]


@dataclass(frozen=True, slots=True)
class _Head:
    status: IncidentStatus
    id: uuid.UUID = _NOBODY
    completed_at: dt.datetime | None = None


def holders(permission: Permission) -> tuple[str, ...]:
    """The roles that hold a permission, and `reviewer` where the flag gives it."""
    roles = tuple(role.value for role in USER_ROLES if role in permission.roles)
    return (*roles, REVIEWER) if permission.reviewer_roles else roles


def step_towards(status: IncidentStatus, wanted: Callable[[IncidentStatus], bool]) -> Step:
    """The first transition of a shortest way from `status` to another state that is `wanted`. Raises LookupError."""
    ways: deque[tuple[IncidentStatus, Step | None]] = deque([(status, None)])
    seen = {status}
    while ways:
        state, first = ways.popleft()
        for transition in incident_lifecycle.transitions:
            if state not in transition.sources or transition.target in seen:
                continue
            if wanted(transition.target):
                return first or transition
            seen.add(transition.target)
            ways.append((transition.target, first or transition))
    raise LookupError(f"no way leads on from {status}")


@cache
def who_can_correct(status: IncidentStatus) -> tuple[str, ...]:
    """The roles that may change a chart in this state.

    Where none may, the roles that can bring the chart to a state in which somebody may.
    """
    roles = _editors(status)
    if roles:
        return roles
    permission = step_towards(status, lambda state: bool(_editors(state))).permission
    return () if permission is None else holders(permission)


@cache
def _editors(status: IncidentStatus) -> tuple[str, ...]:
    return tuple(role.value for role in USER_ROLES if _may_edit(status, role))


def _may_edit(status: IncidentStatus, role: Role) -> bool:
    try:
        require_editable(_Head(status), Principal(TenantId(_NOBODY), role), _SOME_REASON)
    except AppError:
        return False
    return True
