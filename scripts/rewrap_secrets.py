"""Encrypt every agency's secrets under the active key: `python -m scripts.rewrap_secrets`.

Run it after another key was made active (SECRETS_KEY_FILE, SECRETS_KMS_KEY_ID); then the old key is no longer needed.
Prints how many secrets were encrypted anew and the ids of those that could not be, as JSON; the exit code is 1 if there
are any. Each is audited in its agency. The script may run at any time and any number of times. It connects as the
service does (DATABASE_URL, SYSTEM_DATABASE_URL).
"""

from __future__ import annotations

import asyncio
import sys

import orjson
from sqlalchemy.orm import configure_mappers

from app.core.config import Settings
from app.core.permissions import Principal
from app.core.runtime import build_runtime
from app.core.secrets.service import Rewrapped, rewrap_secrets
from app.core.tenants.repository import list_cross_tenant_for_admin_only_ids
from app.registry import COMPOSITION, load_settings


async def rewrap(settings: Settings) -> Rewrapped:
    """All agencies together. Raises ServiceUnavailable while a key cannot be had; what was done until then is done."""
    configure_mappers()
    runtime = build_runtime(settings, COMPOSITION)
    done, failed = 0, []
    try:
        async with runtime.system_unit_of_work() as system:
            tenant_ids = await list_cross_tenant_for_admin_only_ids(system)
        for tenant_id in tenant_ids:
            found = await rewrap_secrets(runtime, Principal.system(tenant_id))
            done += found.done
            failed += found.failed
    finally:
        await runtime.close()
    return Rewrapped(done, failed)


if __name__ == "__main__":
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    outcome = asyncio.run(rewrap(load_settings()))
    print(orjson.dumps({"rewrapped": outcome.done, "failed": outcome.failed}).decode())
    sys.exit(1 if outcome.failed else 0)
