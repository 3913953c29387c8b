"""Provision the demo tenant once, in development: `python -m scripts.seed_demo`.

The generated passwords go into `<data dir>/demo-credentials.json`.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import asyncpg
import orjson
from sqlalchemy.engine import make_url

from app.core.config import Environment, Settings, load_settings
from scripts.provision_tenant import provision

PROFILE: dict[str, Any] = {
    "slug": "demo",
    "legal_name": "Demo Valley Ambulance District",
    "trade_name": "Demo Valley EMS",
    "state": "IL",
    "time_zone": "America/Chicago",
    "agency_state_id": "IL-DEMO-01",
    "agency_number": "DEMO-01",
    "npi": "1467890129",
    "ein": "371234567",
    "taxonomy": "3416L0300X",
    "street": "1 Station Road",
    "city": "Springfield",
    "zip": "62701-1000",
    "phone": "2175550100",
    "billing_contact_name": "Billing Office",
    "submitter_id": "371234567",
    "receiver_name": "OFFICE ALLY",
    "receiver_id": "330897513",
}
USERS: list[dict[str, Any]] = [
    {"email": "admin@demo.example", "display_name": "Ada Admin", "role": "admin"},
    {"email": "medic@demo.example", "display_name": "Max Medic", "role": "ems"},
    {"email": "supervisor@demo.example", "display_name": "Sue Supervisor", "role": "ems", "is_reviewer": True},
    {"email": "biller@demo.example", "display_name": "Bill Biller", "role": "billing"},
    {"email": "founder@demo.example", "display_name": "Fay Founder", "role": "founder"},
]


async def exists(settings: Settings) -> bool:
    """Whether the demo tenant is there already."""
    url = make_url((settings.migration_database_url or settings.database_url).get_secret_value())
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM tenants WHERE slug = $1)", PROFILE["slug"])
        return found
    finally:
        await connection.close()


async def main() -> None:
    settings = load_settings()
    if settings.environment is Environment.PRODUCTION or await exists(settings):
        return
    _, passwords = await provision(settings, PROFILE, USERS)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    file = settings.data_dir / "demo-credentials.json"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(orjson.dumps(passwords, option=orjson.OPT_INDENT_2))
    print(f"demo tenant provisioned; passwords in {file}")


if __name__ == "__main__":
    asyncio.run(main())
