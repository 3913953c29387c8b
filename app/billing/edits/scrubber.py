"""Judges a claim by all edits. Pure: `scrub(view)` is a function of its argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.billing.edits.book import EDITS, edit_of
from app.billing.edits.declaration import Edit, EditSeverity
from app.billing.edits.view import ClaimView
from app.core.errors import Problem
from app.ems.public import Fix

_OFF = "off"


@dataclass(frozen=True, slots=True)
class EditProblem(Problem):
    """A problem that names the claim edit by which it was found."""

    edit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditFinding:
    """What an edit found at one field. Only the offer's body holds values. `structural`: no 837P can be made."""

    edit: Edit
    severity: EditSeverity
    field: str
    code: str
    message: str
    structural: bool
    offer: Fix | None = None

    @property
    def is_blocking(self) -> bool:
        return self.severity is EditSeverity.BLOCKING

    @property
    def problem(self) -> EditProblem:
        return EditProblem(self.field, self.code, self.message, self.edit.id)


def scrub(view: ClaimView) -> tuple[EditFinding, ...]:
    """Everything that the edits find, in the order of the edits. What a payer's record switches off is not found."""
    found = [*(attributed(problem, view) for problem in view.problems), *_judged(view)]
    first = {(one.edit.id, one.field, one.code): one for one in reversed(found)}
    return tuple(sorted(first.values(), key=lambda one: (one.edit.id, one.field, one.code)))


def attributed(problem: Problem, view: ClaimView | None = None) -> EditFinding:
    """A structural problem as what its edit found. `view` is needed for an offer."""
    edit = edit_of(problem.field, problem.code)
    return EditFinding(
        edit=edit,
        severity=EditSeverity.BLOCKING,
        field=problem.field,
        code=problem.code,
        message=problem.message,
        structural=True,
        offer=None if edit.offer is None or view is None else edit.offer(view, problem),
    )


def _judged(view: ClaimView) -> Iterator[EditFinding]:
    for edit in EDITS:
        switch = view.background.switches.get(edit.id)
        if edit.judge is None or switch == _OFF or not edit.applies(view):
            continue
        for fault in edit.judge(view):
            severity = EditSeverity(switch) if switch else fault.severity or edit.severity
            yield EditFinding(
                edit=edit,
                severity=severity,
                field=fault.field,
                code=fault.code,
                message=fault.message,
                structural=False,
                offer=fault.offer,
            )
