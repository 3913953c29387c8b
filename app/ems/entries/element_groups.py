"""How element groups are written: as a kind of entry."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.errors import Problem, refuse
from app.ems.custom_elements.results import undefined_results
from app.ems.element_groups.models import ElementGroup
from app.ems.element_groups.repository import ElementGroupRepository
from app.ems.elements import (
    PER_PATIENT_GROUPS,
    REPEATING_GROUPS,
    TARGET_BUILD,
    ElementProblem,
    Owner,
    check_group_attributes,
    from_json,
    load_dictionary,
)
from app.ems.entries.children import ChildActions, ChildKind, Use
from app.ems.parts import ELEMENT_GROUP
from app.ems.patients.models import Patient


class ElementGroupAction(AuditAction):
    CREATED = "element_group.created"
    REVISED = "element_group.revised"
    AMENDED = "element_group.amended"
    DELETED = "element_group.deleted"
    RESTORED = "element_group.restored"
    MOVED = "element_group.moved"


async def _is_parent(uow: UnitOfWork, group: ElementGroup, wanted: str | None) -> bool:
    if group.parent_id is None:
        return False
    parent = await ElementGroupRepository(uow).find_for_share(uow.tenant_id, group.parent_id)
    same_place = parent is not None and (parent.incident_id, parent.patient_id) == (group.incident_id, group.patient_id)
    return same_place and parent is not None and parent.group_name == wanted


def _field_of(problem: ElementProblem, group_name: str) -> str:
    """The request's field for a problem with one of the group's XML attributes."""
    field = "attributes" + problem.path.removeprefix(group_name)
    return "correlation_id" if field == "attributes.CorrelationID" else field


async def _check(uow: UnitOfWork, group: ElementGroup, _: Patient | None) -> None:
    definition = REPEATING_GROUPS[group.group_name]
    problems = []
    of_call = definition.owner is Owner.INCIDENT
    if of_call and group.patient_id is not None and group.group_name not in PER_PATIENT_GROUPS:
        message = "This group belongs to the incident, not to a patient."
        problems.append(Problem("patient_id", "group_of_incident", message))
    if not of_call and group.patient_id is None:
        problems.append(Problem.missing("patient_id", "Say which patient this group belongs to."))
    if (definition.parent_group is None) != (group.parent_id is None):
        wanted = definition.parent_group or "nothing"
        problems.append(Problem("parent_id", "wrong_place", f"This group is nested in {wanted}."))
    elif group.parent_id is not None and not await _is_parent(uow, group, definition.parent_group):
        message = "This chart has no such group to nest this one in."
        problems.append(Problem("parent_id", "unknown_parent", message))
    attributes = dict(group.attributes or {})
    if group.correlation_id is not None:
        attributes["CorrelationID"] = group.correlation_id
    problems += [
        Problem(_field_of(problem, group.group_name), problem.code.value, problem.message)
        for problem in check_group_attributes(group.group_name, attributes, dictionary=load_dictionary(TARGET_BUILD))
    ]
    problems += await undefined_results(uow, from_json(group.elements))
    refuse(problems)


ELEMENT_GROUPS = ChildKind(
    part=ELEMENT_GROUP,
    actions=ChildActions(
        ElementGroupAction.CREATED,
        ElementGroupAction.REVISED,
        ElementGroupAction.AMENDED,
        ElementGroupAction.DELETED,
        ElementGroupAction.RESTORED,
        ElementGroupAction.MOVED,
    ),
    check=_check,
    used_by=(Use(ELEMENT_GROUP.collection, ElementGroupRepository, "parent_id"),),
)
