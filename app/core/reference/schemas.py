"""The common parts of the requests and answers of several kinds."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from app.core.filters import FilterText
from app.core.schemas import RequestModel, Version, Why

Filter = FilterText
"""The type of a list filter on text."""


class TransitionRequest(RequestModel):
    """A kind's own request declares which `action`s there are."""

    action: StrEnum
    version: Version
    reason: Why | None = Field(None, description="Kept in the audit log")


def coded(element: str, codes: type[StrEnum]) -> Any:
    """`Annotated[AnEnum, coded("dVehicle.04", AnEnum)]`: NEMSIS codes, described by the names of their members."""
    listed = ", ".join(f"{code.value} {code.name.lower().replace('_', ' ')}" for code in codes)
    return Field(description=f"{element}: {listed}")
