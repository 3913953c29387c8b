"""Objects that nothing refers to any more."""

from __future__ import annotations

from app.core.errors import ServiceUnavailable
from app.core.logging import get_logger
from app.core.storage.gateway import ObjectStore

_log = get_logger(__name__)


async def forget(objects: ObjectStore, key: str) -> None:
    """Delete an object that nothing refers to. If the store is away, the object stays and this is logged."""
    try:
        await objects.delete(key)
    except ServiceUnavailable as error:
        _log.warning("object left behind", exc_info=error)
