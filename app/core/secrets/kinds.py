"""SecretKind: a domain declares each secret that it needs of an agency. `app/registry.py` lists them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class SecretKind:
    """`name` is part of the API's path and is bound into the ciphertext, so it never changes.

    `problem` says what is wrong with a value, without quoting it, or returns None. Without `problem` any text is valid.
    """

    name: str
    description: str
    problem: Callable[[str], str | None] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a name that is not lower case with underscores."""
        if _NAME.fullmatch(self.name) is None:
            raise ValueError(f"{self.name!r} is no name of a secret")
