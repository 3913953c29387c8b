"""How a claim edit is declared. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from app.billing.edits.view import ClaimView
from app.core.errors import Problem
from app.core.paths import API_PREFIX
from app.ems.public import Fix

_CLAIMS = f"{API_PREFIX}/billing/claims"
_INDEX = re.compile(r"\[\d+\]|\.\d+(?=\.|$)")


class EditSeverity(StrEnum):
    """BLOCKING: `approve` and the export refuse the claim for it."""

    BLOCKING = "blocking"
    WARNING = "warning"


class Fault(NamedTuple):
    """One thing that an edit found. No part holds a value of the claim or the chart, except for the offer's body.

    `field` is named as in the API. `severity` is given where one edit finds things of different weight.
    """

    field: str
    code: str
    message: str
    severity: EditSeverity | None = None
    offer: Fix | None = None


Judge = Callable[[ClaimView], Iterator[Fault]]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One rule. `structural` names the problems of the 837P writer that are this edit's, as `field` or `field:code`.

    No payer takes a claim with a structural problem: it always blocks. `judge` finds what the writer cannot know; a
    payer's record may switch that part. `offer` makes the request that cures a structural problem, if nothing about it
    is a matter of judgement.
    """

    id: str
    what: str
    why: str
    source: str
    fix: str
    severity: EditSeverity = EditSeverity.BLOCKING
    structural: tuple[str, ...] = ()
    applies: Callable[[ClaimView], bool] = lambda view: True
    judge: Judge | None = None
    offer: Callable[[ClaimView, Problem], Fix | None] | None = None

    @property
    def is_switchable(self) -> bool:
        """True if a payer's record can switch what this edit finds."""
        return self.judge is not None


def bare_field(field: str) -> str:
    """A field without the indexes of its lists, in either notation (`lines[0]`, `lines.0`).

    The number in the id of an element (`patient.elements.eDisposition.30`) is no index.
    """
    return field if ".elements." in field else _INDEX.sub("", field)


def change_claim(view: ClaimView, **fields: Any) -> Fix:
    """The PATCH of the claim, with the version that was judged."""
    return Fix("PATCH", f"{_CLAIMS}/{view.claim.id}", {"version": view.claim.version, **fields})


def change_line(view: ClaimView, at: int, **fields: Any) -> Fix:
    """The PATCH of the line with that index."""
    line = view.lines[at]
    path = f"{_CLAIMS}/{view.claim.id}/lines/{line.id}"
    return Fix("PATCH", path, {"version": line.version, **fields})
