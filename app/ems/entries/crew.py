"""How crew members are written: as a kind of entry."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.core.personnel.public import EmploymentStatus, Person
from app.core.reference.repository import ReferenceRepository
from app.ems.crew.models import CrewMember
from app.ems.entries.children import ChildActions, ChildKind
from app.ems.parts import CREW_MEMBER


class CrewMemberAction(AuditAction):
    CREATED = "crew_member.created"
    REVISED = "crew_member.revised"
    AMENDED = "crew_member.amended"
    DELETED = "crew_member.deleted"
    RESTORED = "crew_member.restored"


async def _take_snapshot(uow: UnitOfWork, member: CrewMember) -> None:
    """Copy licence and level from the person, who is locked FOR SHARE.

    A later promotion, leaving or deletion of the person changes no entry. It keeps none from being revised or restored.
    Raises ValidationFailed for a person who is unknown or not active.
    """
    person = await ReferenceRepository(uow, Person).find_for_share(uow.tenant_id, member.personnel_id)
    if person is None:
        raise ValidationFailed.of("personnel_id", "unknown_person", "The agency has no such person.")
    if person.status is not EmploymentStatus.ACTIVE:
        raise ValidationFailed.of(
            "personnel_id",
            "inactive_person",
            "This person is not active. For a call from before they left, an admin reactivates them meanwhile.",
        )
    for column, element_id in CrewMember.SNAPSHOT.items():
        if element_id not in member.elements:
            setattr(member, column, getattr(person, column))


CREW = ChildKind(
    part=CREW_MEMBER,
    actions=ChildActions(
        CrewMemberAction.CREATED,
        CrewMemberAction.REVISED,
        CrewMemberAction.AMENDED,
        CrewMemberAction.DELETED,
        CrewMemberAction.RESTORED,
    ),
    prepare=_take_snapshot,
)
