"""Results of custom elements in charts: eCustomResults.02 names an element that the agency has defined."""

from __future__ import annotations

from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Problem
from app.ems.custom_elements.repository import CustomElementRepository
from app.ems.elements import ElementValues

_REFERENCE = "eCustomResults.02"


async def undefined_results(uow: ReadUnitOfWork, elements: ElementValues) -> list[Problem]:
    """A problem for each name that no custom element of the agency has; one statement where any is named.

    A document with such a name would refer to an element that its own header does not declare.
    """
    named = [
        (index, entry.value) for index, entry in enumerate(elements.get(_REFERENCE, ())) if entry.value is not None
    ]
    if not named:
        return []
    defined = {item.custom_element_id for item in await CustomElementRepository(uow).list_all(uow.tenant_id)}
    return [
        Problem(
            f"elements.{_REFERENCE}[{index}].value",
            "unknown_custom_element",
            "The agency has defined no custom element of this id.",
        )
        for index, value in named
        if value not in defined
    ]
