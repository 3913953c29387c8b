"""Where codes come from."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from app.core.schemas import ReadModel


class ReleaseRead(ReadModel):
    """The newest imported release of a code set."""

    release: str = Field(examples=["2026-04-01"])
    effective_from: dt.date
    source: str = Field(description="The file or package that it was imported from")
    sha256: str = Field(description="Of the imported content")
    imported_at: dt.datetime
