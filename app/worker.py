"""The worker process (`python -m app.worker`): relay and jobs without HTTP, for scaling out."""

from __future__ import annotations

import asyncio
import signal

from sqlalchemy.orm import configure_mappers

from app.background import background
from app.core.logging import configure_logging, get_logger
from app.core.runtime import build_runtime
from app.registry import COMPOSITION, LOG_KEYS, load_settings


async def run() -> None:
    """Work until SIGTERM or SIGINT."""
    settings = load_settings()
    configure_logging(settings.log_level, LOG_KEYS)
    configure_mappers()
    runtime = build_runtime(settings, COMPOSITION)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with background(runtime, run_jobs=True, serves_requests=False):
            get_logger(__name__).info("worker started")
            await stop.wait()
    finally:
        await runtime.close()


if __name__ == "__main__":
    asyncio.run(run())
