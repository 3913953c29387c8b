"""The gate that every write of a chart passes: may the chart be changed, and does the entry fit it?"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from app.core.audit.actions import AuditAction
from app.core.db.uow import UnitOfWork
from app.core.errors import Problem, ValidationFailed, refuse
from app.core.permissions import Principal
from app.core.repository import require_version
from app.ems.chart.columns import ChartEntry
from app.ems.chart.correlation import repeated_correlation_ids, require_new_correlation_ids
from app.ems.chart.picks import take_snapshots
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
from app.ems.permissions import CHART_AMEND, CHART_ENTRY_RESTORE, CHART_RESTORE, CHART_WRITE


class ChartHead(Protocol):
    """The incident, as far as the gate looks at it."""

    @property
    def id(self) -> uuid.UUID: ...

    @property
    def status(self) -> IncidentStatus: ...

    @property
    def completed_at(self) -> dt.datetime | None: ...


def require_editable(incident: ChartHead, principal: Principal, reason: str | None = None) -> None:
    """Require that the chart may be edited: open ones by ems and admins, completed ones by an admin with a reason.

    Source: directive 5.2. Raises Forbidden (billing never writes), ChartNotEditable, or ValidationFailed when only the
    reason is missing.
    """
    principal.require(CHART_WRITE)
    if incident.status in EDITABLE:
        return
    if incident.status is not IncidentStatus.COMPLETED or not CHART_AMEND.held_by(principal):
        raise ChartNotEditable(status=incident.status.value)
    if reason is None:
        raise ValidationFailed.of("reason", "missing", "Give a reason: this changes a completed chart.")


def require_sight_of_deleted(incident: ChartHead, principal: Principal) -> None:
    """Require the right to see what was deleted from the chart: of a closed chart, an admin's. Raises Forbidden."""
    principal.require(CHART_ENTRY_RESTORE if incident.status in EDITABLE else CHART_RESTORE)


def reason_metadata(reason: str | None) -> dict[str, str] | None:
    """The metadata of a chart write's audit event: the reason, where one was given."""
    return None if reason is None else {"reason": reason}


def require_consistent(entry: ChartEntry) -> None:
    """Require that the entry's columns do not contradict each other. Raises ValidationFailed."""
    refuse(entry.inconsistencies())


def check_entry_elements(entry: ChartEntry) -> None:
    """Check the entry's elements. Raises ValidationFailed, which names every element that does not fit."""
    carried = entry.carried_elements()
    values = from_json(entry.elements)
    problems = [
        Problem(f"elements.{problem.path}", problem.code.value, problem.message)
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
    refuse(problems)


def _contradictions(entry: ChartEntry, carried: Any, values: dict[str, list[ElementValue]]) -> list[Problem]:
    """Problems of elements that have a column: entries that do not go with the column's value.

    A NOT value never stands beside a value. A pertinent negative stands beside one only where NEMSIS wants both. The
    entries of a column that holds a list belong to its values one by one, so there are no more entries than values.
    """
    elements = load_dictionary(TARGET_BUILD).elements
    problems = []
    for column, element_id in carried.items():
        recorded = getattr(entry, column)
        count = len(recorded) if isinstance(recorded, list) else int(recorded is not None)
        for number, given in enumerate(values.get(element_id, ())):
            problem = _contradiction(elements[element_id], given, beside_values=count > 0, has_value=number < count)
            if problem is not None:
                code, message = problem
                problems.append(Problem(column, code, f"{elements[element_id].name} {message}"))
                break
    return problems


def _contradiction(
    definition: ElementDefinition, given: ElementValue, *, beside_values: bool, has_value: bool
) -> tuple[str, str] | None:
    """The problem of one entry beside a column, as (code, message). `has_value`: the column has a value for it."""
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


def changes_of(entry: ChartEntry, patch: ChartPatch) -> dict[str, Any]:
    """The columns that the PATCH sets, and their values in this entry. Elements are merged by id."""
    changes = patch.changes()
    if "elements" in changes:
        changes["elements"] = to_json(merge(from_json(entry.elements), changes["elements"]))
    return changes


C = TypeVar("C", bound=ChartEntry)


async def revise_entry(
    uow: UnitOfWork,
    entry: C,
    patch: ChartPatch,
    action: AuditAction,
    check: Callable[[C], Awaitable[None]] | None = None,
) -> None:
    """Apply a PATCH to a chart entry in one audited change. Raises Conflict (stale), ValidationFailed.

    `check` takes the place of the check of the elements. The audit event keeps an amendment's reason.
    """
    require_version(entry, patch.version)
    changes = changes_of(entry, patch)
    async with uow.change(entry, action, event=INCIDENT_UPDATED, metadata=reason_metadata(patch.reason)):
        changed = [name for name, value in changes.items() if value != getattr(entry, name)]
        for name, value in changes.items():
            setattr(entry, name, value)
        await take_snapshots(uow, entry, changed)
        require_consistent(entry)
        carried = entry.carried_elements()
        if check is not None:
            await check(entry)
        elif "elements" in changes or any(carried.get(name) in entry.elements for name in changes):
            check_entry_elements(entry)
            await require_new_correlation_ids(uow, entry)
