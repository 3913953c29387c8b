"""Whether a chart may be changed, and whether what is written fits it: the rules every chart write passes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from app.core.db.uow import UnitOfWork
from app.core.errors import ValidationFailed
from app.core.permissions import Principal
from app.core.repository import require_version
from app.ems.chart.columns import ChartEntry
from app.ems.chart.correlation import repeated_correlation_ids, require_new_correlation_ids
from app.ems.chart.schemas import ChartPatch
from app.ems.elements import (
    TARGET_BUILD,
    ElementDefinition,
    ElementValue,
    check_elements,
    from_json,
    load_dictionary,
    merge,
    to_json,
)
from app.ems.errors import ChartNotEditable
from app.ems.events import INCIDENT_UPDATED
from app.ems.lifecycle import EDITABLE, IncidentStatus
from app.ems.permissions import CHART_AMEND, CHART_WRITE


class ChartHead(Protocol):
    """The incident, as far as the gate looks at it."""

    @property
    def id(self) -> uuid.UUID: ...

    @property
    def status(self) -> IncidentStatus: ...

    @property
    def completed_at(self) -> dt.datetime | None: ...


def require_editable(incident: ChartHead, principal: Principal, reason: str | None = None) -> None:
    """EMS and admins edit open charts; an admin may amend a completed one, giving a reason (directive 5.2).

    Raises Forbidden (billing never writes), ChartNotEditable, or ValidationFailed (only the reason is missing).
    """
    principal.require(CHART_WRITE)
    if incident.status in EDITABLE:
        return
    if incident.status is not IncidentStatus.COMPLETED or not CHART_AMEND.held_by(principal):
        raise ChartNotEditable(status=incident.status.value)
    if reason is None:
        raise ValidationFailed.of("reason", "missing", "Give a reason: this changes a completed chart.")


def reason_metadata(reason: str | None) -> dict[str, str] | None:
    """What the audit event of a chart write carries beside the changed fields."""
    return None if reason is None else {"reason": reason}


def require_consistent(entry: ChartEntry) -> None:
    """Raises ValidationFailed for columns that contradict each other."""
    problems = [{"field": field, "code": code, "message": message} for field, code, message in entry.inconsistencies()]
    if problems:
        raise ValidationFailed(problems=problems)


def check_entry_elements(entry: ChartEntry) -> None:
    """Raises ValidationFailed naming every element that does not fit `entry`."""
    carried = entry.carried_elements()
    values = from_json(entry.elements)
    problems = [
        {"field": f"elements.{problem.path}", "code": problem.code.value, "message": problem.message}
        for problem in check_elements(
            values,
            dictionary=load_dictionary(TARGET_BUILD),
            owner=entry.owner(),
            group=entry.repeating_group(),
            columns=frozenset(carried.values()),
        )
    ]
    problems += _contradictions(entry, carried, values)
    problems += repeated_correlation_ids(entry)
    if problems:
        raise ValidationFailed(problems=problems)


def _contradictions(entry: ChartEntry, carried: Any, values: dict[str, list[ElementValue]]) -> list[dict[str, str]]:
    """A NOT value stands alone: not beside the column's value. A pertinent negative beside one only where allowed.

    A column with a list has its entries beside its values one by one, so no more of them than values.
    """
    elements = load_dictionary(TARGET_BUILD).elements
    problems = []
    for column, element_id in carried.items():
        recorded = getattr(entry, column)
        count = len(recorded) if isinstance(recorded, list) else int(recorded is not None)
        for number, given in enumerate(values.get(element_id, ())):
            problem = _contradiction(elements[element_id], given, beside_values=count > 0, has_value=number < count)
            if problem is not None:
                problems.append((column, *problem))
                break
    return [
        {"field": column, "code": code, "message": f"{elements[carried[column]].name} {message}"}
        for column, code, message in problems
    ]


def _contradiction(
    definition: ElementDefinition, given: ElementValue, *, beside_values: bool, has_value: bool
) -> tuple[str, str] | None:
    """(code, message) for an entry of an element that has a column; `has_value`: one of the column's is its own."""
    negative = given.pertinent_negative
    needs_value = (
        negative is not None
        and negative in definition.pertinent_negatives
        and definition.pertinent_negative_needs_value(negative)
    )
    has_reason = given.not_value is not None or given.value is not None
    if beside_values and (has_reason or (negative and not needs_value)):
        return "value_and_reason", "is either recorded or marked as missing, not both."
    if not has_value and needs_value and given.value is None:
        return "value_missing", "needs a value beside this pertinent negative."
    if not has_value and given.value is given.not_value is negative is None:
        return "value_missing", "needs a value beside its attributes."
    return None


C = TypeVar("C", bound=ChartEntry)


async def revise_entry(
    uow: UnitOfWork, entry: C, patch: ChartPatch, action: StrEnum, check: Callable[[C], Awaitable[None]] | None = None
) -> None:
    """Apply a PATCH to a chart entry in one audited change. Raises Conflict (stale), ValidationFailed.

    `check` replaces the check of the elements by a wider one. An amendment's reason is kept with the audit event.
    """
    require_version(entry, patch.version)
    changes = patch.changes()
    async with uow.change(entry, action, event=INCIDENT_UPDATED, metadata=reason_metadata(patch.reason)):
        if "elements" in changes:
            changes["elements"] = to_json(merge(from_json(entry.elements), changes["elements"]))
        for name, value in changes.items():
            setattr(entry, name, value)
        require_consistent(entry)
        carried = entry.carried_elements()
        if check is not None:
            await check(entry)
        elif "elements" in changes or any(carried.get(name) in entry.elements for name in changes):
            check_entry_elements(entry)
            await require_new_correlation_ids(uow, entry)
