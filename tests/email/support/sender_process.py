"""A process that sends one message, to be killed: `python -m tests.email.support.sender_process TENANT MESSAGE`."""

from __future__ import annotations

import asyncio
import sys
import uuid

import orjson
from sqlalchemy.orm import configure_mappers

from app.core.ids import TenantId
from app.core.jobs.queue import run_job, sealed_content
from app.core.logging import configure_logging
from app.core.runtime import build_runtime
from app.registry import COMPOSITION, JOBS, LOG_KEYS, load_settings


async def main(tenant_id: uuid.UUID, message_id: uuid.UUID) -> None:
    settings = load_settings()
    configure_logging("ERROR", LOG_KEYS)
    configure_mappers()
    runtime = build_runtime(settings, COMPOSITION)
    [send] = [job for job in JOBS if job.name == "email.send"]
    content = sealed_content(runtime.keys.seal, send, TenantId(tenant_id), {"entity_id": message_id})
    await run_job(runtime, send, orjson.dumps(content))
    await runtime.close()


if __name__ == "__main__":
    asyncio.run(main(uuid.UUID(sys.argv[1]), uuid.UUID(sys.argv[2])))
