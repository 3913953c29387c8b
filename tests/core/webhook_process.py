"""A process that takes one event and hangs in its effect, to be killed: `python -m tests.core.webhook_process BODY`."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy.orm import configure_mappers

from app.core.inbox.providers import Delivery
from app.core.inbox.taking import take
from app.core.logging import configure_logging
from app.core.runtime import build_runtime
from app.registry import COMPOSITION, LOG_KEYS, load_settings
from tests.core.webhooks import PROBE, PROBE_STATE


async def main(body: bytes) -> None:
    configure_logging("ERROR", LOG_KEYS)
    configure_mappers()
    PROBE_STATE.hanging = True
    await take(
        build_runtime(load_settings(), COMPOSITION), PROBE, PROBE_STATE, Delivery(body, PROBE_STATE.signed(body))
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1].encode()))
