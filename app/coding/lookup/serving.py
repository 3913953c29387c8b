"""Lookups over HTTP: the parameters that the code sets share, and the edition of an answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.coding.lookup.shipped import shipped_edition
from app.coding.releases.schemas import ReleaseRead

QueryText = Annotated[
    str, Query(max_length=300, description="A code, or words as they are said: `sob`, `fx l wrist`, `I21.3`")
]
LookupLimit = Annotated[int, Query(ge=1, le=100, description="At most so many codes, the best first")]


def detail_edition(release: ReleaseRead) -> str:
    """The edition of an answer about a single code, the same for all agencies. It changes with each release."""
    return f"{release.imported_at.timestamp():.6f}.{release.sha256[:12]}.{shipped_edition()}"
