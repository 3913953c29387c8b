"""The only source of the present time."""

from __future__ import annotations

import datetime as dt
import time


def utcnow() -> dt.datetime:
    """The present time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def timestamp() -> float:
    """The present time in seconds since 1970. Token claims are compared with it."""
    return time.time()
