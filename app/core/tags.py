"""Tag: a chapter of the OpenAPI document. A domain declares its own beside its routers; the registry orders them."""

from __future__ import annotations

from typing import NamedTuple


class Tag(NamedTuple):
    name: str
    description: str
