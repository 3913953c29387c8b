"""A worker that posts one file, to be killed in the middle: `python -m … <tenant id> <file id>`."""

from __future__ import annotations

import asyncio
import sys
import uuid

from sqlalchemy.orm import configure_mappers

from app.billing.remittances.posting import POST_DECISIONS
from app.core.ids import TenantId
from app.core.permissions import Principal
from app.core.runtime import build_runtime
from app.registry import COMPOSITION, load_settings


async def main() -> None:
    configure_mappers()
    runtime = build_runtime(load_settings(), COMPOSITION)
    principal = Principal.system(TenantId(uuid.UUID(sys.argv[1])))
    print("at work", flush=True)  # noqa: T201
    await POST_DECISIONS.handle(runtime, principal, {"source_id": uuid.UUID(sys.argv[2])})


if __name__ == "__main__":
    asyncio.run(main())
