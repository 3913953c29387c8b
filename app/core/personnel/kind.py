"""Personnel as a kind of reference record."""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Problem, refuse
from app.core.personnel.lifecycle import EmploymentStatus, employment_lifecycle
from app.core.personnel.models import LicensureLevel, Person
from app.core.personnel.permissions import PERSONNEL_READ, PERSONNEL_WRITE
from app.core.personnel.schemas import PersonCreate, PersonPatch, PersonRead, PersonTransitionRequest
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.schemas import Filter
from app.core.tenants.service import current_tenant
from app.core.users.models import User


class PersonAction(AuditAction):
    CREATED = "person.created"
    REVISED = "person.revised"
    DELETED = "person.deleted"
    RESTORED = "person.restored"


def _check(person: Person) -> None:
    """Require the number and the state of a licence. A day of expiry alone is not enough."""
    given = person.licensure_id, person.licensure_state, person.licensure_expires_on
    if given == (None, None, None):
        return
    refuse(
        Problem.missing(field, "A licence has a number and a state.")
        for field in ("licensure_id", "licensure_state")
        if getattr(person, field) is None
    )


async def _derive(uow: ReadUnitOfWork) -> Callable[[Person], dict[str, Any]]:
    tenant = await current_tenant(uow)
    today = utcnow().astimezone(zoneinfo.ZoneInfo(tenant.time_zone)).date()

    def derived(person: Person) -> dict[str, Any]:
        last_day = person.licensure_expires_on
        return {"licensure_expired": last_day is not None and last_day < today}

    return derived


PERSONNEL = ReferenceKind(
    noun="person",
    plural="personnel",
    path="tenants/current/personnel",
    tag="tenants",
    about="The people who crew the agency's vehicles.",
    entity=Person,
    create=PersonCreate,
    patch=PersonPatch,
    read=PersonRead,
    may_read=PERSONNEL_READ,
    may_write=PERSONNEL_WRITE,
    actions={
        Verb.CREATE: PersonAction.CREATED,
        Verb.REVISE: PersonAction.REVISED,
        Verb.DELETE: PersonAction.DELETED,
        Verb.RESTORE: PersonAction.RESTORED,
    },
    lifecycle=employment_lifecycle,
    transition=PersonTransitionRequest,
    filters={
        "status": EmploymentStatus,
        "last_name": Filter,
        "licensure_level": LicensureLevel,
        "licensure_id": Filter,
        "user_id": uuid.UUID,
    },
    references={"user_id": User},
    check=_check,
    derive=_derive,
)
