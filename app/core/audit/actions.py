"""The vocabulary of the audit log. It is closed, because the registry lists every enumeration of actions."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

_FORM = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")


class AuditAction(StrEnum):
    """What was done to one kind of entity: `entity.verb_past`, such as `claim.revised`.

    Audit rows are never rewritten, so a name that was used once keeps its meaning.
    """

    def __new__(cls, value: str) -> Self:
        if not _FORM.fullmatch(value):
            raise ValueError(f"{value} is not of the form entity.verb_past")
        member = str.__new__(cls, value)
        member._value_ = value
        return member
