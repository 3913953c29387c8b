"""Custom elements as a kind of reference record of the agency."""

from __future__ import annotations

from app.core.audit.actions import AuditAction
from app.core.errors import Problem, refuse
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.schemas import Filter
from app.ems.custom_elements.models import CustomElement
from app.ems.custom_elements.schemas import CustomElementCreate, CustomElementPatch, CustomElementRead
from app.ems.elements import CUSTOM_CONFIGURATION_GROUP, TARGET_BUILD, check_elements, from_json, load_dictionary
from app.ems.elements.dictionary import Usage
from app.ems.permissions import CHART_READ, CUSTOM_ELEMENT_WRITE


class CustomElementAction(AuditAction):
    CREATED = "custom_element.created"
    REVISED = "custom_element.revised"
    DELETED = "custom_element.deleted"
    RESTORED = "custom_element.restored"


def _check(custom_element: CustomElement) -> None:
    """Check a definition. Unlike a chart it is complete from the start: a gap would fail every document."""
    dictionary = load_dictionary(TARGET_BUILD)
    found = check_elements(from_json(custom_element.elements), dictionary=dictionary, group=CUSTOM_CONFIGURATION_GROUP)
    problems = [Problem(f"elements.{problem.path}", problem.code.value, problem.message) for problem in found]
    problems += [
        Problem.missing(f"elements.{element.id}", f"{element.name} is mandatory.")
        for element in dictionary.elements.values()
        if element.section == "eCustomConfiguration"
        and element.usage is Usage.MANDATORY
        and element.id not in custom_element.elements
    ]
    refuse(problems)


CUSTOM_ELEMENTS = ReferenceKind(
    noun="custom element",
    plural="custom elements",
    path="tenants/current/custom-elements",
    tag="tenants",
    about="What the agency records beyond the standard; stands in the header of documents that hold results of it.",
    entity=CustomElement,
    create=CustomElementCreate,
    patch=CustomElementPatch,
    read=CustomElementRead,
    may_read=CHART_READ,
    may_write=CUSTOM_ELEMENT_WRITE,
    actions={
        Verb.CREATE: CustomElementAction.CREATED,
        Verb.REVISE: CustomElementAction.REVISED,
        Verb.DELETE: CustomElementAction.DELETED,
        Verb.RESTORE: CustomElementAction.RESTORED,
    },
    filters={"custom_element_id": Filter},
    check=_check,
)
