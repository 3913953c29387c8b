"""All claim edits, and which of them a structural problem belongs to. docs/claim-edits.md is made of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from app.billing.edits.declaration import Edit, bare_field
from app.billing.edits.documents import DOCUMENT_EDITS
from app.billing.edits.lines import LINE_EDITS
from app.billing.edits.parties import PARTY_EDITS
from app.billing.edits.transport import TRANSPORT_EDITS

EDITS: tuple[Edit, ...] = (*PARTY_EDITS, *TRANSPORT_EDITS, *LINE_EDITS, *DOCUMENT_EDITS)
EDIT_BY_ID: Mapping[str, Edit] = {edit.id: edit for edit in EDITS}
SWITCHABLE = frozenset(edit.id for edit in EDITS if edit.is_switchable)
"""The edits that a payer's record may name."""
_UNREADABLE = EDIT_BY_ID["E08"]
_EVERYWHERE = "*"
_PLACES = [(*place.partition(":")[::2], edit) for edit in EDITS for place in edit.structural]


@cache
def edit_of(field: str, code: str) -> Edit:
    """The edit to which the writer's problem with a field belongs.

    A place that names the code counts before one that does not; of several, the longest.
    """
    bare = bare_field(field)
    fitting = [
        (wanted != "", len(place), edit)
        for place, wanted, edit in _PLACES
        if wanted in ("", code) and (place == _EVERYWHERE or bare.startswith(place))
    ]
    return max(fitting, key=lambda one: one[:2])[2] if fitting else _UNREADABLE
